"""A package outside the project adds a dataset, a tokenizer and a way of cutting, and the command line has them."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from s4tok.errors import MissingError
from s4tok.plugins import Table

MODULE = """
from pathlib import Path
import numpy as np
from s4tok.clouds import PointCloud
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.datasets.table import Row
from s4tok.tokenizers import Variant

PAIRS = Variant("ball", marks_superpoint=True, unit="sphere")

def halves(xyz, config, threads):
    return (xyz[:, 0] > np.median(xyz[:, 0])).astype(np.int32)

class Dice(CloudDataset):
    name, scene, up, splits = "dice", "object", "z", ("train",)
    def __init__(self, split):
        self.split, self.keys = split, ["one", "two"]
    def __getitem__(self, key):
        return PointCloud.of(np.random.default_rng(len(key)).uniform(size=(300, 3)), name=key)
    def origin(self, key):
        return Origin(key, 300)

DICE = Row("their_dice:Dice", "two clouds of random points")
"""
ENTRIES = """[s4tok.datasets]
dice = their_dice:DICE
[s4tok.tokenizers]
pairs = their_dice:PAIRS
knn = their_dice:NOT_ASKED_FOR
[s4tok.superpoints]
halves = their_dice:halves
[s4tok.vision]
broken = their_dice:nothing_of_this_name
"""


@pytest.fixture
def their_package(tmp_path: Path) -> Path:
    """Put a package into a folder as pip would."""
    place = tmp_path / "site"
    about = place / "their_dice-1.0.dist-info"
    about.mkdir(parents=True)
    (place / "their_dice.py").write_text(MODULE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: their-dice\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    return place


def test_rows_of_a_plugin_stand_after_our_own_and_are_imported_when_asked_for(
    their_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(their_package))
    table: Table[object] = Table("s4tok.tokenizers", {"knn": 1})
    assert list(table) == ["knn", "pairs"]
    assert (len(table), "pairs" in table, "other" in table, table.get("other")) == (2, True, False, None)
    assert table["knn"] == 1  # a plugin takes no name that is there
    assert getattr(table["pairs"], "unit", None) == "sphere"


def test_a_plugin_that_cannot_be_loaded_is_named(their_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(their_package))
    table: Table[object] = Table("s4tok.vision", {})
    with pytest.raises(MissingError, match=r"'broken' of their-dice \(their_dice:nothing_of_this_name\)") as caught:
        table["broken"]
    assert caught.value.hint == "mend or remove it: pip uninstall their-dice"


@pytest.mark.slow
def test_the_command_line_has_what_a_plugin_adds(
    their_package: Path, tmp_path: Path, python: Callable[..., CompletedProcess[str]]
) -> None:
    start = f"import sys; sys.path.insert(0, {str(their_package)!r}); from s4tok_cli.app import main; main()"
    done = python("-c", start, "superpoints", "dice", "--method", "halves", "--cache", tmp_path / "c", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["made"], said["superpoints_median"]) == (2, 2)
    listed = python("-c", start, "data", "ls")
    assert "dice" in listed.stdout
    refused = python("-c", start, "pretrain", "dice", "--tokenizer", "pair", "--clip", "ViT-B-32", "--pretrained", "")
    assert "did you mean 'pairs'?" in refused.stderr
