"""Make Table 2 of the paper again: students asked about rooms they never saw, and about objects of other sizes."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from s4tok import __version__
from s4tok.config import ReproduceConfig, SegmentConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import MissingError
from s4tok.models.checkpoint import Student, load_student
from s4tok.vision.frozen_clip import FrozenClip, sha256_of_weights
from s4tok.zero_shot.prompts import Prompts
from s4tok_pipelines.outputs.publish import publish
from s4tok_pipelines.outputs.results import plain, write_json
from s4tok_pipelines.report import Failure, Report, silent
from s4tok_pipelines.tables.kept_results import Kept
from s4tok_pipelines.tables.markdown import markdown
from s4tok_pipelines.tables.table2 import SCAN_TRAINED, TITLES, Measured, Sheet
from s4tok_pipelines.tables.table2_picture import draw_table2
from s4tok_pipelines.tables.table2_results import Evaluator
from s4tok_pipelines.tables.table2_students import Places
from s4tok_pipelines.tables.table2_worlds import PAPERS, Worlds

RESULTS, JSON, MARKDOWN, PICTURE = "results", "table2.json", "table2.md", "table2.png"
SOURCE = "Self-Supervised and Generalizable Tokenization for CLIP-Based 3D Understanding (S4Token), Tables 2 and 4"


@dataclass(frozen=True)
class Reproduced:
    """The tables, what one has to know to read them, and what is needed to make them again."""

    out: Path
    sheets: list[Sheet]
    notes: list[str]
    facts: dict[str, Any]
    failures: list[Failure]


def reproduce(
    worlds: Worlds,
    cache: Path,
    clip: FrozenClip,
    prompts: Prompts,
    places: Places,
    out: Path,
    config: ReproduceConfig = ReproduceConfig(),  # noqa: B008 - it cannot change
    *,
    looking: SegmentConfig = SegmentConfig(),  # noqa: B008 - as above
    workers: int = 1,
    device: str = "cpu",
    report: Report = silent,
) -> Reproduced:
    """Ask every student about both worlds of rooms and about objects at every scale, and write the tables.

    Reads students and datasets; makes superpoints that are missing. A result of a student in a world is kept in `out`
    and not made again, so that a run that was stopped can be started again.

    Args:
        worlds: What is asked about.
        cache: The folder of all caches.
        clip: The CLIP that students were trained for.
        prompts: The sentences of each class.
        places: Where the students of each row lie, one a seed; a row may have none.
        out: Where tables and results go.
        config: Scales, seeds, guesses.
        looking: How rooms are encoded; what it leaves open is as each checkpoint was trained.
        workers: Processes that cut superpoints.
        device: Where students compute.
        report: Who listens.

    Raises:
        MissingError: When no row has a student.
    """
    start = time.monotonic()
    if not any(places.values()):
        raise MissingError(
            "there are no students to fill the table with.",
            "train them with --train, or name a folder of trained ones with --students.",
        )
    students = {name: [load_student(where, clip, device) for where in of] for name, of in places.items()}
    kept = Kept(out / RESULTS)
    judge = Evaluator(clip, prompts, cache, kept, config, looking, workers=workers, report=report)
    measured = _measured(worlds, students, judge)
    notes = _notes(worlds, measured, clip, prompts)
    draw_table2(out / PICTURE, measured, "Table 2, made again", notes)
    publish(out / MARKDOWN, markdown("Table 2, made again", measured.sheets, notes).encode())
    facts = plain(
        {
            "table": "table2",
            "source": SOURCE,
            "s4tok": __version__,
            "worlds": {role: _world(each) for role, each in _roles(worlds).items()},
            "clip": clip.identity,
            "prompts": prompts.identity,
            **measured.facts(),
            "students": {name: list(map(_about, of)) for name, of in students.items()},
            "superpoints": {world: _superpoints(measured, world) for world in measured.worlds},
            "config": {**asdict(config), "looking": asdict(judge.looking)},
            "results_made": kept.made,
            "results_present": kept.present,
            "seconds": round(time.monotonic() - start, 3),
        }
    )
    write_json(out / JSON, facts)
    return Reproduced(out, measured.sheets, notes, facts, _failures(measured))


def _measured(worlds: Worlds, students: Mapping[str, Sequence[Student]], judge: Evaluator) -> Measured:
    """Ask everyone everything, rooms first; the student of rooms is not asked about objects."""
    rooms: dict[str, dict[str, list[dict[str, Any]]]] = {}
    sweep: dict[str, dict[float, list[dict[str, Any]]]] = {}
    for name, of in students.items():
        rooms[name] = {clouds.name: [] for clouds in worlds.rooms}
        for number, student in enumerate(of):
            for clouds in worlds.rooms:
                judge.report.note(f"{student.name} in {clouds.name} {clouds.split}")
                rooms[name][clouds.name].append(judge.rooms(f"{name}-{number}", student, clouds))
    for name, of in students.items():
        if name == SCAN_TRAINED:
            continue
        sweep[name] = {scale: [] for scale in judge.config.scales}
        for number, student in enumerate(of):
            judge.report.note(f"{student.name} on {worlds.shapes.name} {worlds.shapes.split} at every scale")
            for scale in judge.config.scales:
                sweep[name][scale].append(judge.objects(f"{name}-{number}", student, worlds.shapes, scale))
    first, second = (clouds.name for clouds in worlds.rooms)
    return Measured((first, second), rooms, worlds.shapes.name, sweep)


def _notes(worlds: Worlds, measured: Measured, clip: FrozenClip, prompts: Prompts) -> list[str]:
    """Say what has to be known to read the tables."""
    first, second = worlds.rooms
    is_real = (worlds.objects.name, first.name, second.name) == PAPERS
    said = "the paper's datasets" if is_real else "a made world and not the paper's datasets"
    absent = [TITLES[name] for name in measured.students if not measured.seeds(name)]
    notes = [
        f"Measured: {_in_words(first)} and {_in_words(second)}: {said}.",
        f"Columns that say paper are printed from {SOURCE}.",
        f"CLIP {clip.name} ({clip.sha256[:12]}), prompts {prompts.name} ({prompts.sha256[:12]}), s4tok {__version__}.",
        "mIoU and accuracy in percent; with several seeds, mean ± deviation of the sample.",
    ]
    for world in measured.worlds:
        facts = measured.any_of(world)
        names, share = ", ".join(facts.get("furniture", ())), facts.get("furniture_points") or 0.0
        cut = ", ".join(_superpoints(measured, world))
        notes.append(f"Furniture of {world}, {share:.0%} of its points, asked about alone: {names}.")
        notes.append(f"Superpoints of {world}: {cut}.")
    notes += _settings(measured)
    if absent:
        notes.append(f"There is no student of {', '.join(absent)}: none has been shipped or trained.")
    return notes


def _settings(measured: Measured) -> Iterator[str]:
    """Say how rooms were encoded for each row, rows of the same settings together."""
    rows: dict[tuple[Any, ...], list[str]] = {}
    for name, of in measured.rooms.items():
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


def _superpoints(measured: Measured, world: str) -> dict[str, Any]:
    """Collect the superpoints that any row used in a world."""
    rows = chain.from_iterable(of.get(world, ()) for of in measured.rooms.values())
    return {name: cut for facts in rows for name, cut in facts.get("superpoints", {}).items()}


def _in_words(clouds: CloudDataset) -> str:
    return f"{len(clouds)} clouds of {clouds.name} {clouds.split}"


def _roles(worlds: Worlds) -> dict[str, CloudDataset]:
    return {
        "objects": worlds.objects, "scale sweep": worlds.shapes, "ScanNet": worlds.rooms[0], "S3DIS": worlds.rooms[1],
        "scans": worlds.scans,
    }  # fmt: skip


def _world(clouds: CloudDataset) -> dict[str, Any]:
    return {"dataset": clouds.name, "split": clouds.split, "clouds": len(clouds)}


def _about(student: Student) -> dict[str, Any]:
    weights = sha256_of_weights(student.model.tokenizer)
    return {"name": student.name, "weights": weights, "card": dict(student.card)}


def _failures(measured: Measured) -> list[Failure]:
    """Name every cloud that failed once, whoever looked at it."""
    return sorted({Failure(**each) for facts in _all(measured) for each in facts["failures"]}, key=lambda f: f.key)


def _all(measured: Measured) -> Iterator[Mapping[str, Any]]:
    for of_rows in (measured.rooms, measured.sweep):
        for of in of_rows.values():
            for facts in of.values():
                yield from facts
