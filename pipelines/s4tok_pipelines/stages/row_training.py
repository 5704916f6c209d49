"""Train the checkpoints of a table's rows: what was stopped goes on."""

from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from s4tok.config import FinetuneRecipe, Preset, RunConfig, VisionConfig, detection_recipe
from s4tok.config.kinds import DetectionPreset, FinetunePreset, PretrainPreset
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.frame_clouds import FrameClouds
from s4tok.fields import changed
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stages.finetune import finetune
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.tables.spec import Method, Recipe

QUICK_CLOUDS, QUICK_ROOMS, QUICK_EPOCHS, QUICK_BATCH = 24, 2, 3, 8  # nine steps


@dataclass(frozen=True)
class Trainer:
    """How rows are trained, and where they go."""

    folder: Path
    cache: Path
    clip: VisionConfig
    preset: Preset
    is_quick: bool = False
    workers: int = 1
    device: str = "cpu"
    report: Report = silent

    def train(self, method: Method, clouds: CloudDataset, begin: str, seed: int) -> None:
        """Train a row's checkpoint for a seed, on the dataset of its recipe; `begin` is what it is begun with."""
        assert method.recipe is not None
        config = self.config(method.recipe, begin, seed)
        self.report.note(f"training {method.names}, seed {seed}")
        clouds, out = self.clouds(clouds, config), self.folder / f"{method.names}-{seed}"
        if isinstance(config, RunConfig):
            pretrain(
                clouds, self.cache, config, out=out, resume=True, auto=True, workers=self.workers, device=self.device,
                report=self.report,
            )  # fmt: skip
        else:
            finetune(
                clouds, self.cache, config, out=out, resume=True, auto=True, workers=self.workers, device=self.device,
                report=self.report,
            )  # fmt: skip

    def clouds(self, clouds: CloudDataset, config: RunConfig | FinetuneRecipe) -> CloudDataset:
        """Give what is trained on: clouds or their frames, as many as the recipe takes."""
        chosen = copy(clouds)
        if self.is_quick:
            chosen.keys = clouds.keys[: QUICK_ROOMS if clouds.scene == "room" else QUICK_CLOUDS]
        if isinstance(config, RunConfig):
            chosen = FrameClouds(chosen) if config.clouds == "frames" else chosen
            chosen.keys = chosen.keys[: QUICK_CLOUDS if self.is_quick else config.limit]
        return chosen

    def config(self, recipe: Recipe, begin: str, seed: int) -> RunConfig | FinetuneRecipe:
        """Give the recipe with all its numbers."""
        changes = {**recipe.changes, **(recipe.on_synthetic if self.preset != "paper" else {})}
        if recipe.kind == "pretrain":
            return self._pretraining(recipe, changes, begin, seed)
        config = self._detecting(recipe) if recipe.kind == "detection" else self._finetuning(recipe, bool(begin))
        changes.pop("protocol", None)
        config = changed(config, {**({"checkpoint": begin} if begin else {}), **changes})
        training = replace(config.training, seed=seed)
        if self.is_quick:
            training = replace(training, epochs=QUICK_EPOCHS, batch=QUICK_BATCH, repeats=min(training.repeats, 4))
            if recipe.kind == "finetune":  # scenes with boxes are read whole
                training = replace(training, windows=2)
        return replace(config, training=training)

    def _named(self, recipe: Recipe) -> str:
        """Name a preset of its own: on the synthetic data its small sister."""
        return recipe.preset if self.preset == "paper" else f"{recipe.preset}-toy"

    def _pretraining(self, recipe: Recipe, changes: dict[str, object], begin: str, seed: int) -> RunConfig:
        preset = cast(PretrainPreset, self._named(recipe)) if recipe.preset else self.preset
        config = changed(replace(RunConfig.of(preset), clip=self.clip, teacher=begin or None), changes)
        training = replace(config.training, seed=seed)
        if self.is_quick:
            training = replace(training, epochs=QUICK_EPOCHS, batch=QUICK_BATCH, windows=min(training.windows, 8))
        return replace(config, training=training)

    def _detecting(self, recipe: Recipe) -> FinetuneRecipe:
        return detection_recipe(cast(DetectionPreset, recipe.preset) if self.preset == "paper" else "toy")

    def _finetuning(self, recipe: Recipe, is_begun: bool) -> FinetuneRecipe:
        protocol = recipe.changes.get("protocol")
        if recipe.preset:
            return FinetuneRecipe.of(cast(FinetunePreset, self._named(recipe)))
        if self.preset == "paper":
            of_parts: FinetunePreset = "tableA-parts" if is_begun else "table1"
            config = FinetuneRecipe.of("tableA-s3dis" if protocol else of_parts, protocol)
        else:  # the synthetic rooms are far fewer: a protocol's points and columns, with the toy preset's schedule
            config, usual = FinetuneRecipe.of("toy", protocol), FinetuneRecipe.of("toy").training
            training = replace(
                config.training, epochs=usual.epochs, batch=usual.batch, windows=min(config.training.windows, 8)
            )
            config = replace(config, training=training, point_features=())
        return replace(config, clip=self.clip.model, pretrained=self.clip.pretrained)
