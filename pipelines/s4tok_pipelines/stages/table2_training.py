"""New checkpoints for Table 2."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from s4tok.config import ReproduceConfig, RunConfig
from s4tok_pipelines.report import Report
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.tables.table2_checkpoints import SCAN_TRAINED
from s4tok_pipelines.tables.table2_worlds import Worlds


def train_checkpoints(
    worlds: Worlds,
    cache: Path,
    recipe: RunConfig,
    names: Sequence[str],
    folder: Path,
    config: ReproduceConfig,
    *,
    workers: int = 1,
    device: str = "cpu",
    report: Report,
) -> None:
    """Train a checkpoint of each row for each seed; what is trained already is passed over, what was stopped goes on.

    Some training clouds are held out to choose the best step by; the worlds checkpoints are asked about stay unseen.
    """
    for seed in range(config.seeds):
        for name in names:
            is_of_rooms = name == SCAN_TRAINED
            training = replace(recipe.training, seed=seed)
            if is_of_rooms:
                training = replace(training, window=config.train_window)
            tokenizer = replace(recipe.tokenizer, tokenizer="s4token" if is_of_rooms else name)
            report.note(f"training {name}, seed {seed}")
            pretrain(
                worlds.scans if is_of_rooms else worlds.objects, cache,
                replace(recipe, training=training, tokenizer=tokenizer),
                out=folder / f"{name}-{seed}", resume=True, auto=True, workers=workers, device=device, report=report,
            )  # fmt: skip
