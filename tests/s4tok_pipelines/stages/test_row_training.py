from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from s4tok.config import FinetuneRecipe, Preset, RunConfig, VisionConfig
from s4tok.synthetic.datasets import ToyScans, ToyShapes
from s4tok_pipelines.stages.row_training import QUICK_BATCH, QUICK_CLOUDS, QUICK_EPOCHS, Trainer
from s4tok_pipelines.tables.spec import Method, Recipe

PRETRAINED = Method(
    "a", "A", recipe=Recipe("pretrain", "objects", {"training.loss": "assign", "clusters.n_clusters": 8})
)
PROBED = Method("b", "B", recipe=Recipe("finetune", "parts-train", {"task": "parts", "head.head": "probe"}, "a"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Stand in for both stages of training, and note what they are asked for."""
    asked: list[tuple[Any, ...]] = []
    for stage in ("pretrain", "finetune"):
        monkeypatch.setattr(
            f"s4tok_pipelines.stages.row_training.{stage}",
            lambda clouds, cache, config, *, out, **more: asked.append((clouds, config, out)),
        )
    return asked


def test_a_row_is_the_preset_with_its_changes(asked: list[tuple[Any, ...]], tmp_path: Path) -> None:
    clouds, trainer = ToyShapes("train"), Trainer(tmp_path, tmp_path, VisionConfig("mini"), "toy")
    trainer.train(PRETRAINED, clouds, "", 2)
    trainer.train(PROBED, clouds, "runs/a-0", 1)
    (given, config, pretrained), (_, recipe, out) = asked
    toy = RunConfig.of("toy")
    assert (len(given), pretrained) == (toy.limit, tmp_path / "a-2")
    assert (config.training.loss, config.clusters.n_clusters, config.training.seed) == ("assign", 8, 2)
    assert (config.training.epochs, config.clip.model) == (toy.training.epochs, "mini")
    assert (recipe.checkpoint, recipe.head.head, recipe.task, recipe.training.seed) == ("runs/a-0", "probe", "parts", 1)
    assert (recipe.training.epochs, out) == (FinetuneRecipe.of("toy").training.epochs, tmp_path / "b-1")


def test_a_quick_row_takes_at_most_sixty_steps_and_leaves_the_dataset_as_it_was(
    asked: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    clouds = ToyShapes("train")
    before = len(clouds)
    Trainer(tmp_path, tmp_path, VisionConfig("mini"), "toy", is_quick=True).train(PRETRAINED, clouds, "", 0)
    [(given, config, _)] = asked
    assert (len(given), len(clouds)) == (QUICK_CLOUDS, before)
    assert (config.training.epochs, config.training.batch) == (QUICK_EPOCHS, QUICK_BATCH)
    assert len(given) * config.training.epochs <= 60 * config.training.batch


def test_frames_are_trained_on_behind_a_teacher_and_boxes_with_a_preset_of_their_own(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, tmp_path, VisionConfig("mini"), "toy")
    stage2 = trainer.config(Recipe("pretrain", "scans", {}, "first", "sam-stage2"), "runs/first-0", 1)
    assert isinstance(stage2, RunConfig)
    assert (stage2.objective, stage2.teacher, stage2.limit) == ("masked_regions", "runs/first-0", 400)
    frames = trainer.clouds(ToyScans("train", sizes=(2, 0, 0)), stage2)
    assert frames.name == "toy-scans-frames"
    recipe = Recipe("detection", "scans", {"detector.encoder": "plain"}, preset="scannet", on_synthetic={"task": None})
    presets: dict[Preset, int] = {"toy": 4096, "paper": 40_000}
    for preset, points in presets.items():
        boxes = replace(trainer, preset=preset).config(recipe, "", 1)
        assert isinstance(boxes, FinetuneRecipe)
        assert (boxes.detector.encoder, boxes.detector.n_points, boxes.checkpoint) == ("plain", points, "none")
        assert boxes.task == (None if preset == "toy" else "detection")
