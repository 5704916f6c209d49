"""A package outside the project adds a row to each table, and the command line has it."""

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from s4tok.datasets.table import DATASETS
from s4tok.errors import MissingError
from s4tok.plugins import Table
from s4tok.vision.table import VISION_MODELS
from s4tok_pipelines.objectives.table import OBJECTIVES
from tests.running import Run

MODULE = """
from pathlib import Path
import numpy as np
from s4tok.clouds import PointCloud
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.datasets.table import DatasetRow
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

DICE = DatasetRow("their_dice:Dice", "two clouds of random points")
"""
VISION = """
import torch
from torch.nn import functional
from s4tok.vision.vision_model import ImageFeatures, VisionModel

class Shades(VisionModel):
    can = frozenset({"dense", "whole"})
    name, width = "shades", 3
    identity = {"model": "shades", "weights": "none"}
    @classmethod
    def load(cls, name, pretrained=None, device="cpu"):
        return cls()
    def encode(self, images):
        shade = functional.adaptive_avg_pool2d(images.mean(1, keepdim=True), 4)[:, 0]
        patches = functional.normalize(torch.stack([shade, 1 - shade, shade**2], -1), dim=-1)
        return ImageFeatures(functional.normalize(patches.mean((1, 2)), dim=-1), patches)
"""
OBJECTIVE = """
from typing import NamedTuple
import torch
from safetensors.torch import save_file
from s4tok.objectives.objective import Objective
from s4tok_pipelines.objectives.contract import Prepared

class Batch(NamedTuple):
    x: torch.Tensor
    y: torch.Tensor
    def to(self, device):
        return Batch(self.x.to(device), self.y.to(device))
    def pinned(self):
        return self

class Height(Objective):
    columns = curves = ("total",)
    selects_by = "error"
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(2, 1)
        torch.nn.init.zeros_(self.line.weight)
    def collate(self, entries):
        extents = torch.tensor(entries)
        return Batch(extents[:, :2], extents[:, 2:])
    def step(self, batch):
        return {"total": (self.line(batch.x) - batch.y).square().mean()}
    def export(self, folder, card):
        save_file(self.trainable_state(), folder / "model.safetensors")
        (folder / "config.json").write_text(str(sorted(card)))

class Extents:
    def __init__(self, clouds):
        self.clouds, self.keys = clouds, list(clouds.keys)
    def entries(self, numbers, epoch):
        return [(self.clouds[self.keys[number]].xyz.max(0)).tolist() for number in numbers]

def height(request):
    torch.manual_seed(request.config.training.seed)
    (clouds,) = request.datasets
    data, facts = Extents(clouds), {"source": {"dataset": clouds.name}}
    said = lambda report: report.note("heights are at hand")
    return Prepared(Height(), data, data, "height", facts, {"clouds": len(clouds)}, said)
"""
ENTRIES = """[s4tok.datasets]
dice = their_dice:DICE
[s4tok.tokenizers]
pairs = their_dice:PAIRS
knn = their_dice:NOT_ASKED_FOR
[s4tok.superpoints]
halves = their_dice:halves
[s4tok.objectives]
height = their_heights:height
[s4tok.vision]
shades = their_shades:Shades
broken = their_dice:nothing_of_this_name
"""


@pytest.fixture
def their_package(tmp_path: Path) -> Path:
    """Put a package into a folder as pip would."""
    place = tmp_path / "site"
    about = place / "their_dice-1.0.dist-info"
    about.mkdir(parents=True)
    (place / "their_dice.py").write_text(MODULE)
    (place / "their_heights.py").write_text(OBJECTIVE)
    (place / "their_shades.py").write_text(VISION)
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


@pytest.fixture
def installed(their_package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the package in this process, whose tables have looked for plugins before."""
    tables = (DATASETS, OBJECTIVES, VISION_MODELS)
    monkeypatch.syspath_prepend(str(their_package))
    for table in tables:
        vars(table).pop("added", None)
    yield
    for table in tables:
        vars(table).pop("added", None)


@pytest.mark.usefixtures("installed")
def test_an_objective_of_a_plugin_is_trained_drawn_and_resumed_from_the_command_line(
    s4tok: Run, tmp_path: Path
) -> None:
    command = ("pretrain", "dice", "--objective", "height", "--batch", "1", "--lr", "0.1", "--json", "--out")
    done = s4tok(*command, tmp_path / "run", "--epochs", "8")
    assert done.returncode == 0, done.stderr
    assert (done.json["made"], done.json["present"], done.json["steps"]) == (16, 0, 16)
    rows = [json.loads(row) for row in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    errors = [row["total"] for row in rows if row["kind"] == "validation"]
    assert done.json["error"] == pytest.approx(min(errors), abs=1e-6)
    assert errors[-1] < errors[0]
    assert "heights are at hand" in done.stderr
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")
    about = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert (about["objective"], about["source"]) == ({"name": "height"}, {"dataset": "dice"})
    again = s4tok(*command, tmp_path / "run", "--epochs", "8", "--resume")
    assert (again.json["made"], again.json["present"]) == (0, 16)
    other = s4tok(*command, tmp_path / "run", "--epochs", "9", "--resume")
    assert (other.returncode, "training.epochs 8, not 9" in other.json["error"]) == (2, True)
    unknown = s4tok("pretrain", "dice", "--objective", "heigt", "--json")
    assert (unknown.returncode, unknown.json["hint"]) == (2, "did you mean 'height'?")


@pytest.mark.usefixtures("installed")
def test_a_vision_model_of_a_plugin_encodes_views_and_is_distilled(s4tok: Run, tmp_path: Path) -> None:
    cache = ("--cache", tmp_path / "cache", "--json")
    assert s4tok("superpoints", "dice", "--method", "grid", *cache).returncode == 0
    done = s4tok("extract-features", "dice", "--model", "shades", "--auto", *cache)
    assert (done.returncode, done.json["made"], done.json["failures"]) == (0, 2, [])
    small = ("--n-points", 100, "--n-tokens", 4, "--patch-size", 8, "--batch", 1, "--epochs", 1, "--preset", "quick")
    run = s4tok("pretrain", "dice", "--features", "shades", *small, *cache, "--out", tmp_path / "run")
    assert run.returncode == 0, run.stderr
    card = json.loads((tmp_path / "run" / "ckpt" / "last" / "config.json").read_text())
    assert (card["vision_model"], card["head"]["to"]) == ({"model": "shades", "weights": "none"}, 3)
    refused = s4tok("segment", "dice", "--labels", "a,b", "--split", "train", "--checkpoint", tmp_path / "run", *cache)
    assert refused.returncode == 2
    assert "was distilled from shades, which has no text encoder" in refused.json["error"]


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
