"""Boxes around the things that labelled points make, without a head: superpoints of one name that no gap parts."""

from collections.abc import Sequence

import numpy as np

from s4tok.config import BoxConfig, Scene
from s4tok.geometry.axes import upright
from s4tok.geometry.box_fit import fitted_box
from s4tok.geometry.box_frames import turned
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Float, Int
from s4tok.zero_shot.windows import groups

OBJECTS = 0.5  # of the gap in rooms; the parts of an object lie nearer to each other


def found_boxes(
    xyz: Float[Array, "n 3"],
    labels: Int[Array, " n"],
    scores: Float[Array, " n"],
    wanted: Sequence[int],
    up: str,
    scene: Scene,
    config: BoxConfig = BoxConfig(),  # noqa: B008 - it cannot change
) -> OrientedBoxes:
    """Put a box around each thing; its score is the mean score of its points.

    Args:
        xyz: The cloud.
        labels: Of each point.
        scores: How sure each point's label is, such as its cosine.
        wanted: The labels whose things get boxes.
        up: The axis that points up.
        scene: Of the cloud.
        config: Numbers.
    """
    z_up = xyz @ (upright("z").T @ upright(up)).T
    gap = config.gap * (OBJECTS if scene == "object" else 1.0)
    rows, of_rows, sure = list[Array](), list[int](), list[float]()
    for label in wanted:
        mine = np.flatnonzero(labels == label)
        if len(mine) < config.fewest_points:
            continue
        thing = groups(z_up[mine], gap)
        for which in np.flatnonzero(np.bincount(thing) >= config.fewest_points):
            points = mine[thing == which]
            rows.append(fitted_box(z_up[points], config.stray))
            of_rows.append(label)
            sure.append(float(scores[points].mean()))
    return turned(OrientedBoxes.of_rows(np.array(rows).reshape(-1, 7), of_rows, sure), "z", up)


def voted(labels: Int[Array, " n"], superpoints: Int[Array, " n"], n_labels: int) -> Int[Array, " n"]:
    """Give all points of a superpoint the label that most of them have; -1 counts as one."""
    n_superpoints = int(superpoints.max()) + 1
    counts = np.bincount(superpoints * (n_labels + 1) + labels + 1, minlength=n_superpoints * (n_labels + 1))
    most: Array = counts.reshape(n_superpoints, n_labels + 1).argmax(axis=1) - 1
    return most[superpoints]
