"""A folder of files as a user has them: objects and a room."""

from pathlib import Path

import numpy as np

from s4tok.synthetic.datasets import ToyShapes


def chairs_and_a_hall(root: Path) -> Path:
    """Write two chairs, and a hall in metres with z up."""
    shapes = ToyShapes("val")
    for name in "ab":
        np.save(root / f"{name}-chair.npy", shapes[shapes.keys[6]].xyz)
    hall = np.random.default_rng(0).uniform(0, [5, 4, 2.5], (3000, 3))
    hall[:1500, 2] = hall[1500:2250, 0] = hall[2250:, 1] = 0
    np.save(root / "hall.npy", hall)
    return root
