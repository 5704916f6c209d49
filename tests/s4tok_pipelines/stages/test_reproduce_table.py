"""A table on a small world; all weights are random: figures mean nothing, but are exact."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch

from s4tok.config import ReproduceConfig, SegmentConfig, SuperpointConfig, VisionConfig
from s4tok.models.checkpoint import save_trained
from s4tok.models.checkpoint_files import CARD
from s4tok.synthetic.datasets import ToyShapes
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.prompts import load_prompts
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.inputs.features import cut_of, features_of
from s4tok_pipelines.report import silent
from s4tok_pipelines.stages.evaluator import Evaluator
from s4tok_pipelines.stages.extract_features import extract_features
from s4tok_pipelines.stages.reproduce_table import reproduce_table
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.stages.superpoints import superpoints
from s4tok_pipelines.stages.table_work import TableWork, Wanted
from s4tok_pipelines.stamps import is_as
from s4tok_pipelines.tables.kept_results import KeptResults
from s4tok_pipelines.tables.result_table import schema
from s4tok_pipelines.tables.spec import SYNTHETIC_CUT, THREE_MEANS, Asked, Method, Recipe, Spec, printed
from s4tok_pipelines.tables.written import Reproduced

SPEC = Spec(
    "table9", "Nine", "a paper",
    (Asked("parts", "parts", THREE_MEANS, "ShapeNetPart"), Asked("modelnet40", "objects", {"accuracy": "accuracy"})),
    (
        printed("theirs", "Theirs", {("parts", "miou_i"): 0.5}),
        Method("ours", "Ours", {("parts", "miou_i"): 0.7}),
        Method("absent", "Absent", recipe=Recipe("pretrain", "objects", {"training.loss": "assign"})),
        Method("probed", "Probed", recipe=Recipe("finetune", "parts-train", {"task": "parts"}, "absent")),
    ),
    ("A note.",), "Nothing.", by_category=True, by_group=True,
)  # fmt: skip
Make = Callable[..., Reproduced]


@pytest.fixture
def make(make_clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make the table with a checkpoint of random weights in a folder."""
    clip = FrozenClip.load(str(make_clip(tmp_path / "tiny")))
    torch.manual_seed(0)
    (tmp_path / "home" / "ours-4").mkdir(parents=True)
    card = {"clip": {"name": clip.name, "weights": clip.sha256}, "seed": 4}
    settings: Any = {"n_points": 150, "n_tokens": 8, "patch_size": 8, "adapter_widths": (4, 8, 8)}
    save_trained(tmp_path / "home" / "ours-4", build_tokenizer("s4token", width=32, **settings), card)
    shapes = ToyShapes("test", sizes=(6, 0, 3), points=300)
    monkeypatch.setattr(
        "s4tok_pipelines.stages.table_work.open_roles", lambda roles, *_, **__: dict.fromkeys(roles, shapes)
    )

    def run(**changes: Any) -> Reproduced:
        kept = KeptResults(tmp_path / "out" / "results")
        model = VisionConfig(str(tmp_path / "tiny"))
        evaluator = Evaluator(
            clip, load_prompts("clip"), tmp_path / "cache", kept, ReproduceConfig(guesses=5), SegmentConfig(draws=10),
            1, silent, model,
        )  # fmt: skip
        trainer = Trainer(tmp_path / "trained", tmp_path / "cache", model, "toy")
        wanted = replace(Wanted(tmp_path / "out", tmp_path / "home"), **changes)
        return reproduce_table(TableWork.open(SPEC, wanted, evaluator, trainer), silent)

    return run


def test_rows_are_measured_once_beside_chance_the_2d_model_and_the_paper(make: Make) -> None:
    said = make().facts
    jsonschema.validate(said, schema())
    means, categories = said["tables"]
    assert [row["lacks"] for row in means["rows"]] == ["as printed", "", "", ""]
    ours = means["rows"][1]["cells"]
    assert [(cell["n"], cell["seeds"]) for cell in ours] == [(3, [4])] * 4
    assert (ours[1]["paper"], ours[1]["is_result"]) == (0.7, True)
    assert all(0 < column["chance"] < 1 for column in means["columns"])
    assert all(column["vision"] is not None for column in means["columns"])
    assert len(categories["columns"]) == 3
    assert not any(cell["each"] for row in means["rows"][2:] for cell in row["cells"])
    assert (said["results_made"], said["results_present"]) == (4, 0)
    again = make().facts
    assert (again["results_made"], again["results_present"]) == (0, 4)
    assert again["tables"] == said["tables"]


