"""Tables on the official layouts, written from the synthetic data, with a ViT-B-16 of random weights."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch

from s4tok.models.checkpoint import save_trained
from s4tok.synthetic.layouts import write
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_pipelines.inputs.models import ModelNames
from s4tok_pipelines.stages.reproduce_by_name import Reproduction, reproduce_by_name
from s4tok_pipelines.tables.result_table import schema

pytestmark = pytest.mark.slow
SIZES = {"shapenetpart": (2, 0, 4), "modelnet40": (2, 0, 4), "scanobjectnn": (15, 0, 15), "scannet": (1, 1, 1),
         "s3dis": (0, 0, 1)}  # fmt: skip
SETTINGS: dict[str, Any] = {"n_points": 256, "n_tokens": 8, "patch_size": 16, "adapter_widths": (4, 8, 8)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for layout, sizes in SIZES.items():
        for _ in write(layout, folder / layout, sizes):
            pass
    return folder


@pytest.fixture(scope="module")
def asked(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Reproduction:
    clip, home = FrozenClip.load("ViT-B-16", ""), tmp_path_factory.mktemp("home")
    torch.manual_seed(0)
    card = {"clip": {"name": clip.name, "weights": clip.sha256}, "seed": 0, "window": 4.0}
    for name in ("s4token", "s4token-scans"):
        (home / name).mkdir()
        save_trained(home / name, build_tokenizer("s4token", width=768, **SETTINGS), card)
    names = ModelNames(clip="ViT-B-16", pretrained="", device="cpu")
    return Reproduction(home / "out", home / "cache", names, checkpoints=home, data=data, limit=1)


@pytest.mark.parametrize(
    ("name", "row", "datasets"),
    [
        ("table3", "s4token", ["shapenetpart"] * 3),
        ("table5", "s4token", ["modelnet40", "scanobjectnn-obj-only", "scanobjectnn-obj-bg", "scanobjectnn"]),
        ("table4", "s4token-scans", ["scannet"] * 3 + ["s3dis"] * 3),
    ],
)
def test_a_table_is_made_of_the_official_layouts(asked: Reproduction, name: str, row: str, datasets: list[str]) -> None:
    found = reproduce_by_name(name, asked)
    jsonschema.validate(found.facts, schema())
    table = found.facts["tables"][0]
    assert [column["dataset"] for column in table["columns"]] == datasets
    [mine] = [each for each in table["rows"] if each["name"] == row]
    assert all(cell["n"] == 1 and len(cell["each"]) == 1 for cell in mine["cells"])
    assert all(column["chance"] is not None for column in table["columns"])
    assert "the paper's datasets" in found.notes[0]
    if name == "table4":
        [segments] = [each for each in table["rows"] if each["name"] == "s4token-scans-segments"]
        assert [bool(cell["each"]) for cell in segments["cells"]] == [True] * 3 + [False] * 3
