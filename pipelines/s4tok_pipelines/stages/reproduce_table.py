"""Make a table of the papers: its checkpoints, trained where that is asked for, on the datasets of its columns."""

import time
from collections.abc import Iterator

from s4tok import __version__
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import S4TokError
from s4tok.models.checkpoint import load_trained
from s4tok.models.checkpoint_files import find_checkpoint, read_card
from s4tok.models.detector_files import load_detector
from s4tok_cache.errors import CacheError
from s4tok_pipelines.report import Failure, Report
from s4tok_pipelines.stages.evaluator import Evaluator
from s4tok_pipelines.stages.table_work import TableWork
from s4tok_pipelines.tables.bars import draw_bars
from s4tok_pipelines.tables.finished import finished
from s4tok_pipelines.tables.group_losses import group_losses, losses_grid
from s4tok_pipelines.tables.result_table import Facts
from s4tok_pipelines.tables.spec import Asked, Method, Task
from s4tok_pipelines.tables.spec_tables import Measurements, by_category, result_table
from s4tok_pipelines.tables.written import Reproduced, Result, write_result


def reproduce_table(work: TableWork, report: Report) -> Reproduced:
    """Measure every row on every dataset of a table, and write JSON, Markdown, a picture and a page.

    Rows without a checkpoint say so; rows that are printed alone have the paper's figures. A result is kept and not
    computed twice, and training goes on where it was stopped.
    """
    start, spec, wanted = time.monotonic(), work.spec, work.wanted
    found = Measurements(work.worlds)
    for method, asked, clouds in work.cells():
        known = finished(wanted.checkpoints, method.finished.get(asked.task), clouds, asked.figures)
        found.results[method.name, asked.role] = known or _results(method.on(asked.role), asked, work, report)
    for asked in spec.asked:
        if asked.role in work.worlds and asked.task != "boxes":
            found.vision[asked.role] = _vision(asked.task, work.worlds[asked.role], work.evaluator, report)
    tables = [result_table(spec, work.methods, found)]
    if spec.by_category and "parts" in work.worlds:
        tables.append(by_category(spec, work.methods, found))
    notes, picture = _notes(work, found), f"{spec.name}.png"
    draw_bars(
        wanted.out / picture, tables, f"{spec.title} (quick: no result)" if wanted.is_quick else spec.title, notes
    )
    losses = group_losses(wanted.checkpoints, work.rows.trainer.folder) if spec.by_group else {}
    about = {"seconds": round(time.monotonic() - start, 3), **work.evaluator.facts()}
    if losses:
        about["group_losses"] = losses
    return write_result(
        wanted.out,
        Result(
            spec.name, spec.title, tables, notes, spec.source, about, spec.shows, (picture,), _failures(found),
            wanted.is_quick, [losses_grid(losses)] if losses else [],
        ),
    )  # fmt: skip


def _results(row: Method, asked: Asked, work: TableWork, report: Report) -> list[Facts]:
    """Measure a row's checkpoints on a dataset, trained before where that is asked for."""
    clouds, places, found = work.worlds[asked.role], work.rows.of(row), list[Facts]()
    for seed, place in enumerate(places):
        report.note(f"{row.title} on {clouds.name} {clouds.split}: checkpoint {seed + 1} of {len(places)}")
        found.append(_result(f"{row.names}-{seed}", place, row, asked, work))
    return found


def _result(name: str, place: str, row: Method, asked: Asked, work: TableWork) -> Facts:
    evaluator, clouds = work.evaluator, work.worlds[asked.role]
    device = evaluator.clip.device.type
    if asked.task == "boxes":
        return evaluator.boxes(name, load_detector(place, device), clouds)
    has_own = "backbone" in read_card(find_checkpoint(place))  # a transformer of its own, and no CLIP
    checkpoint = load_trained(place, None if has_own else evaluator.clip, device)
    if asked.task == "parts":
        return evaluator.parts(name, checkpoint, clouds)
    if asked.task == "objects":
        return evaluator.objects(name, checkpoint, clouds, 1.0)
    return (evaluator.on_segments if row.segments else evaluator.rooms)(name, checkpoint, clouds)


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


def _notes(work: TableWork, found: Measurements) -> list[str]:
    """Say what has to be known to read a table."""
    spec, wanted, evaluator = work.spec, work.wanted, work.evaluator
    world = "synthetic data and not the paper's datasets" if wanted.data is None else "the paper's datasets"
    asked = dict.fromkeys(each.role for each in spec.asked)
    each = [found.worlds[role] for role in asked if role in found.worlds]
    clouds = ", ".join(dict.fromkeys(f"{len(some)} clouds of {some.name} {some.split}" for some in each))
    notes = [f"Measured: {clouds}: {world}."] if clouds else []
    if any(each.paper for each in spec.asked):
        notes.append(f"Columns that say paper are printed from {spec.source}.")
    notes += [
        f"CLIP {evaluator.clip.name} ({evaluator.clip.sha256[:12]}), prompts {evaluator.prompts.name} "
        f"({evaluator.prompts.sha256[:12]}), s4tok {__version__}. In percent; with several seeds, mean ± deviation.",
        *spec.notes,
        *(f"Superpoints of {name}: {', '.join(sorted(cuts))}." for name, cuts in _superpoints(found).items() if cuts),
    ]
    absent = [
        each.title for each in work.methods
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
