import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from s4tok.config import (
    BackboneConfig,
    DetectionPreset,
    FinetunePreset,
    FinetuneRecipe,
    RunConfig,
    Speedups,
    detection_recipe,
)
from s4tok.synthetic.layouts import write
from s4tok_pipelines.report import Outcome
from tests.running import Run

Asked = list[tuple[FinetuneRecipe, dict[str, Any]]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Remember what the stage was asked for, and train nothing."""
    calls: Asked = []

    def stage(clouds: Any, cache: Path, recipe: FinetuneRecipe, **more: Any) -> Outcome:
        calls.append((recipe, {"clouds": clouds, "cache": cache, **more}))
        return Outcome(Path("runs/x"), made=5, figures={"validation": 0.5})

    monkeypatch.setattr("s4tok_pipelines.stages.finetune.finetune", stage)
    monkeypatch.setattr("s4tok.vision.weights.probe", lambda name, pretrained: None)
    return calls


@pytest.mark.parametrize("preset", get_args(FinetunePreset))
def test_a_preset_is_what_it_says(s4tok: Run, asked: Asked, preset: Any) -> None:
    done = s4tok("finetune", "toy-shapes", "--preset", preset)
    assert done.returncode == 0, done.stderr
    ((recipe, more),) = asked
    assert recipe == FinetuneRecipe.of(preset)
    assert (more["clouds"].split, [each.split for each in more["validation"]]) == ("train", ["val"])
    assert "best 50.0%" in done.stdout


@pytest.mark.parametrize("preset", get_args(DetectionPreset))
def test_a_preset_for_boxes_is_what_it_says(s4tok: Run, asked: Asked, preset: Any) -> None:
    flags = ("--task", "detection", "--queries", 9, "--set", "boxes.no_object=0.5", "--scene-encoder", "plain")
    done = s4tok("finetune", "toy-scans", "--preset", preset, *flags)
    assert done.returncode == 0, done.stderr
    ((recipe, _),) = asked
    known = detection_recipe(preset)
    detector = replace(known.detector, queries=9, encoder="plain")
    assert recipe == replace(known, detector=detector, boxes=replace(known.boxes, no_object=0.5))
    assert recipe.checkpoint == "none"


def test_a_preset_of_the_other_kind_is_refused(s4tok: Run, asked: Asked) -> None:
    for flags in (("--preset", "table1", "--task", "detection"), ("--preset", "scannet", "--task", "scenes")):
        done = s4tok("finetune", "toy-scans", *flags)
        assert done.returncode == 2
        assert f"preset {flags[1]} is for" in done.stderr
    assert not asked
    assert s4tok("finetune", "toy-scans", "--preset", "scannet").returncode == 0
    assert asked[0][0].task == "detection"


@pytest.mark.parametrize(
    ("flags", "wanted"), [("", (False, False)), ("--compile", (True, False)), ("--tf32", (False, True))]
)
def test_speedups_are_not_of_the_recipe(s4tok: Run, asked: Asked, flags: str, wanted: tuple[bool, bool]) -> None:
    assert s4tok("finetune", "toy-shapes", *["--preset", "toy"], *flags.split()).returncode == 0
    ((config, more),) = asked
    assert more["speedups"] == Speedups(*wanted)
    assert config == FinetuneRecipe.of("toy")


def test_flags_change_the_preset_and_nothing_else(s4tok: Run, asked: Asked) -> None:
    flags = (
        "--task objects --checkpoint none --clip mini --tokenizer knn+rpn --head probe --train head --shots 5 "
        "--balance --labels-fraction 0.5 --epochs 3 --batch 5 --lr 0.01 --n-points 99 --n-tokens 7 --seed 4 "
        "--limit 9 --window 2.5"
    )
    assert s4tok("finetune", "--source", "toy-shapes", *flags.split()).returncode == 0
    ((recipe, more),) = asked
    training = recipe.training
    assert (recipe.task, recipe.checkpoint, recipe.tokenizer.tokenizer) == ("objects", "none", "knn+rpn")
    assert (recipe.n_points, recipe.n_tokens, recipe.head.head) == (99, 7, "probe")
    assert (training.train, training.shots, training.balance, training.labels_fraction) == ("head", 5, True, 0.5)
    assert (training.epochs, training.batch, training.learning_rate, training.window) == (3, 5, 0.01, 2.5)
    assert training.scale_range == FinetuneRecipe.of("toy").training.scale_range
    assert len(more["clouds"]) == 9


@pytest.mark.parametrize("protocol", ["block-2048", "block-4096", "rooms"])
def test_a_protocol_sets_how_s3dis_is_cut(s4tok: Run, asked: Asked, protocol: Any) -> None:
    assert s4tok("finetune", "toy-rooms", "--preset", "tableA-s3dis", "--protocol", protocol).returncode == 0
    ((recipe, _),) = asked
    points, window = {"block-2048": (2048, 1), "block-4096": (4096, 1), "rooms": (16384, 4)}[protocol]
    assert (recipe.n_points, recipe.training.window, recipe.protocol) == (points, window, protocol)


def test_the_sam_guided_presets_have_the_sizes_of_pre_training_and_bridge3ds_groups_downstream() -> None:
    for preset, stage2, n_tokens in (("sam", "sam-stage2", 2048), ("sam-toy", "sam-stage2-toy", 128)):
        recipe, before = FinetuneRecipe.of(preset), RunConfig.of(stage2)  # type: ignore[arg-type]
        assert (recipe.tokenizer, recipe.backbone) == (before.tokenizer, before.backbone)
        assert (recipe.group_as, recipe.n_tokens, recipe.head.propagation) == ("knn", n_tokens, "nearest")
        assert (recipe.training.train, recipe.transformer, recipe.checkpoint) == ("all", "plain", "none")
        assert recipe.head.head_start == "nothing"


def test_a_plain_transformer_begins_from_nothing(s4tok: Run, asked: Asked) -> None:
    flags = "--transformer plain --group-as knn --backbone-width 32 --backbone-layers 2 --backbone-heads 4"
    assert s4tok("finetune", "toy-scans", "--checkpoint", "none", *flags.split()).returncode == 0
    ((recipe, _),) = asked
    assert (recipe.transformer, recipe.group_as, recipe.backbone) == ("plain", "knn", BackboneConfig(32, 2, 4))


def test_a_checkpoint_there_is_not_is_told_at_once(s4tok: Run, asked: Asked) -> None:
    done = s4tok("finetune", "toy-shapes", "--checkpoint", "universel")
    assert done.returncode == 2
    assert "universal" in done.stderr
    assert not asked


SMALL = [
    "--epochs",
    "1",
    "--batch",
    "2",
    "--n-points",
    "128",
    "--n-tokens",
    "8",
    "--windows-per-room",
    "2",
    "--auto",
    "--out",
    "run",
    "--json",
]
BEFORE_A_VIT = ["--checkpoint", "none", "--clip", "ViT-B-16", "--pretrained", ""]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "preset", "flags"),
    [
        ("shapenetpart", "table1", "--task parts --tokenizer knn"),
        ("shapenetpart", "tableA-parts", "--task parts"),
        ("modelnet40", "tableA-parts", "--task objects"),
        ("scanobjectnn", "tableA-parts", "--task objects --rotate 180"),
        ("s3dis", "tableA-s3dis", "--protocol block-2048"),
        ("s3dis", "tableA-s3dis", "--protocol block-4096"),
        ("s3dis", "tableA-s3dis", "--protocol rooms"),
        ("scannet", "tableA-parts", "--task scenes --window 4"),
    ],
)
def test_presets_run_on_published_layouts_before_a_vit_b_16(
    s4tok: Run, tmp_path: Path, layout: str, preset: str, flags: str
) -> None:
    for _ in write(layout, tmp_path / layout, {"s3dis": (2, 0, 1), "scannet": (1, 1, 0)}.get(layout, (4, 2, 0))):
        pass
    source = ["--dataset", "scanobjectnn"] if layout == "scanobjectnn" else []
    done = s4tok(
        "finetune", layout, *source, "--split", "train", "--preset", preset, *flags.split(), *SMALL, *BEFORE_A_VIT
    )
    assert done.returncode == 0, done.stderr
    assert done.json["made"] >= 1
    card = json.loads((tmp_path / "run" / "ckpt" / "last" / "config.json").read_text())
    assert card["clip"]["name"] == "ViT-B-16"
    assert ("protocol" in card) == (layout == "s3dis")


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "task"), [("sh3d-parts", "parts"), ("sh3d", "objects")])
def test_presets_run_on_furniture_before_a_vit_b_16(s4tok: Run, furniture: Path, dataset: str, task: str) -> None:
    some = ["--dataset", dataset, "--split", "all", "--limit", "6"]
    done = s4tok("finetune", furniture, *some, "--preset", "tableA-parts", "--task", task, *SMALL, *BEFORE_A_VIT)
    assert done.returncode == 0, done.stderr
    assert done.json["made"] >= 1


@pytest.mark.slow
def test_the_sam_guided_preset_runs_on_scannets_layout(s4tok: Run, tmp_path: Path) -> None:
    for _ in write("scannet", tmp_path / "scannet", (1, 1, 0)):
        pass
    done = s4tok("finetune", "scannet", "--split", "train", "--preset", "sam", *SMALL)
    assert done.returncode == 0, done.stderr
    card = json.loads((tmp_path / "run" / "ckpt" / "last" / "config.json").read_text())
    assert (card["backbone"]["width"], card["tokenizer"]["tokenizer"], card["window"]) == (256, "knn", 4.0)
