"""Make a table of the papers: its checkpoints, trained where that is asked for, on the datasets of its columns."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s4tok import __version__
from s4tok.config import ZeroShotConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import S4TokError
from s4tok.models.checkpoint import load_trained
from s4tok_cache.errors import CacheError
from s4tok_pipelines.report import Failure, Report
from s4tok_pipelines.stages.evaluator import Evaluator
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.tables.bars import draw_bars
from s4tok_pipelines.tables.finished import finished
from s4tok_pipelines.tables.result_table import Facts
from s4tok_pipelines.tables.spec import Asked, Method, Spec, Task
from s4tok_pipelines.tables.spec_tables import Measurements, by_category, result_table
from s4tok_pipelines.tables.table2_checkpoints import find_checkpoints
from s4tok_pipelines.tables.worlds import open_roles
from s4tok_pipelines.tables.written import Reproduced, Result, write_result

MINI = ZeroShotConfig.clip


@dataclass(frozen=True)
class Wanted:
    """What of a table is made, and from what."""

    out: Path
    checkpoints: Path | None = None  # a folder of them; those that come with s4tok where None
    data: Path | None = None  # of the papers' datasets; the synthetic data where None
    rows: Sequence[str] = ()
    limit: int | None = None
    seeds: int = 1
    trains: bool = False  # checkpoints that are missing
    is_quick: bool = False


def reproduce_table(spec: Spec, wanted: Wanted, evaluator: Evaluator, trainer: Trainer, report: Report) -> Reproduced:
    """Measure every row on every dataset of a table, and write JSON, Markdown, a picture and a page.

    Rows without a checkpoint say so; rows that are printed alone have the paper's figures. A result is kept and not
    computed twice, and training goes on where it was stopped.
    """
    start = time.monotonic()
    methods = [each for each in spec.methods if not wanted.rows or each.name in wanted.rows]
    trained = [each for each in methods if each.recipe is not None] if wanted.trains else []
    needed = [asked.role for asked in spec.asked if any(not each.lacks for each in methods)]
    roles = [*needed, *(each.recipe.role for each in trained if each.recipe is not None)]
    worlds = open_roles(needed, wanted.data, evaluator.config, wanted.limit)
    worlds |= open_roles([role for role in roles if role not in needed], wanted.data, evaluator.config)
    places = {each.name: _places(each, spec, wanted, trainer, worlds) for each in methods if not each.lacks}
    found = Measurements(worlds)
    for method in methods:
        for asked in spec.asked:
            if asked.role in worlds and not method.lacks:
                clouds = worlds[asked.role]
                results = finished(wanted.checkpoints, method.finished, clouds) or _results(
                    method, asked, clouds, places[method.name], evaluator, report
                )
                found.results[method.name, asked.role] = results
    for asked in spec.asked:
        if asked.role in worlds:
            found.vision[asked.role] = _vision(asked.task, worlds[asked.role], evaluator, report)
    tables = [result_table(spec, methods, found)]
    if spec.by_category and "parts" in worlds:
        tables.append(by_category(spec, methods, found))
    notes, picture = _notes(spec, wanted, found, evaluator), f"{spec.name}.png"
    draw_bars(
        wanted.out / picture, tables, f"{spec.title} (quick: no result)" if wanted.is_quick else spec.title, notes
    )
    about = {"seconds": round(time.monotonic() - start, 3), **evaluator.facts()}
    return write_result(
        wanted.out,
        Result(
            spec.name, spec.title, tables, notes, spec.source, about, spec.shows, (picture,), _failures(found),
            wanted.is_quick,
        ),
    )  # fmt: skip


def _places(
    method: Method, spec: Spec, wanted: Wanted, trainer: Trainer, worlds: Mapping[str, CloudDataset]
) -> Sequence[str]:
    """Find a row's checkpoints, a seed each, or train them."""
    for folder in (wanted.checkpoints, trainer.folder):
        ships = folder is None and trainer.clip.model == MINI  # whose checkpoints come with s4tok
        found = find_checkpoints([method.names], folder)[method.names] if folder is not None or ships else []
        if found:
            return found
    if method.recipe is None or not wanted.trains:
        return []
    begin = ""
    if method.recipe.begin:
        first = next(
            (each for each in spec.methods if each.names == method.recipe.begin), Method(method.recipe.begin, "")
        )
        begun = _places(first, spec, wanted, trainer, worlds)
        if not begun:
            return []
        begin = begun[0]
    seeds = 1 if wanted.is_quick else wanted.seeds
    return [str(trainer.train(method, worlds[method.recipe.role], begin, seed)) for seed in range(seeds)]


