"""Reproduce tables and figures by their names, as the command line does."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from s4tok.config import (
    DATA_ROOT,
    DEFAULT_CHECKPOINTS,
    Preset,
    ReproduceConfig,
    RunConfig,
    SegmentConfig,
    VisionConfig,
    ZeroShotConfig,
)
from s4tok.device import pick_device
from s4tok.errors import S4TokError, UsageError, choose
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.prompts import load_prompts, set_for
from s4tok_cache.errors import CacheError
from s4tok_cache.files import write_whole
from s4tok_pipelines.inputs.models import ModelNames
from s4tok_pipelines.outputs.results import write_json
from s4tok_pipelines.paths import CACHE
from s4tok_pipelines.report import Failure, Report, silent
from s4tok_pipelines.stages.evaluator import Evaluator
from s4tok_pipelines.stages.reproduce import reproduce
from s4tok_pipelines.stages.reproduce_figure import reproduce_figure
from s4tok_pipelines.stages.reproduce_table import Wanted, reproduce_table
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.stages.table2_training import train_checkpoints
from s4tok_pipelines.tables.figures import FIGURE_SPECS
from s4tok_pipelines.tables.grid import Grid
from s4tok_pipelines.tables.kept_results import KeptResults
from s4tok_pipelines.tables.markdown import markdown
from s4tok_pipelines.tables.names import ALL, NAMES, REAL, TABLE_2
from s4tok_pipelines.tables.page import page
from s4tok_pipelines.tables.real_table import real_table
from s4tok_pipelines.tables.table import SPECS
from s4tok_pipelines.tables.table2_checkpoints import NAMES as ROWS_2
from s4tok_pipelines.tables.table2_checkpoints import TRAINED, find_checkpoints, is_checkpoint
from s4tok_pipelines.tables.table2_worlds import open_worlds
from s4tok_pipelines.tables.written import Reproduced

RESULTS, CHECKPOINTS = "results", "checkpoints"
QUICK_LIMIT = 2  # clouds of each dataset
TITLE = "Tables and figures of both papers, reproduced"


@dataclass(frozen=True)
class Reproduction:
    """What is reproduced, from what, and by which models."""

    out: Path
    cache: Path = CACHE
    names: ModelNames = ModelNames()  # noqa: RUF009 - it cannot change
    config: ReproduceConfig = ReproduceConfig()  # noqa: RUF009 - as above
    rows: Sequence[str] = ()
    checkpoints: Path | None = None  # a folder of them; those that come with s4tok where None
    trains: bool = False  # checkpoints that are missing
    preset: Preset | None = None  # toy, or paper with data
    data: Path | None = None  # a folder with the papers' datasets; the synthetic data where None
    limit: int | None = None
    is_quick: bool = False  # few clouds, one seed, at most 60 steps a row: shows that everything works
    workers: int = 1
    trained: Path | None = None  # where checkpoints go that are trained; below `out` where None

    @property
    def clip(self) -> VisionConfig:
        """Name the CLIP."""
        return VisionConfig(self.names.clip or ZeroShotConfig.clip, self.names.pretrained)

    @property
    def recipe(self) -> Preset:
        """Name the preset that rows are trained by."""
        return self.preset or ("toy" if self.data is None else "paper")

    @property
    def folder(self) -> Path:
        """Say where checkpoints go that are trained."""
        return self.trained or self.checkpoints or self.out / CHECKPOINTS

    def as_quick(self) -> "Reproduction":
        """Give the numbers of a run that shows no more than that everything works."""
        config = replace(self.config, scales=(0.3, 1.0), shapes=QUICK_LIMIT, seeds=1, guesses=10)
        return replace(self, config=config, limit=self.limit or QUICK_LIMIT, trains=True)


def reproduce_by_name(name: str, asked: Reproduction, report: Report = silent) -> Reproduced:
    """Make a table or figure, or all of them and a page.

    Raises:
        UsageError: For a name or a row there is not.
        InputError: For datasets that are missing, before anything is made.
        MissingError: Where Table 2 has no checkpoint for any row.
    """
    choose("table or figure", name, dict.fromkeys((*NAMES, REAL, ALL)))
    _require_rows(name, asked.rows)
    asked = asked.as_quick() if asked.is_quick else asked
    if name == ALL:
        return _all(asked, report)
    return _one(name, asked, asked.out / RESULTS, report)


def _one(name: str, asked: Reproduction, results: Path, report: Report) -> Reproduced:
    if name == TABLE_2:
        return _table_2(asked, report, results)
    prompts = load_prompts(asked.names.prompts or set_for(asked.clip.model))
    device = pick_device(asked.names.device)
    clip = FrozenClip.load(asked.clip.model, asked.clip.pretrained, device)
    evaluator = Evaluator(
        clip,
        prompts,
        asked.cache,
        KeptResults(results),
        asked.config,
        SegmentConfig(),
        asked.workers,
        report,
        asked.clip,
    )
    wanted = Wanted(
        asked.out, asked.checkpoints, asked.data, asked.rows, asked.limit, asked.config.seeds,
        asked.trains or (asked.data is not None and asked.checkpoints is None and name != REAL), asked.is_quick,
    )  # fmt: skip
    if name == REAL:
        wanted = replace(wanted, data=asked.data or DATA_ROOT)
    if name in FIGURE_SPECS:
        return reproduce_figure(FIGURE_SPECS[name], wanted, evaluator, report)
    trainer = Trainer(
        asked.folder, asked.cache, asked.clip, asked.recipe, asked.is_quick, asked.workers, device, report
    )
    spec = real_table(asked.data or DATA_ROOT, _tested(asked)) if name == REAL else SPECS[name]
    return reproduce_table(spec, wanted, evaluator, trainer, report)


def _tested(asked: Reproduction) -> list[str]:
    """Name the checkpoints that real data are asked of: the rows, those of a folder, or the two that are used."""
    if asked.rows or asked.checkpoints is None:
        return list(asked.rows or DEFAULT_CHECKPOINTS.values())
    return sorted({re.sub(r"-\d+$", "", path.name) for path in asked.checkpoints.iterdir() if is_checkpoint(path)})


def _table_2(asked: Reproduction, report: Report, results: Path) -> Reproduced:
    """Make Table 2 with the checkpoints of a folder, or new ones, or those that come with s4tok."""
    wanted = list(asked.rows or ROWS_2)
    prompts, device = load_prompts(asked.names.prompts or set_for(asked.clip.model)), pick_device(asked.names.device)
    recipe = replace(RunConfig.of(asked.recipe), clip=asked.clip)
    worlds = open_worlds(asked.data, asked.config, asked.limit, recipe.limit)
    checkpoints = asked.checkpoints
    if (asked.trains and not asked.is_quick) or (asked.data is not None and checkpoints is None):
        checkpoints = asked.folder
        train_checkpoints(
            worlds, asked.cache, recipe, [row for row in wanted if row in TRAINED], checkpoints, asked.config,
            workers=asked.workers, device=device, report=report,
        )  # fmt: skip
    clip = FrozenClip.load(asked.clip.model, asked.clip.pretrained, device)
    places = find_checkpoints(wanted, checkpoints)
    return reproduce(
        worlds, asked.cache, clip, prompts, places, asked.out, asked.config, results=results,
        is_quick=asked.is_quick, workers=asked.workers, device=device, report=report,
    )  # fmt: skip


def _all(asked: Reproduction, report: Report) -> Reproduced:
    """Make every table and figure, each in a folder of its name, and one page of them all.

    One that cannot be made is named with its reason, and the others are made; results and checkpoints are shared.
    """
    start, parts, rows, failures = time.monotonic(), [], list[list[str]](), list[Failure]()
    report.note(f"{len(NAMES)} tables and figures; what is there already is passed over")
    for place, name in enumerate(NAMES, start=1):
        report.note(f"{name}: {place} of {len(NAMES)}")
        begun = time.monotonic()
        try:
            found = _one(name, replace(asked, out=asked.out / name, trained=asked.folder), asked.out / RESULTS, report)
        except (S4TokError, CacheError) as error:
            failures.append(Failure(name, str(error)))
            rows.append([name, f"not made: {error}", "-", "-"])
            continue
        parts.append((found.out, found.facts, found.grids))
        failures += [Failure(f"{name}: {each.key}", each.reason) for each in found.failures]
        cells = sum(
            1 for table in found.facts["tables"] for row in table["rows"] for cell in row["cells"] if cell["each"]
        )
        rows.append([name, found.facts["tables"][0]["title"], str(cells), f"{time.monotonic() - begun:,.0f} s"])
    overview = Grid(TITLE, ["name", "what it is", "cells measured", "time"], rows)
    notes = ["Quick: no cell is a result."] if asked.is_quick else []
    write_whole(asked.out / "index.html", page(TITLE, parts, overview).encode(), parents=True)
    write_whole(asked.out / "index.md", markdown(TITLE, [overview], notes).encode(), parents=True)
    facts = {
        "table": ALL, "made": [each["table"] for _, each, _ in parts], "page": str(asked.out / "index.html"),
        "seconds": round(time.monotonic() - start, 3),
    }  # fmt: skip
    write_json(asked.out / "index.json", facts)
    return Reproduced(
        asked.out, [overview], [*notes, f"All of it on one page: {asked.out / 'index.html'}"], facts, failures
    )


def _require_rows(name: str, rows: Sequence[str]) -> None:
    if name == REAL:
        return
    if rows and name in (ALL, *FIGURE_SPECS):
        raise UsageError(f"{name} has no rows to choose from.", "leave --rows out.")
    for row in rows:
        choose("row", row, dict.fromkeys(ROWS_2 if name == TABLE_2 else [each.name for each in SPECS[name].methods]))
