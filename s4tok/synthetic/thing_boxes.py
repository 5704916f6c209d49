"""The boxes of the things of a made room: as they stand there, whole, turned as their fronts are."""

from collections.abc import Iterable

import numpy as np

from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Float64
from s4tok.synthetic.scenes import Scene


def thing_boxes(scene: Scene, things: Iterable[int], classes: Iterable[int]) -> OrientedBoxes:
    """Measure things along their own fronts and sides; `classes` are their labels."""
    known = list(things)
    order = np.argsort(scene.things, kind="stable")
    first, last = (np.searchsorted(scene.things[order], known, side) for side in ("left", "right"))
    measured = [
        _measured(scene, order[start:end], scene.headings[thing])
        for start, end, thing in zip(first, last, known, strict=True)
    ]
    centers_and_sizes: Array = np.array(measured).reshape(-1, 2, 3)
    headings = [scene.headings[thing] for thing in known]
    return OrientedBoxes.of(list(classes), centers_and_sizes[:, 0], centers_and_sizes[:, 1], headings, instances=known)


def _measured(scene: Scene, faces: Array, heading: float) -> tuple[Float64[Array, "3"], Float64[Array, "3"]]:
    """Give the centre and the size of a thing."""
    points = scene.vertices[np.unique(scene.faces[faces])]
    cosine, sine = np.cos(heading), np.sin(heading)
    turn = np.array([(cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0)])  # into the thing's own frame
    own = points @ turn.T
    low, high = own.min(0), own.max(0)
    return (low + high) / 2 @ turn, high - low
