"""Measure whether the same cloud gets the same labels: `python examples/own_clouds/measure_same_labels.py --limit 4`.

Clouds to validate on are saved in four units, with x, y and z up, at the origin and at UTM coordinates in double
precision, and at the origin in single precision (whose steps are half a metre at UTM coordinates). Which axis is up is
said, or with --auto told: then a file counts too whose axis is told wrong. A file that comes into the frame of own
clouds as the first one does, to the bit and without doubt of its axis, is the same cloud; others are labelled. Prints a
Markdown table.
"""

import argparse
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from known import Known, known, stood

import s4tok
from s4tok.clouds import PointCloud
from s4tok.config import Axis
from s4tok.geometry.placement import AXES, Said, guessed, placed
from s4tok.geometry.rooms import METRES
from s4tok.inference.loading import Checkpoint
from s4tok.shapes import Array, Float32, Float64, Int

UTM = np.array([453_000.25, 5_411_000.5, 220.125])
PART_WORDS = ("seat", "back", "leg", "top")  # of sh3d, whose models have no parts
ROOM_WORDS = ("wall", "floor", "chair", "table", "bed", "sofa")
HEADER = "| clouds | | numbers | files | alike to the bit | labels alike | least | files >= 99 % |\n|---|---:|---|" + (
    "---:|" * 5
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=["toy-shapes", "toy-scans", "toy-rooms"], metavar="NAME")
    parser.add_argument("--limit", type=int, default=4, metavar="N", help="clouds of each dataset")
    parser.add_argument("--auto", action="store_true", help="do not say which axis is up")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of sh3d")
    chosen = parser.parse_args()
    checkpoints = {"object": s4tok.load(device="cpu"), "room": s4tok.load("universal", device="cpu")}
    print(HEADER)
    for name in chosen.datasets:
        cases = list(known([name], "val", chosen.limit, chosen.data))
        for numbers, saved in (("double", in_double_precision), ("single", in_single_precision)):
            found = [
                each for case in cases for each in alike(case, list(saved(case, chosen.auto)), checkpoints[case.scene])
            ]
            same, labels = np.array(found).T
            print(
                f"| {name} | {len(cases)} | {numbers} | {len(found)} | {same.mean():.0%} | {labels.mean():.2%} "
                f"| {labels.min():.2%} | {(labels >= 0.99).mean():.0%} |",
                flush=True,
            )


class File(NamedTuple):
    """A saved cloud, and what is said of it."""

    cloud: PointCloud
    up: Axis | None


def in_double_precision(case: Known, auto: bool) -> Iterator[File]:
    """Save a cloud in 24 ways."""
    for axis, unit, at in product(AXES, METRES, (0.0, UTM)):
        yield File(PointCloud.of(stood(_xyz(case), axis) / METRES[unit] + at), None if auto else axis)


def in_single_precision(case: Known, auto: bool) -> Iterator[File]:
    """Save it in 12 ways."""
    for axis, unit in product(AXES, METRES):
        yield File(PointCloud.of((stood(_xyz(case), axis) / METRES[unit]).astype(np.float32)), None if auto else axis)


def alike(case: Known, files: list[File], checkpoint: Checkpoint) -> Iterator[tuple[bool, float]]:
    """Compare each file of a cloud with the first: whether it is the same to the bit, and the share of equal labels."""
    first, *others = files
    wanted = _placed(first)
    labels = None
    for file in others:
        found = _placed(file)
        if wanted is not None and found is not None and np.array_equal(found, wanted):
            yield True, 1.0
            continue
        if labels is None:
            labels = _labels(first, case, checkpoint)
        yield False, float((_labels(file, case, checkpoint) == labels).mean())


def _xyz(case: Known) -> Float64[Array, "n 3"]:
    return case.xyz[::3] if case.scene == "room" else case.xyz


def _placed(file: File) -> Float32[Array, "n 3"] | None:
    """Bring a file into the frame of own clouds; None where its axis is in doubt."""
    guess = guessed(file.cloud, Said(up=file.up))
    return None if len(guess.doubtful()) > 1 else placed(file.cloud, guess.placement).xyz


def _labels(file: File, case: Known, checkpoint: Checkpoint) -> Int[Array, " n"]:
    words, category = (case.parts, case.kind) if case.parts else (PART_WORDS, None)
    if case.scene == "room":
        words, category = ROOM_WORDS, None
    return np.asarray(s4tok.segment(file.cloud, words, checkpoint, category=category, up=file.up).labels)


if __name__ == "__main__":
    main()
