"""Measure regions of masks beside superpoints and a grid: `python examples/trials/regions.py toy-rooms --limit 3`.

Cuts scenes by the masks of their frames (`--method masks`), with the defaults for rooms, and by a grid of cubes that
has as many pieces as the masks give; then single frames in the same three ways. Purity and boundary recall are against
the classes of the scene's points; a frame's points take the class of the nearest point of their scene within 5 cm.
Finer pieces score higher on everything, so compare at equal number.

Prints a Markdown table; says on stderr how far it is. The same numbers on every run.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree

from s4tok.clouds import PointCloud
from s4tok.config import FrameConfig, SuperpointConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.frame_clouds import FrameClouds, FrameName, color_at_depth
from s4tok.datasets.mask_files import MaskFiles
from s4tok.datasets.open import open_dataset
from s4tok.geometry import neighbor_graph
from s4tok.rendering.mask_votes import MaskVotes
from s4tok.shapes import Array, Int, Int32
from s4tok.superpoints import boundary_recall, partition, purity
from s4tok.superpoints.regions import covered, regions
from s4tok.vision.graph_masks import GraphMasks
from s4tok.vision.vision_model import DepthImage

NEAR = 0.05  # metres
ROOMS = SuperpointConfig.of("room")
HEADER = "| pieces of | by | number | purity | boundary recall | points in masks |\n|---|---|---|---|---|---|"


class Row(NamedTuple):
    """What one way to cut gives of one cloud."""

    number: float
    purity: float
    recall: float
    covered: float = float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="a dataset of scenes with posed RGB-D frames")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, default=3, metavar="N", help="scenes")
    parser.add_argument("--frame-step", type=int, default=FrameConfig.step, metavar="N")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="a folder of masks, in place of the model graph")
    chosen = parser.parse_args()
    scenes = open_dataset(chosen.source, split=chosen.split, limit=chosen.limit)
    frames = FrameClouds(scenes, FrameConfig(step=chosen.frame_step))
    found: dict[tuple[str, str], list[Row]] = {}
    for key in scenes.keys:
        for what, name, row in measured(scenes, frames, key, chosen.masks):
            found.setdefault((what, name), []).append(row)
        print(f"{key} measured", file=sys.stderr)
    print(f"{len(scenes)} scenes of {scenes.name}, every {chosen.frame_step}th frame; means over clouds\n\n{HEADER}")
    for (what, name), rows in found.items():
        number, *shares = map(mean, zip(*rows, strict=True))
        told = " | ".join("" if np.isnan(share) else f"{share:.3f}" for share in shares)
        print(f"| {what} | {name} | {number:.1f} | {told} |")


def mean(values: tuple[float, ...]) -> float:
    """Average what is a number: a frame may show one class, and no border to recall."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def measured(
    scenes: CloudDataset, frames: FrameClouds, key: str, folder: Path | None
) -> Iterator[tuple[str, str, Row]]:
    """Cut a scene, and each of its frames, in three ways."""
    cloud = scenes[key]
    assert cloud.labels is not None
    points, votes = cloud.original_xyz(), MaskVotes(cloud.original_xyz())
    tree = KDTree(points)
    for each in frames.keys:
        if not each.startswith(f"{key}@"):
            continue
        ids = masks_of(frames, each, folder)
        votes.add(frames.frame_of(each), ids)
        rows, columns = frames.pixels(each).T
        part = frames[each]
        distance, nearest = tree.query(part.original_xyz())
        truth = np.where(distance < NEAR, cloud.labels[nearest], -1)
        for name, row in ways(part, truth, ids[rows, columns]):
            yield "a frame", name, row
    for name, row in ways(cloud, cloud.labels, votes.ids):
        yield "a scene", name, row


def masks_of(frames: FrameClouds, key: str, folder: Path | None) -> Int32[Array, "h w"]:
    frame = frames.frame_of(key)
    if folder is not None:
        return MaskFiles(folder).read(*FrameName.of(key), frame.depth.shape)
    return GraphMasks().masks(DepthImage(color_at_depth(frame), frame.depth, frame.depth_intrinsics))


def ways(cloud: PointCloud, truth: Int[Array, " n"], ids: Int[Array, " n"]) -> Iterator[tuple[str, Row]]:
    """Cut a cloud by masks, as rooms are cut, and by as many cubes as there are regions."""
    graph = neighbor_graph(cloud.xyz, ROOMS.adjacency)
    masks = regions(cloud.xyz, ids, ROOMS.mask_smallest, ROOMS.mask_group)
    cubes = replace(SuperpointConfig("grid"), grid_cells=int(masks.max()) + 1)
    cuts = {"masks": masks, "superpoints": partition(cloud, ROOMS), "a grid": partition(cloud, cubes)}
    for name, labels in cuts.items():
        share = covered(ids, ROOMS.mask_smallest) if name == "masks" else float("nan")
        recall = boundary_recall(labels, truth, graph)
        yield name, Row(float(labels.max() + 1), purity(labels, truth), recall, share)


if __name__ == "__main__":
    main()
