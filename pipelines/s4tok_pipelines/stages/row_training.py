"""Train the checkpoints of a table's rows: what is trained already is passed over, what was stopped goes on."""

from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

from s4tok.config import FinetuneRecipe, Preset, RunConfig, VisionConfig
from s4tok.config.kinds import FinetunePreset
from s4tok.datasets.dataset import CloudDataset
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

    def train(self, method: Method, clouds: CloudDataset, begin: str, seed: int) -> Path:
        """Train a row's checkpoint for a seed, on the dataset of its recipe; `begin` is what it is fine-tuned from."""
        assert method.recipe is not None
        out = self.folder / f"{method.names}-{seed}"
        if self.is_quick:
            clouds = copy(clouds)
            clouds.keys = clouds.keys[: QUICK_ROOMS if clouds.scene == "room" else QUICK_CLOUDS]
        self.report.note(f"training {method.names}, seed {seed}")
        if method.recipe.kind == "pretrain":
            pretrain(
                clouds, self.cache, self._pretraining(method.recipe, seed), out=out, resume=True, auto=True,
                workers=self.workers, device=self.device, report=self.report,
            )  # fmt: skip
        else:
            finetune(
                clouds, self.cache, self._finetuning(method.recipe, begin, seed), out=out, resume=True, auto=True,
                workers=self.workers, device=self.device, report=self.report,
            )  # fmt: skip
        return out

    def _pretraining(self, recipe: Recipe, seed: int) -> RunConfig:
        config = changed(replace(RunConfig.of(self.preset), clip=self.clip), dict(recipe.changes))
        training = replace(config.training, seed=seed)
        if self.is_quick:
            training = replace(training, epochs=QUICK_EPOCHS, batch=QUICK_BATCH, windows=min(training.windows, 8))
        return replace(config, training=training)

    def _finetuning(self, recipe: Recipe, begin: str, seed: int) -> FinetuneRecipe:
        changes = {"checkpoint": begin, **recipe.changes} if begin else dict(recipe.changes)
        protocol = changes.pop("protocol", None)
        if self.preset == "paper":
            of_parts: FinetunePreset = "tableA-parts" if begin else "table1"
            config = FinetuneRecipe.of("tableA-s3dis" if protocol else of_parts, protocol)
        else:  # the synthetic rooms are far fewer: a protocol's points and columns, with the toy preset's schedule
            config, usual = FinetuneRecipe.of("toy", protocol), FinetuneRecipe.of("toy").training
            training = replace(
                config.training, epochs=usual.epochs, batch=usual.batch, windows=min(config.training.windows, 8)
            )
            config = replace(config, training=training, point_features=())
        config = changed(replace(config, clip=self.clip.model, pretrained=self.clip.pretrained), changes)
        training = replace(config.training, seed=seed)
        if self.is_quick:
            training = replace(training, epochs=QUICK_EPOCHS, batch=QUICK_BATCH, windows=2)
        return replace(config, training=training)
