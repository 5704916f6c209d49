"""Boxes around the things that labelled points make, without a head: what has one label and no gap in it."""

from collections.abc import Sequence

import numpy as np

from s4tok.config import BoxConfig, Scene
from s4tok.geometry.axes import upright
from s4tok.geometry.box_fit import fitted_box
from s4tok.geometry.box_frames import turned
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Float, Int
from s4tok.zero_shot.windows import groups

OBJECTS = 0.25  # of the gap in rooms
SHARE = 0.02  # of a small cloud that a thing has at least


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
    fewest = min(config.fewest_points, max(int(SHARE * len(xyz)), 1))
    rows, of_rows, sure = list[Array](), list[int](), list[float]()
    for label in wanted:
        mine = np.flatnonzero(labels == label)
        if len(mine) < fewest:
            continue
        thing = groups(z_up[mine], gap)
        for which in np.flatnonzero(np.bincount(thing) >= fewest):
            points = mine[thing == which]
            rows.append(fitted_box(z_up[points]))
            of_rows.append(label)
            sure.append(float(scores[points].mean()))
    return turned(OrientedBoxes.of_rows(np.array(rows).reshape(-1, 7), of_rows, sure), "z", up)
