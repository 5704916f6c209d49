"""Reproduce Table 2 of the paper: checkpoints evaluated in rooms, and on objects of other sizes."""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from s4tok import __version__
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import MissingError
from s4tok.models.checkpoint import TrainedModel, load_trained
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.prompts import Prompts
from s4tok_pipelines.report import Failure
from s4tok_pipelines.stages.evaluator import Evaluator
from s4tok_pipelines.tables.result_table import Facts
from s4tok_pipelines.tables.spec import ABOUT_ROOMS
from s4tok_pipelines.tables.table2 import OBJECTS, ROOMS, UNIVERSAL, WHOLE_ROOM, Measured
from s4tok_pipelines.tables.table2_checkpoints import Places
from s4tok_pipelines.tables.table2_picture import draw_table2
from s4tok_pipelines.tables.table2_worlds import PAPERS, Worlds
from s4tok_pipelines.tables.written import Reproduced, Result, write_result

PICTURE, TITLE = "table2.png", "Table 2, reproduced"
SHOWS = "What kNN loses by measuring patches in the cloud's own unit; below chance no order of rows is evidence."
SOURCE = "Self-Supervised and Generalizable Tokenization for CLIP-Based 3D Understanding (S4Token), Tables 2 and 4"


def reproduce(worlds: Worlds, places: Places, out: Path, evaluator: Evaluator, *, is_quick: bool = False) -> Reproduced:
    """Ask every checkpoint about both worlds of rooms and about objects at every scale, and write the tables.

    Reads checkpoints and datasets; makes superpoints that are missing. A result of a checkpoint in a world is kept and
    not computed twice, so that a run that was stopped can be started again.

    Args:
        worlds: What is asked about.
        places: Where the checkpoints of each row lie, one a seed; a row may have none.
        out: Where tables go.
        evaluator: What checkpoints are measured with.
        is_quick: Mark every cell as no result.

    Raises:
        MissingError: When no row has a checkpoint.
    """
    start, clip = time.monotonic(), evaluator.clip
    if not any(places.values()):
        raise MissingError(
            "there are no checkpoints to fill the table with.",
            "name a folder of trained ones with --checkpoints; --train trains those of the paper's tables, and make "
            "checkpoints all others.",
        )
    device = clip.device.type
    checkpoints = {name: [load_trained(where, clip, device) for where in of] for name, of in places.items()}
    measured = _measured(worlds, checkpoints, evaluator)
    notes = _notes(worlds, measured, clip, evaluator.prompts)
    tables = [each.as_trial() for each in measured.tables] if is_quick else measured.tables
    draw_table2(out / PICTURE, tables, TITLE, notes)
    about = {
        "seconds": round(time.monotonic() - start, 3),
        **evaluator.facts(),
        "datasets": {role: _dataset(each) for role, each in _roles(worlds).items()},
        "checkpoints": {name: list(map(_about, of)) for name, of in checkpoints.items()},
        "superpoints": {clouds.name: _superpoints(measured, clouds.name) for clouds in worlds.rooms},
    }
    result = Result(
        "table2", TITLE, measured.tables, notes, SOURCE, about, SHOWS, (PICTURE,), _failures(measured), is_quick
    )
    return write_result(out, result)


def _measured(worlds: Worlds, checkpoints: Mapping[str, Sequence[TrainedModel]], evaluator: Evaluator) -> Measured:
    """Ask every checkpoint everything, a row after the other; one of rooms alone is not asked about objects."""
    in_rooms: dict[str, dict[str, list[Facts]]] = {}
    whole: dict[str, dict[str, list[Facts]]] = {}
    sweep: dict[str, dict[float, list[Facts]]] = {}
    rows = {name: of for name, of in checkpoints.items() if of}
    for place, (name, of) in enumerate(rows.items(), start=1):
        row = f"row {place} of {len(rows)}, {name}"
        in_rooms[name] = {clouds.name: [] for clouds in worlds.rooms}
        for seed, checkpoint in enumerate(of):
            for clouds in worlds.rooms:
                evaluator.report.note(f"{row}: checkpoint {seed + 1} of {len(of)} in {clouds.name} {clouds.split}")
                in_rooms[name][clouds.name].append(evaluator.rooms(f"{name}-{seed}", checkpoint, clouds))
        if name in WHOLE_ROOM:
            evaluator.report.note(f"{row}: in rooms as a whole, as in the paper")
            whole[name] = {
                clouds.name: [
                    evaluator.rooms(f"{name}-{seed}", each, clouds, whole=True) for seed, each in enumerate(of)
                ]
                for clouds in worlds.rooms
            }
        if name in OBJECTS or name == UNIVERSAL:
            evaluator.report.note(f"{row}: on {worlds.shapes.name} {worlds.shapes.split} at every scale")
            sweep[name] = {
                scale: [evaluator.objects(f"{name}-{seed}", each, worlds.shapes, scale) for seed, each in enumerate(of)]
                for scale in evaluator.config.scales
            }
    evaluator.report.note("the 2D model itself, on its views")
    vision = {clouds.name: evaluator.vision(clouds) for clouds in (*worlds.rooms, worlds.shapes)}
    first, second = ((clouds.name, clouds.split) for clouds in worlds.rooms)
    shapes = (worlds.shapes.name, worlds.shapes.split)
    return Measured((first, second), shapes, in_rooms, whole, sweep, vision, checkpoints.keys())


