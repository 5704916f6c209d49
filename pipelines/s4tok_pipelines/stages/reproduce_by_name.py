"""Reproduce tables and figures by their names, as the command line does."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from s4tok.config import (
    DATA_ROOT,
    Preset,
    ReproduceConfig,
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
from s4tok_pipelines.stages.plans import plan_figure, plan_table, plan_table2
from s4tok_pipelines.stages.reproduce import reproduce
from s4tok_pipelines.stages.reproduce_figure import clouds_of, reproduce_figure
from s4tok_pipelines.stages.reproduce_table import reproduce_table
from s4tok_pipelines.stages.row_checkpoints import RowCheckpoints
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.stages.table_work import TableWork, Wanted
from s4tok_pipelines.tables.costs import Plan
from s4tok_pipelines.tables.figures import FIGURE_SPECS
from s4tok_pipelines.tables.grid import Grid
from s4tok_pipelines.tables.kept_results import KeptResults
from s4tok_pipelines.tables.markdown import markdown
from s4tok_pipelines.tables.names import ALL, NAMES, REAL, TABLE_2
from s4tok_pipelines.tables.page import Part as PagePart
from s4tok_pipelines.tables.page import page
from s4tok_pipelines.tables.real_table import OF_CLIP, real_table
from s4tok_pipelines.tables.s4token_tables import TABLE2_ROWS
from s4tok_pipelines.tables.spec import SYNTHETIC_CUT
from s4tok_pipelines.tables.table import SPECS
from s4tok_pipelines.tables.table2_checkpoints import NAMES as ROWS_2
from s4tok_pipelines.tables.table2_checkpoints import is_checkpoint
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

    @property
    def is_timed(self) -> bool:
        """Tell whether it is known how long things take: of the synthetic data and the mini CLIP."""
        return self.data is None and self.clip.model == ZeroShotConfig.clip

    def as_quick(self) -> "Reproduction":
        """Give the numbers of a run that shows no more than that everything works; its checkpoints stay its own."""
        config = replace(self.config, scales=(0.3, 1.0), shapes=QUICK_LIMIT, seeds=1, guesses=10)
        trained = self.out / f"{CHECKPOINTS}-quick"
        return replace(self, config=config, limit=self.limit or QUICK_LIMIT, trains=True, trained=trained)

    def evaluator(self, report: Report) -> Evaluator:
        """Load the CLIP and its prompts, with which everything is measured."""
        device = pick_device(self.names.device)
        return Evaluator(
            FrozenClip.load(self.clip.model, self.clip.pretrained, device),
            load_prompts(self.names.prompts or set_for(self.clip.model)),
            self.cache,
            KeptResults(self.out / RESULTS),
            self.config,
            SegmentConfig(),
            self.workers,
            report,
            self.clip,
            SYNTHETIC_CUT if self.data is None else "default",
        )


@dataclass(frozen=True)
class Part:
    """A table or figure whose datasets are open: how much it has to do, and how it is made."""

    plan: Callable[[], Plan]
    make: Callable[[], Reproduced]


def reproduce_by_name(name: str, asked: Reproduction, report: Report = silent) -> Reproduced:
    """Make a table or figure, or all of them and a page; how much there is to do is told before.

    Raises:
        UsageError: For a name or a row there is not.
        InputError: For datasets that are missing, before anything is made.
        MissingError: Where Table 2 has no checkpoint for any row.
    """
    choose("table or figure", name, dict.fromkeys((*NAMES, REAL, ALL)))
    _require_rows(name, asked.rows)
    asked = asked.as_quick() if asked.is_quick else asked
    evaluator = asked.evaluator(report)
    if name == ALL:
        return _all(asked, evaluator, report)
    part = _open(name, asked, evaluator, report)
    report.note(part.plan().said(name, is_known=asked.is_timed))
    return part.make()


def _open(name: str, asked: Reproduction, evaluator: Evaluator, report: Report) -> Part:
    """Open a table or figure."""
    evaluator = evaluator._replace(kept=KeptResults(evaluator.kept.folder))  # counts what is made for this one
    trainer = Trainer(
        asked.folder, asked.cache, asked.clip, asked.recipe, asked.is_quick, asked.workers,
        evaluator.clip.device.type, report,
    )  # fmt: skip
    if name == TABLE_2:
        return _table_2(asked, trainer, evaluator, report)
    trains = asked.trains or (asked.data is not None and asked.checkpoints is None and name != REAL)
    data = asked.data or (DATA_ROOT if name == REAL else None)
    wanted = Wanted(
        asked.out, asked.checkpoints, data, asked.rows, asked.limit, asked.config.seeds, trains, asked.is_quick
    )
    if name in FIGURE_SPECS:
        figure = FIGURE_SPECS[name]
        clouds = clouds_of(figure, wanted, evaluator)
        made = partial(reproduce_figure, figure, wanted, evaluator, report)
        return Part(partial(plan_figure, name, clouds, evaluator), made)
    spec = real_table(data or DATA_ROOT, _tested(asked)) if name == REAL else SPECS[name]
    work = TableWork.open(spec, wanted, evaluator, trainer)
    return Part(partial(plan_table, work), partial(reproduce_table, work, report))


def _tested(asked: Reproduction) -> list[str]:
    """Name the checkpoints that real data are asked of: the rows, those of a folder, or those of the CLIP."""
    if asked.rows or asked.checkpoints is None:
        return list(asked.rows or OF_CLIP.get(asked.clip.model, ()))
    return sorted({re.sub(r"-\d+$", "", path.name) for path in asked.checkpoints.iterdir() if is_checkpoint(path)})


def _table_2(asked: Reproduction, trainer: Trainer, evaluator: Evaluator, report: Report) -> Part:
    """Open Table 2, with the checkpoints of a folder, or new ones, or those that come with s4tok."""
    wanted = list(asked.rows or ROWS_2)
    worlds = open_worlds(asked.data, asked.config, asked.limit)
    trains = (asked.trains and not asked.is_quick) or (asked.data is not None and asked.checkpoints is None)
    given = asked.folder if trains else asked.checkpoints
    known = {"objects": worlds.objects, "scans": worlds.scans}
    rows = RowCheckpoints(TABLE2_ROWS, given, trainer, trains, asked.config.seeds, known)
    methods = [TABLE2_ROWS.find(name) for name in wanted]

    def make() -> Reproduced:
        places = {each.name: rows.of(each) for each in methods}
        return reproduce(worlds, places, asked.out, evaluator, is_quick=asked.is_quick)

    return Part(partial(plan_table2, worlds, methods, rows, evaluator), make)


def _all(asked: Reproduction, evaluator: Evaluator, report: Report) -> Reproduced:
    """Make every table and figure, each in a folder of its name, and one page of them all.

    One that cannot be made is named with its reason, and the others are made; results and checkpoints are shared.
    """
    start, done, rows, failures = time.monotonic(), list[PagePart](), list[list[str]](), list[Failure]()
    parts, reasons = _opened(asked, evaluator, report)
    for place, name in enumerate(NAMES, start=1):
        begun = time.monotonic()
        try:
            if name in reasons:
                raise reasons[name]
            report.note(parts[name].plan().said(f"{name}, {place} of {len(NAMES)}", is_known=asked.is_timed))
            found = parts[name].make()
        except (S4TokError, CacheError) as error:
            failures.append(Failure(name, str(error)))
            rows.append([name, f"not made: {error}", "-", "-"])
            continue
        done.append((found.out, found.facts, found.grids))
        failures += [Failure(f"{name}: {each.key}", each.reason) for each in found.failures]
        cells = sum(
            1 for table in found.facts["tables"] for row in table["rows"] for cell in row["cells"] if cell["each"]
        )
        rows.append([name, found.facts["tables"][0]["title"], str(cells), f"{time.monotonic() - begun:,.0f} s"])
    overview = Grid(TITLE, ["name", "what it is", "cells measured", "time"], rows)
    notes = ["Quick: no cell is a result."] if asked.is_quick else []
    write_whole(asked.out / "index.html", page(TITLE, done, overview).encode(), parents=True)
    write_whole(asked.out / "index.md", markdown(TITLE, [overview], notes).encode(), parents=True)
    facts = {
        "table": ALL, "made": [each["table"] for _, each, _ in done], "page": str(asked.out / "index.html"),
        "seconds": round(time.monotonic() - start, 3),
    }  # fmt: skip
    write_json(asked.out / "index.json", facts)
    return Reproduced(
        asked.out, [overview], [*notes, f"All of it on one page: {asked.out / 'index.html'}"], facts, failures
    )


def _opened(
    asked: Reproduction, evaluator: Evaluator, report: Report
) -> tuple[dict[str, Part], dict[str, S4TokError | CacheError]]:
    """Open everything, and say before anything is made what cannot be, and how much there is to do."""
    parts, reasons = dict[str, Part](), dict[str, S4TokError | CacheError]()
    for name in NAMES:
        try:
            parts[name] = _open(name, replace(asked, out=asked.out / name, trained=asked.folder), evaluator, report)
        except (S4TokError, CacheError) as error:
            reasons[name] = error
            report.warn(f"{name} cannot be made: {error}")
    whole = sum((each.plan() for each in parts.values()), Plan())
    report.note(whole.said(f"{len(parts)} tables and figures", is_known=asked.is_timed))
    return parts, reasons


def _require_rows(name: str, rows: Sequence[str]) -> None:
    if name == REAL:
        return
    if rows and name in (ALL, *FIGURE_SPECS):
        raise UsageError(f"{name} has no rows to choose from.", "leave --rows out.")
    for row in rows:
        choose("row", row, dict.fromkeys(ROWS_2 if name == TABLE_2 else [each.name for each in SPECS[name].methods]))