def test_the_2d_model_is_measured_over_the_same_superpoints_whatever_else_was_cut(make: Make, tmp_path: Path) -> None:
    shapes, cache, model = ToyShapes("test", sizes=(6, 0, 3), points=300), tmp_path / "cache", str(tmp_path / "tiny")
    other = SuperpointConfig.of("object", "default")
    superpoints(shapes, cache, other)  # as rows that are trained anew take them
    made = make().facts
    assert all(column["vision"] is not None for column in made["tables"][0]["columns"])
    (features,) = features_of(root_of(cache, shapes), {})
    assert is_as(cut_of(features), SuperpointConfig.of("object", SYNTHETIC_CUT))
    extract_features(shapes, cache, VisionConfig(model), superpoints=other)
    assert len(features_of(root_of(cache, shapes), {})) == 2
    again = make().facts
    assert (again["results_made"], again["results_present"]) == (0, made["results_made"])
    assert again["tables"] == made["tables"]


def test_it_is_written_in_four_forms_and_says_what_is_absent(make: Make, tmp_path: Path) -> None:
    made = make(rows=["ours", "absent"], is_quick=True)
    for ending in ("json", "md", "html", "png"):
        assert (tmp_path / "out" / f"table9.{ending}").stat().st_size > 500
    page = (tmp_path / "out" / "table9.md").read_text()
    assert "- Quick: few clouds, one seed" in page
    assert "(quick: no result)" in page
    assert "There is no figure of Absent: no checkpoint" in page
    assert "| Absent | none there | - |" in page
    assert made.notes[0].startswith("Quick")
    facts = json.loads((tmp_path / "out" / "table9.json").read_text())
    assert facts["quick"]
    assert not any(cell["is_result"] for table in facts["tables"] for row in table["rows"] for cell in row["cells"])


def test_losses_of_groups_stand_beside_where_runs_of_stage_1_have_them(make: Make, tmp_path: Path) -> None:
    run = tmp_path / "home" / "stage1-0"
    (run / "ckpt" / "last").mkdir(parents=True)
    (run / "ckpt" / "last" / CARD).write_text('{"steps": 5, "of": 5}')
    groups = {"group_l1": [0.02, 0.03], "group_regions": [4, 2], "group_sizes": [40, 20]}
    (run / "metrics.jsonl").write_text(json.dumps({"kind": "validation", "step": 5, **groups}) + "\n")
    made = make(rows=["ours"], is_quick=True)
    jsonschema.validate(json.loads((tmp_path / "out" / "table9.json").read_text()), schema())
    assert made.facts["group_losses"] == {"stage1": {"0": {"step": 5, **groups}}}
    assert made.grids[-1].rows == [["stage1", "1", "(30.0)", "(25.0)", "(20.0)"]]
    assert "Stage 1: mean L1 of regions" in (tmp_path / "out" / "table9.html").read_text()


def test_rows_that_are_missing_are_trained_what_they_begin_with_first(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trained: list[tuple[str, str, int]] = []

    def train(self: Trainer, method: Method, clouds: Any, begin: str, seed: int) -> None:
        trained.append((method.name, Path(begin).name, seed))
        folder = tmp_path / "trained" / f"{method.name}-{seed}"
        folder.mkdir(parents=True)
        for path in (tmp_path / "home" / "ours-4").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())

    monkeypatch.setattr(Trainer, "train", train)
    said = make(trains=True, seeds=2).facts
    assert trained == [("absent", "", 0), ("absent", "", 1), ("probed", "absent-0", 0), ("probed", "absent-1", 1)]
    assert all(len(row["cells"][0]["each"]) == 2 for row in said["tables"][0]["rows"][2:])