def _notes(worlds: Worlds, measured: Measured, clip: FrozenClip, prompts: Prompts) -> list[str]:
    """Say what has to be known to read the tables."""
    first, second = worlds.rooms
    is_real = (worlds.objects.name, first.name, second.name) == PAPERS
    said = "the paper's datasets" if is_real else "synthetic data and not the paper's datasets"
    absent = [{**OBJECTS, **ROOMS}[name] for name in measured.absent()]
    notes = [
        f"Measured: {_in_words(first)} and {_in_words(second)}: {said}.",
        f"Columns that say paper are printed from {SOURCE}.",
        f"CLIP {clip.name} ({clip.sha256[:12]}), prompts {prompts.name} ({prompts.sha256[:12]}), s4tok {__version__}.",
        "mIoU and accuracy in percent; with several seeds, mean ± deviation of the sample.",
        ABOUT_ROOMS,
    ]
    for dataset in (first.name, second.name):
        facts = measured.any_of(dataset)
        names, share = ", ".join(facts.get("furniture", ())), facts.get("furniture_points") or 0.0
        cut = ", ".join(_superpoints(measured, dataset))
        notes.append(f"Furniture of {dataset}, {share:.0%} of its points, asked about alone: {names}.")
        notes.append(f"Superpoints of {dataset}: {cut}.")
    notes += _settings(measured)
    if absent:
        notes.append(f"There is no checkpoint of {', '.join(absent)}: none comes with s4tok or has been trained.")
    return notes


def _settings(measured: Measured) -> Iterator[str]:
    """Say how rooms were encoded for each row, rows of the same settings together."""
    rows: dict[tuple[Any, ...], list[str]] = {}
    asked = {**measured.in_rooms, **{WHOLE_ROOM[name]: of for name, of in measured.whole.items()}}
    for name, of in asked.items():
        for facts in chain.from_iterable(of.values()):
            known = ("windows", "window", "n_points", "n_tokens", "attend", "calibration_share")
            settings = tuple(facts.get(each) for each in known)
            names = rows.setdefault(settings, [])
            names += [] if name in names else [name]
    for (windows, window, n_points, n_tokens, attend, share), names in rows.items():
        size = f"in windows of {window:g} m" if window else "as a whole"
        if windows == "superpoints":
            size = "in windows from superpoints"
        more = f", attention within {attend:g} radii" if attend else ""
        more += f", labels calibrated by {share:g} of their mean cosine" if share else ""
        yield f"Rooms {size}, {n_points:,} points and {n_tokens:,} tokens each{more}: {', '.join(names)}."


def _superpoints(measured: Measured, dataset: str) -> dict[str, Any]:
    """Collect the superpoints that any row used in a dataset."""
    rows = chain.from_iterable(of.get(dataset, ()) for of in measured.in_rooms.values())
    return {name: cut for facts in rows for name, cut in facts.get("superpoints", {}).items()}


def _in_words(clouds: CloudDataset) -> str:
    return f"{len(clouds)} clouds of {clouds.name} {clouds.split}"


def _roles(worlds: Worlds) -> dict[str, CloudDataset]:
    return {
        "objects": worlds.objects, "scale sweep": worlds.shapes, "ScanNet": worlds.rooms[0], "S3DIS": worlds.rooms[1],
        "scans": worlds.scans,
    }  # fmt: skip


def _dataset(clouds: CloudDataset) -> dict[str, Any]:
    return {"dataset": clouds.name, "split": clouds.split, "clouds": len(clouds)}


def _about(checkpoint: TrainedModel) -> dict[str, Any]:
    weights = checkpoint.sha256
    return {"name": checkpoint.name, "weights": weights, "card": dict(checkpoint.card)}


def _failures(measured: Measured) -> list[Failure]:
    """Name every cloud that failed once, whichever checkpoint it failed for."""
    return sorted({Failure(**each) for facts in _all(measured) for each in facts["failures"]}, key=lambda f: f.key)


def _all(measured: Measured) -> Iterator[Mapping[str, Any]]:
    for of_rows in (measured.in_rooms, measured.whole, measured.sweep):
        for of in of_rows.values():
            for facts in of.values():
                yield from facts
