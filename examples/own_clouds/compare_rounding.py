"""Compare ways to round own clouds: `python examples/own_clouds/compare_rounding.py --limit 4`.

A file in single precision is itself rounded, in centimetres otherwise than in metres. What is labelled alike all the
same? Each cloud to validate on is saved in four units; the labels in cm, mm and inches are compared with those in
metres, by the checkpoints that come with s4tok. Toy clouds lie on grids; --jitter moves every point at random by up
to that share of the extent, so that they lie on none. Prints a Markdown table; with --right instead how many points of
the file in metres are labelled right.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from known import Known, known

import s4tok
from s4tok.clouds import Placement, PointCloud
from s4tok.config import Unit
from s4tok.geometry import placement
from s4tok.geometry.placement import rounded
from s4tok.geometry.rooms import METRES
from s4tok.inference.loading import Checkpoint
from s4tok.shapes import Array, Float32, Float64, Int
from s4tok.superpoints.methods import partition

Rounding = Callable[[Float64[Array, "n 3"]], Float32[Array, "n 3"]]
FINE, COARSE = 1e-5, 2.5e-4
BORDERS = np.arange(16) / 16  # among which one is chosen away from the data
NOISE = 1e-7  # of the extent: about what single precision moves a point by
ROOM_WORDS = ("wall", "floor", "chair", "table", "bed", "sofa")
HEADER = (
    "| way | files | points moved | files alike to the bit | labels alike | least | files >= 99 % |\n|---|"
    + "---:|" * 6
)


class Way(NamedTuple):
    """How points are rounded, and those that superpoints are cut from, where they are others; and how these are cut."""

    points: Rounding
    cut: Rounding | None = None
    method: str = "cut-pursuit"


class Outcome(NamedTuple):
    """Two files of a cloud compared."""

    moved: float  # share of the points whose rounded place is another
    alike: float  # share of the points with the same label


def away_from_data(xyz: Float64[Array, "n 3"], step: float) -> Float32[Array, "n 3"]:
    """Round so that as few points as can be lie where noise carries them over, each axis by itself."""
    width = step * float(np.ptp(xyz, axis=0).max())
    near = NOISE / step
    columns = []
    for axis in range(3):
        places = (xyz[:, axis] / width) % 1
        crowds = [np.count_nonzero(np.abs((places + border + 0.5) % 1 - 0.5) < near) for border in BORDERS]
        columns.append(np.floor(xyz[:, axis] / width + BORDERS[int(np.argmin(crowds))]) * width)
    on_grid: Array = np.stack(columns, axis=1)
    return on_grid.astype(np.float32)


WAYS: Mapping[str, Way] = {
    "1e-5": Way(partial(rounded, step=FINE)),
    "1e-6": Way(partial(rounded, step=1e-6)),
    "6e-5": Way(partial(rounded, step=6e-5)),
    "2.5e-4 (ships)": Way(partial(rounded, step=COARSE)),
    "1e-3": Way(partial(rounded, step=1e-3)),
    "1e-5, border away from the data": Way(partial(away_from_data, step=FINE)),
    "2.5e-4, border away from the data": Way(partial(away_from_data, step=COARSE)),
    "1e-5, superpoints cut from 2.5e-4": Way(partial(rounded, step=FINE), partial(rounded, step=COARSE)),
    "1e-5, superpoints by greedy": Way(partial(rounded, step=FINE), method="greedy"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=["toy-scans", "toy-rooms", "toy-shapes"], metavar="NAME")
    parser.add_argument("--limit", type=int, default=4, metavar="N", help="clouds of each dataset")
    parser.add_argument("--jitter", type=float, default=0.0, metavar="SHARE", help="of the extent")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    parser.add_argument("--right", action="store_true", help="measure against the true labels")
    chosen = parser.parse_args()
    clouds = list(known(chosen.datasets, "val", chosen.limit, Path("data")))
    checkpoints = {"object": s4tok.load(device="cpu"), "room": s4tok.load("universal", device="cpu")}
    print(f"{', '.join(chosen.datasets)}, {len(clouds)} clouds, jitter {chosen.jitter:g}\n", flush=True)
    if chosen.right:
        for name in chosen.ways:
            shares = [right(cloud, WAYS[name], checkpoints[cloud.scene]) for cloud in clouds]
            print(f"{name}: {np.mean(shares):.2%} of the points are right", flush=True)
        return
    print(HEADER, flush=True)
    for name in chosen.ways:
        found = [
            each for cloud in clouds for each in compared(cloud, chosen.jitter, WAYS[name], checkpoints[cloud.scene])
        ]
        moved, alike = np.array(found).T
        print(
            f"| {name} | {len(found)} | {moved.mean():.3%} | {(moved == 0).mean():.0%} | {alike.mean():.2%} "
            f"| {alike.min():.2%} | {(alike >= 0.99).mean():.0%} |",
            flush=True,
        )


def compared(case: Known, jitter: float, way: Way, checkpoint: Checkpoint) -> Iterator[Outcome]:
    """Compare the labels of a cloud's file in metres with those in other units; clouds alike to the bit need none."""
    files = {unit: saved(case, jitter, unit) for unit in METRES}
    clouds = {unit: _placed(file, case, unit, way.points) for unit, file in files.items()}
    label = cache(lambda unit: _labels(files[unit], case, unit, way, checkpoint))
    for unit in METRES:
        if unit != "m":
            moved = float((clouds[unit].xyz != clouds["m"].xyz).any(axis=1).mean())
            yield Outcome(moved, float((label(unit) == label("m")).mean()) if moved else 1.0)


def right(case: Known, way: Way, checkpoint: Checkpoint) -> float:
    """Measure which share of the points that have one of the labels gets the right one."""
    truth = case.truth[::3] if case.scene == "room" else case.truth
    words = np.array(ROOM_WORDS if case.scene == "room" else case.parts)
    found = words[_labels(saved(case, 0.0, "m"), case, "m", way, checkpoint)]
    return float((found == truth)[np.isin(truth, words)].mean())


def saved(case: Known, jitter: float, unit: Unit) -> PointCloud:
    """Save a cloud in single precision, as most .ply are; of rooms a third of the points."""
    xyz = case.xyz[::3] if case.scene == "room" else case.xyz
    aside = np.random.default_rng(0).uniform(-jitter, jitter, xyz.shape) * float(np.ptp(xyz, axis=0).max())
    in_metres = (xyz + aside).astype(np.float32).astype(np.float64)
    return PointCloud.of((in_metres / METRES[unit]).astype(np.float32))


def _placed(file: PointCloud, case: Known, unit: Unit, rounding: Rounding) -> PointCloud:
    with patch.object(placement, "rounded", rounding):
        return placement.placed(file, Placement("y", unit if case.scene == "room" else None, case.scene))


def _labels(file: PointCloud, case: Known, unit: Unit, way: Way, checkpoint: Checkpoint) -> Int[Array, " n"]:
    is_room = case.scene == "room"
    config = replace(checkpoint.superpoints_of(case.scene), method=way.method)
    with patch.object(placement, "rounded", way.points):
        found = s4tok.segment(
            file,
            ROOM_WORDS if is_room else case.parts,
            checkpoint,
            category=None if is_room else case.kind,
            superpoints=partition(_placed(file, case, unit, way.cut or way.points), config),
            up="y",
            unit=unit if is_room else None,
            scene=case.scene,
        )
    return np.asarray(found.labels)


if __name__ == "__main__":
    main()