def _results(
    method: Method, asked: Asked, clouds: CloudDataset, places: Sequence[str], evaluator: Evaluator, report: Report
) -> list[Facts]:
    """Measure a row's checkpoints on a dataset; nothing where they cannot do its task."""
    if asked.task not in method.tasks or not places or (method.segments and clouds.name != "scannet"):
        return []
    found: list[Facts] = []
    for seed, place in enumerate(places):
        report.note(f"{method.title} on {clouds.name} {clouds.split}: checkpoint {seed + 1} of {len(places)}")
        checkpoint, name = load_trained(place, evaluator.clip, evaluator.clip.device.type), f"{method.names}-{seed}"
        if asked.task == "parts":
            found.append(evaluator.parts(name, checkpoint, clouds))
        elif asked.task == "objects":
            found.append(evaluator.objects(name, checkpoint, clouds, 1.0))
        else:
            measure = evaluator.on_segments if method.segments else evaluator.rooms
            found.append(measure(name, checkpoint, clouds))
    return found


def _vision(task: Task, clouds: CloudDataset, evaluator: Evaluator, report: Report) -> Facts:
    """Measure the 2D model itself; empty, and told, where that cannot be."""
    report.note(f"the 2D model itself on {clouds.name} {clouds.split}")
    if task != "parts":
        return evaluator.vision(clouds)
    try:
        return evaluator.vision_parts(clouds)
    except (S4TokError, CacheError) as error:
        report.note(f"the 2D model itself is left out: {error}")
        return {}


def _notes(spec: Spec, wanted: Wanted, found: Measurements, evaluator: Evaluator) -> list[str]:
    """Say what has to be known to read a table."""
    world = "synthetic data and not the paper's datasets" if wanted.data is None else "the paper's datasets"
    asked = dict.fromkeys(each.role for each in spec.asked)
    clouds = ", ".join(
        f"{len(found.worlds[role])} clouds of {found.worlds[role].name} {found.worlds[role].split}"
        for role in asked if role in found.worlds
    )  # fmt: skip
    notes = [f"Measured: {clouds}: {world}."] if clouds else []
    notes += [
        f"Columns that say paper are printed from {spec.source}.",
        f"CLIP {evaluator.clip.name} ({evaluator.clip.sha256[:12]}), prompts {evaluator.prompts.name} "
        f"({evaluator.prompts.sha256[:12]}), s4tok {__version__}. In percent; with several seeds, mean ± deviation.",
        *spec.notes,
        *(f"Superpoints of {name}: {', '.join(sorted(cuts))}." for name, cuts in _superpoints(found).items() if cuts),
    ]
    absent = [
        each.title for each in spec.methods
        if not each.lacks and not any(found.results.get((each.name, role)) for role in asked)
    ]  # fmt: skip
    if absent:
        notes.append(
            f"There is no figure of {', '.join(absent)}: no checkpoint comes with s4tok or was found; "
            "--train trains those whose recipe the table has."
        )
    return notes


def _superpoints(found: Measurements) -> dict[str, set[str]]:
    cuts: dict[str, set[str]] = {}
    for (_, role), results in found.results.items():
        for facts in results:
            cuts.setdefault(found.worlds[role].name, set()).update(facts.get("superpoints") or ())
    return cuts


def _failures(found: Measurements) -> list[Failure]:
    """Name every cloud that failed once, whichever checkpoint it failed for."""
    return sorted({Failure(**each) for facts in _all(found) for each in facts["failures"]}, key=lambda f: f.key)


def _all(found: Measurements) -> Iterator[Facts]:
    for results in found.results.values():
        yield from results
