"""Boxes around things, upright and turned about the vertical: those a dataset knows, and those that are found."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike

from s4tok.errors import InputError
from s4tok.shapes import Array, Bool, Float64, Int

DIGITS = 6  # after the point, where boxes are written


@dataclass(frozen=True, eq=False)
class OrientedBoxes:
    """Boxes of one cloud, in its coordinates.

    A size is the width, the depth and the height, full lengths. Seen from above, the width lies at `yaw` radians
    counterclockwise from +x (where x is up: from +z) and the depth a right angle further. Another axis up changes
    centres alone (`s4tok.geometry.box_frames`).
    """

    labels: Int[Array, " o"]  # index into the dataset's `box_classes`
    centers: Float64[Array, "o 3"]
    sizes: Float64[Array, "o 3"]
    yaws: Float64[Array, " o"]  # above -pi, at most pi
    instances: Int[Array, " o"] | None = None  # of true boxes: their ids in the cloud's `instances`
    scores: Float64[Array, " o"] | None = None  # of found boxes, the higher the surer

    @classmethod
    def of(
        cls,
        labels: ArrayLike,
        centers: ArrayLike,
        sizes: ArrayLike,
        yaws: ArrayLike | None = None,
        *,
        instances: ArrayLike | None = None,
        scores: ArrayLike | None = None,
    ) -> "OrientedBoxes":
        """Validate boxes; without yaws they are along the axes.

        Raises:
            InputError: For numbers that are not finite, sizes below 0, and numbers of rows that differ.
        """
        whole = np.asarray(labels, np.int64).reshape(-1)
        turned = np.zeros(len(whole)) if yaws is None else np.asarray(yaws, np.float64).reshape(-1)
        arrays: dict[str, Array] = {
            "labels": whole,
            "centers": np.asarray(centers, np.float64).reshape(-1, 3),
            "sizes": np.asarray(sizes, np.float64).reshape(-1, 3),
            "yaws": np.pi - (np.pi - turned) % (2 * np.pi),
        }
        if instances is not None:
            arrays["instances"] = np.asarray(instances, np.int64).reshape(-1)
        if scores is not None:
            arrays["scores"] = np.asarray(scores, np.float64).reshape(-1)
        if len({len(array) for array in arrays.values()}) > 1:
            counts = ", ".join(f"{len(array)} {name}" for name, array in arrays.items())
            raise InputError(f"boxes must have as many of everything, and these have {counts}.")
        if not all(np.isfinite(array).all() for array in arrays.values()) or (arrays["sizes"] < 0).any():
            raise InputError("boxes must have finite numbers, and sizes of at least 0.")
        return cls(**arrays)

    @classmethod
    def none(cls) -> "OrientedBoxes":
        """Give no boxes."""
        return cls.of([], [], [])

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, which: Int[Array, " k"] | Bool[Array, " o"]) -> "OrientedBoxes":
        """Keep some boxes, by index or by mask."""
        arrays: dict[str, Array] = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: array[which] for name, array in arrays.items() if array is not None})

    def moved(self, offset: Float64[Array, "3"]) -> "OrientedBoxes":
        """Shift them."""
        return replace(self, centers=self.centers + offset)

    def rows(self) -> Float64[Array, "o 7"]:
        """Give centre, size and yaw in a row; where z is up, `s4tok.geometry.boxes` computes with them."""
        return np.column_stack([self.centers, self.sizes, self.yaws])

    @classmethod
    def of_rows(cls, rows: ArrayLike, labels: ArrayLike, scores: ArrayLike | None = None) -> "OrientedBoxes":
        """Make boxes of what `rows` gives."""
        numbers = np.asarray(rows, np.float64).reshape(-1, 7)
        return cls.of(labels, numbers[:, :3], numbers[:, 3:6], numbers[:, 6], scores=scores)


def box_records(boxes: OrientedBoxes, names: Sequence[str]) -> list[dict[str, object]]:
    """Give each box as plain names and values."""
    scores = [None] * len(boxes) if boxes.scores is None else boxes.scores.round(DIGITS).tolist()
    columns = (
        boxes.centers.round(DIGITS).tolist(),
        boxes.sizes.round(DIGITS).tolist(),
        boxes.yaws.round(DIGITS).tolist(),
    )
    return [
        {"label": names[label], "score": score, "center": center, "size": size, "yaw": yaw}
        for label, score, center, size, yaw in zip(boxes.labels, scores, *columns, strict=True)
    ]
