"""Make the figures of the S4Token paper: pictures by code from what ships, with the numbers behind them."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from s4tok import __version__
from s4tok.clouds import PointCloud
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import MissingError
from s4tok.models.checkpoint import TrainedModel, load_trained
from s4tok.rendering.palette import colors_of_names, colors_of_superpoints, paint
from s4tok.shapes import Array, UInt8
from s4tok.zero_shot.labelled import Labelled
from s4tok_pipelines.outputs.patch_pictures import (
    Counted,
    centers_on,
    count,
    group,
    in_patches,
    picture,
    reached_by,
)
from s4tok_pipelines.outputs.picture_grid import Picture, Shown, write_grid
from s4tok_pipelines.report import Report
from s4tok_pipelines.stages.evaluator import Evaluator
from s4tok_pipelines.stages.table_work import Wanted
from s4tok_pipelines.stages.tokens import sampled
from s4tok_pipelines.tables.figures import DRAWN_GAMMAS, GAMMAS, FigureSpec
from s4tok_pipelines.tables.kept_results import result_stamp
from s4tok_pipelines.tables.result_table import Cell, Column, ResultRow, ResultTable
from s4tok_pipelines.tables.s4token_tables import SOURCE
from s4tok_pipelines.tables.table2_checkpoints import find_checkpoints
from s4tok_pipelines.tables.worlds import open_roles
from s4tok_pipelines.tables.written import Reproduced, Result, write_result

QUICK = 2  # clouds
TOKENIZERS = {"knn": "kNN", "s4token": "S4Token"}
ROOM_TOKENS, OBJECT_TOKENS = 256, 64
ROOM_SIZE, OBJECT_SIZE, PART_SIZE = 640, 420, 280  # pixels of a picture

DRAWING = 2  # of pictures and counts; raise it where either changes

Rows = Mapping[str, Mapping[str, float]]  # the figures of each row


def reproduce_figure(spec: FigureSpec, wanted: Wanted, evaluator: Evaluator, report: Report) -> Reproduced:
    """Draw a figure, and count over several clouds what it shows; one that is there already is passed over."""
    start, clouds = time.monotonic(), clouds_of(spec, wanted, evaluator)
    picture_at = wanted.out / f"{spec.name}.png"
    checkpoint = _checkpoint(spec, wanted, evaluator) if spec.checkpoint else None

    def make() -> dict[str, Any]:
        if checkpoint is not None:
            rows = _parts(clouds, checkpoint, evaluator, picture_at)
        else:
            rows = {"figureA": _patches, "figureB": _sampling}[spec.name](spec, clouds, picture_at, report)
        return {"rows": rows, "clouds": len(clouds), "s4tok": __version__, "failures": []}

    wanted.out.mkdir(parents=True, exist_ok=True)
    stamp = result_stamp(spec.name, clouds, evaluator.clip, checkpoint, evaluator.prompts, {"drawing": DRAWING}, ())
    facts = evaluator.kept.get(spec.name, stamp, make)
    if not picture_at.is_file():
        make()  # its numbers are kept, and it is gone
    world = "synthetic data and not the paper's" if wanted.data is None else "the paper's data"
    notes = [
        f"{len(clouds)} clouds of {clouds.name} {clouds.split} ({world}), seed {evaluator.config.seed}.",
        "Superpoints are cut with the defaults; patches hold all points that may be in them, up to 8,192.",
    ]
    about = {"seconds": round(time.monotonic() - start, 3), **evaluator.facts()}
    return write_result(
        wanted.out,
        Result(
            spec.name, spec.title, [_table(spec, clouds, facts["rows"])], notes, SOURCE, about, spec.shows,
            (picture_at.name,), is_quick=wanted.is_quick,
        ),
    )  # fmt: skip


def clouds_of(spec: FigureSpec, wanted: Wanted, evaluator: Evaluator) -> CloudDataset:
    """Open what a figure is drawn of."""
    limit = min(spec.clouds, QUICK if wanted.is_quick else spec.clouds, wanted.limit or spec.clouds)
    return open_roles([spec.role], wanted.data, evaluator.config, limit)[spec.role]


def _patches(spec: FigureSpec, clouds: CloudDataset, path: Path, report: Report) -> Rows:
    """Draw Figure A: the truth, and patches of kNN and of S4Token."""
    found: dict[str, list[Counted]] = {name: [] for name in TOKENIZERS}
    drawn: dict[str, Shown] = {}
    legend: dict[str, tuple[int, int, int]] = {}
    for key in report.steps(clouds.keys, "Grouping"):
        cloud, superpoints = sampled(clouds, key, 0)
        first = not drawn
        if first and cloud.labels is not None:
            colors = colors_of_names(list(clouds.classes))
            legend = _legend(clouds.classes, colors, cloud.labels)
            drawn["truth"] = Shown(_room(cloud, paint(cloud.labels, colors), clouds))
        for name, title in TOKENIZERS.items():
            grouped = group(name, cloud, superpoints, ROOM_TOKENS)
            found[name].append(counted := count(grouped, cloud, superpoints))
            if first:
                said = f"{counted.purity:.0%} of a patch is of its centre's class"
                drawn[title] = Shown(_room(cloud, in_patches(grouped, len(cloud)), clouds), said)
    write_grid(path, {"": list(drawn.values())}, list(drawn), legend)
    return {TOKENIZERS[name]: _means(spec, each) for name, each in found.items()}


def _room(cloud: PointCloud, colors: UInt8[Array, "n 3"], clouds: CloudDataset) -> Picture:
    return picture(cloud, colors, clouds.up, clouds.scene, ROOM_SIZE)


def _legend(names: Sequence[str], colors: UInt8[Array, "c 3"], labels: Array) -> dict[str, tuple[int, int, int]]:
    """Name the colours of the labels that a cloud has."""
    there: list[int] = np.unique(labels[labels >= 0]).tolist()
    return {names[label]: (int(colors[label, 0]), int(colors[label, 1]), int(colors[label, 2])) for label in there}


def _sampling(spec: FigureSpec, clouds: CloudDataset, path: Path, report: Report) -> Rows:
    """Draw Figure B: centres, patches, and the superpoints that have a centre, from gamma 0 to 1."""
    found: dict[str, list[Counted]] = {f"gamma {gamma:g}": [] for gamma in GAMMAS}
    drawn: dict[str, list[Shown]] = {"centres": [], "patches": [], "reached": []}
    for number, key in enumerate(report.steps(clouds.keys, "Grouping")):
        cloud, superpoints = sampled(clouds, key, 0)
        for gamma in GAMMAS:
            grouped = group("s4token", cloud, superpoints, OBJECT_TOKENS, gamma=gamma)
            found[f"gamma {gamma:g}"].append(counted := count(grouped, cloud, superpoints))
            if number == 0 and gamma in DRAWN_GAMMAS:
                colors = colors_of_superpoints(superpoints.astype(np.int32))
                said = f"{counted.superpoints:.0%} of superpoints, {counted.points:.0%} of points"
                for name, painted, caption in (
                    ("centres", centers_on(grouped, cloud, colors), ""),
                    ("patches", in_patches(grouped, len(cloud)), ""),
                    ("reached", reached_by(grouped, superpoints), said),
                ):
                    drawn[name].append(Shown(picture(cloud, painted, clouds.up, size=OBJECT_SIZE), caption))
    write_grid(path, drawn, [f"gamma {gamma:g}" for gamma in DRAWN_GAMMAS])
    return {name: _means(spec, each) for name, each in found.items()}


def _checkpoint(spec: FigureSpec, wanted: Wanted, evaluator: Evaluator) -> TrainedModel:
    """Load the checkpoint that a figure is drawn by."""
    name = spec.checkpoint if wanted.data is None else spec.of_paper
    places = find_checkpoints([name], wanted.checkpoints)[name]
    if not places:
        raise MissingError(f"there is no checkpoint {name} to draw by.", "name a folder of them with --checkpoints.")
    return load_trained(places[0], evaluator.clip, evaluator.clip.device.type)


def _parts(clouds: CloudDataset, checkpoint: TrainedModel, evaluator: Evaluator, path: Path) -> Rows:
    """Draw Figures 2 and C: the truth, the 2D model on its views, and a checkpoint."""
    by_views, by_tokens = evaluator.parts_of_each(None, clouds), evaluator.parts_of_each(checkpoint, clouds)
    name = Path(checkpoint.name).name
    rows = {
        "truth": [Shown(_painted(each, each.truth, clouds)) for each in by_tokens],
        "2D model": [Shown(_painted(each, each.answers, clouds), f"{_right([each]):.0%}") for each in by_views],
        name: [Shown(_painted(each, each.answers, clouds), f"{_right([each]):.0%}") for each in by_tokens],
    }
    write_grid(path, rows)
    return {"2D model on its views": {"accuracy": _right(by_views)}, name: {"accuracy": _right(by_tokens)}}


def _painted(done: Labelled, labels: Array | None, clouds: CloudDataset) -> Picture:
    assert labels is not None
    return picture(done.cloud, paint(labels, colors_of_names(done.names)), clouds.up, size=PART_SIZE)


def _right(found: Sequence[Labelled]) -> float:
    return fmean(
        float(np.mean(each.answers[each.truth >= 0] == each.truth[each.truth >= 0]))
        for each in found if each.truth is not None
    )  # fmt: skip


def _means(spec: FigureSpec, found: Sequence[Counted]) -> dict[str, float]:
    return {figure: fmean(getattr(each, figure) for each in found) for figure in spec.figures}


def _table(spec: FigureSpec, clouds: CloudDataset, rows: Rows) -> ResultTable:
    columns = tuple(Column(title, clouds.name, clouds.split, name) for name, title in spec.figures.items())
    return ResultTable(
        spec.name, spec.title, columns,
        tuple(
            ResultRow(name, name, tuple(Cell((of[figure],), (0,), len(clouds)) for figure in spec.figures))
            for name, of in rows.items()
        ),
        head="method",
    )  # fmt: skip
