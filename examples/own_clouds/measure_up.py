"""Measure how often own clouds are brought upright: `python examples/own_clouds/measure_up.py --limit 150`.

Clouds of the test splits are saved so that y, z or x is up, in turn, and stood up as `s4tok segment --up auto` does
with a .ply: by shape alone (`--shape-only`; sh3d always), and where that leaves doubt by trying them with the
checkpoint that comes with s4tok and the words of their parts. Prints a table of kinds: how many clouds, how often each
was brought upright, and how often its shape seemed upside down. The same numbers on every run.
"""

import argparse
from collections import defaultdict
from itertools import chain
from pathlib import Path

import numpy as np
from known import STANDING, Known, known, stood

import s4tok
from s4tok.clouds import PointCloud
from s4tok.config import Axis, SegmentConfig
from s4tok.geometry.axes import upright
from s4tok.geometry.gravity import DIRECTIONS, measured, up_odds
from s4tok.geometry.placement import AXES, CONVENTION, Said, guessed
from s4tok.inference.cloud_encoder import CloudEncoder
from s4tok.inference.loading import Checkpoint
from s4tok.inference.upright import nearness_of_points, settled
from s4tok.shapes import Array, Float64
from s4tok.zero_shot.vocabulary import Words, label_vectors

TOY = "toy-shapes"  # whose parts the mini CLIP was trained on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder of sh3d")
    parser.add_argument("--datasets", nargs="+", default=[TOY, "toy-scans", "toy-rooms"], metavar="NAME")
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, default=None, metavar="N", help="clouds of each dataset")
    parser.add_argument("--shape-only", action="store_true")
    chosen = parser.parse_args()
    checkpoint = None if chosen.shape_only else s4tok.load(device="cpu")
    right, down = defaultdict[str, list[bool]](list), defaultdict[str, list[bool]](list)
    for each in known(chosen.datasets, chosen.split, chosen.limit, chosen.data):
        odds = up_odds(measured(each.xyz))
        down[each.kind].append(int(odds.argmax()) == DIRECTIONS.index((1, -1)))
        for axis in AXES:
            is_by_shape = checkpoint is None or each.dataset != TOY
            up = _by_shape(odds, axis) if is_by_shape else _tried(each, axis, checkpoint)
            right[each.kind].append(up == axis)
    print(f"{', '.join(chosen.datasets)}, {chosen.split}; * stands\n")
    print("| kind | clouds | upright | upside down by shape |\n|---|---|---|---|")
    for kind in sorted(right, key=lambda kind: (kind not in STANDING, kind)):
        _tell(kind + (" *" if kind in STANDING else ""), right[kind], down[kind])
    stand = [kind for kind in right if kind in STANDING and kind != "room"]
    _tell("objects that stand *", *(list(chain.from_iterable(each[kind] for kind in stand)) for each in (right, down)))


def _tell(name: str, right: list[bool], down: list[bool]) -> None:
    if right:
        print(f"| {name} | {len(down)} | {np.mean(right):.3f} | {np.mean(down):.3f} |", flush=True)


def _by_shape(odds: Float64[Array, "6"], axis: str) -> str:
    """Say which axis is taken for up of a cloud whose y is up, saved so that `axis` is; nothing is measured anew."""
    names: list[Axis] = [AXES[column] for column in np.abs(upright(axis)).argmax(axis=1)]  # of x, y and z, in the file
    return max(names, key=lambda name: odds[names.index(name)] + np.log(CONVENTION[name]))


def _tried(each: Known, axis: str, checkpoint: Checkpoint | None) -> str:
    assert checkpoint is not None
    cloud = PointCloud.of(stood(each.xyz, axis))
    guess = guessed(cloud, Said(scene=each.scene))
    if len(guess.doubtful()) < 2:
        return guess.placement.up
    vectors = label_vectors(each.parts, checkpoint.texts, checkpoint.prompts, category=each.kind, scene=each.scene)
    words = Words(tuple(each.parts), np.arange(len(each.parts)), vectors)
    encoder = CloudEncoder(checkpoint.trained_model, SegmentConfig(), each.scene, "y")
    return settled(guess, cloud, nearness_of_points(encoder, words)).placement.up


if __name__ == "__main__":
    main()
