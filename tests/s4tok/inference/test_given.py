from typing import Any

import numpy as np
import pytest
import torch

import s4tok
from s4tok.errors import InputError, S4TokError, UsageError
from s4tok.inference.given import for_each, is_several
from s4tok.inference.loading import Checkpoint
from s4tok.models.checkpoint import TrainedModel

POINTS = np.random.default_rng(0).random((60, 3))
BROKEN = np.where(np.arange(60)[:, None] == 7, np.nan, POINTS)


@pytest.mark.parametrize(
    ("points", "given", "kind", "says"),
    [
        (BROKEN, {}, InputError, "points: 1 of 60 points are not finite, the first at index 7"),
        (torch.from_numpy(BROKEN), {}, InputError, "points: 1 of 60 points are not finite"),
        ([POINTS, BROKEN], {}, InputError, r"points\[1\]: 1 of 60 points are not finite"),
        (np.ones((60, 6)), {}, InputError, r"points must be an \(n, 3\) array, and these are \(60, 6\)"),
        (POINTS[None], {}, InputError, r"points must be an \(n, 3\) array, and these are \(1, 60, 3\)"),
        ([], {}, InputError, r"points must be an \(n, 3\) array, and these are \(0,\)"),
        (POINTS[:1], {}, InputError, "a cloud needs at least 2 points"),
        (POINTS, {"colour": POINTS}, UsageError, "no argument is called 'colour'; there are: superpoints, color"),
        (POINTS, {"up": "w"}, UsageError, "no axis is called 'w'; there are: x, y, z"),
        (POINTS, {"scene": "tree"}, UsageError, "no kind of scene is called 'tree'; there are: object, room"),
        (POINTS, {"superpoints": np.zeros(59, int)}, InputError, "there must be 60 superpoint ids"),
        (POINTS, {"color": 300 * np.ones((60, 3))}, InputError, "colours must lie in 0 .. 1"),
        (POINTS, {"normals": np.ones((59, 3))}, InputError, r"normals must be \(60, 3\), one row a point"),
        ([POINTS] * 3, {"color": [None] * 2}, InputError, "of 3 clouds, color must be a list of 3"),
        ([POINTS] * 3, {"superpoints": np.zeros(3)}, InputError, "of 3 clouds, superpoints must be a list of 3"),
        (s4tok.PointCloud.of(POINTS), {"color": POINTS}, InputError, "colours and normals of a PointCloud are its own"),
    ],
)
def test_what_no_cloud_can_be_is_one_sentence(
    checkpoint: TrainedModel, points: Any, given: dict[str, Any], kind: type[S4TokError], says: str
) -> None:
    with pytest.raises(kind, match=says):
        s4tok.segment(points, ["seat"], Checkpoint(checkpoint), **given)


@pytest.mark.parametrize(
    ("labels", "says"),
    [([], "--labels names nothing"), ("seat,seat", "names 'seat' twice"), (["back ", " back"], "names 'back' twice")],
)
def test_words_are_read_as_the_command_line_reads_them(checkpoint: TrainedModel, labels: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        s4tok.segment(POINTS, labels, Checkpoint(checkpoint))
    with pytest.raises(UsageError, match=says):
        s4tok.classify(POINTS, labels, Checkpoint(checkpoint))


def test_rows_of_numbers_are_one_cloud_and_a_list_of_arrays_several() -> None:
    assert not is_several(POINTS)
    assert not is_several(POINTS.tolist())
    assert not is_several(list(POINTS))
    assert not is_several(torch.from_numpy(POINTS))
    assert is_several([POINTS])
    assert is_several((s4tok.PointCloud.of(POINTS), POINTS))
    assert for_each(POINTS.tolist(), {}, lambda each: len(each.cloud)) == 60
    assert for_each([POINTS], {}, lambda each: len(each.cloud)) == [60]
    with pytest.raises(InputError, match="points must be real numbers, and these have dtype <U9"):
        for_each("chair.ply", {}, lambda each: len(each.cloud))
