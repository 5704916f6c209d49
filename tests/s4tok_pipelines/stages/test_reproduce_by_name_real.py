"""Tables on the official layouts, written from the synthetic data, with a ViT-B-16 of random weights."""

from dataclasses import replace
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
SIZES = {"shapenet55": (4, 0, 2), "shapenetpart": (4, 0, 4), "modelnet40": (2, 0, 4), "scanobjectnn": (15, 0, 15),
         "scannet": (1, 1, 1), "s3dis": (1, 0, 1), "sunrgbd": (1, 0, 1)}  # fmt: skip
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
    for name in ("s4token", "s4token-scans", "table7-clusters-8"):
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


@pytest.mark.parametrize(
    ("name", "rows", "datasets"),
    [
        ("table1", ["table1-knn"], {"shapenetpart"}),
        ("table6", ["table6-assign", "table6-assign-probe"], {"shapenetpart"}),
        ("table7", ["table7-clusters-8"], {"shapenetpart"}),
        ("tableA", ["tableA-parts", "tableA-parts-anew", "tableA-block-2048"], {"shapenetpart", "s3dis"}),
        ("sam-detection", ["sam-3detr", "sam-groupfree3d"], {"sunrgbd-v1", "scannet"}),
        ("sam-segmentation", ["sam-all"], {"s3dis", "scannet"}),
        ("sam-ablation", ["sam-plain", "sam-dense"], {"s3dis", "scannet"}),
    ],
)
def test_rows_are_trained_on_the_official_layouts_and_measured(
    asked: Reproduction, name: str, rows: list[str], datasets: set[str], tmp_path: Path
) -> None:
    wanted = replace(asked, out=tmp_path, rows=rows, is_quick=True, preset="toy")
    found = reproduce_by_name(name, wanted)
    jsonschema.validate(found.facts, schema())
    table = found.facts["tables"][0]
    assert {column["dataset"] for column in table["columns"]} == datasets
    measured = {
        table["columns"][place]["dataset"]
        for row in table["rows"] for place, cell in enumerate(row["cells"]) if cell["each"]
    }  # fmt: skip
    assert measured == datasets
    assert all(any(cell["n"] for cell in row["cells"]) for row in table["rows"])
    again = reproduce_by_name(name, wanted).facts
    assert (again["results_made"], again["tables"]) == (0, found.facts["tables"])


def test_table_2_is_made_of_the_official_layouts(asked: Reproduction, tmp_path: Path) -> None:
    found = reproduce_by_name("table2", replace(asked, out=tmp_path, rows=["s4token", "s4token-scans"]))
    jsonschema.validate(found.facts, schema())
    rooms, sweep, _ = found.facts["tables"]
    assert [column["dataset"] for column in rooms["columns"]] == ["scannet"] * 2 + ["s3dis"] * 2
    assert {column["dataset"] for column in sweep["columns"]} == {"shapenet55"}
    [s4token, *_] = [row for row in rooms["rows"] if row["name"] == "s4token"]
    assert all(cell["n"] == 1 for cell in s4token["cells"])
    assert "the paper's datasets" in found.notes[0]
