import numpy as np

from s4tok.datasets.dataset import Frame
from s4tok.rendering.mask_votes import MaskVotes, mask_at_points
from s4tok.shapes import Array

HEIGHT, WIDTH = 48, 64
INTRINSICS = np.array([[60.0, 0, 31.5], [0, 60.0, 23.5], [0, 0, 1]])


def frame(depth: Array, shift: float = 0.0) -> Frame:
    """A camera that looks along +z from the origin, or from so far to its right."""
    pose = np.eye(4)
    pose[0, 3] = shift
    color = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return Frame("0", color, depth.astype(np.float32), INTRINSICS, INTRINSICS, pose)


def at(row: int, column: int, z: float = 2.0) -> list[float]:
    return [(column - 31.5) / 60 * z, (row - 23.5) / 60 * z, z]


def test_a_point_takes_the_mask_at_its_own_pixel_and_not_at_a_shifted_or_transposed_one() -> None:
    ids = np.zeros((HEIGHT, WIDTH), np.int32)
    ids[5:15, 40:60] = 300
    rows, columns = np.indices((HEIGHT, WIDTH)).reshape(2, -1)
    points = np.array([at(row, column) for row, column in zip(rows, columns, strict=True)])
    visible, masks = mask_at_points(points, frame(np.full((HEIGHT, WIDTH), 2.0)), ids)
    assert visible.all()
    np.testing.assert_array_equal(masks.reshape(HEIGHT, WIDTH), ids)


def test_what_stands_behind_the_measured_surface_or_before_it_gets_no_mask() -> None:
    ids = np.full((HEIGHT, WIDTH), 9, np.int32)
    points = np.array([at(20, 30, z) for z in (2.0, 2.09, 1.91, 2.2, 1.8, -2.0)])
    visible, masks = mask_at_points(points, frame(np.full((HEIGHT, WIDTH), 2.0)), ids)
    assert visible.tolist() == [True, True, True, False, False, False]
    assert masks.tolist() == [9, 9, 9, 0, 0, 0]


def halves(n: int = 12) -> Array:
    return np.array([at(20, column) for column in np.linspace(5, 58, n).round().astype(int)])


def test_masks_of_two_frames_are_one_region_where_they_share_most_points_whatever_they_are_called() -> None:
    depth, votes = np.full((HEIGHT, WIDTH), 2.0), MaskVotes(halves())
    left = np.arange(WIDTH) < 32
    votes.add(frame(depth), np.tile(np.where(left, 1, 2), (HEIGHT, 1)))
    first = votes.ids.copy()
    votes.add(frame(depth), np.tile(np.where(left, 77, 5), (HEIGHT, 1)))
    np.testing.assert_array_equal(votes.ids, first)
    assert len(np.unique(votes.ids)) == 2


def test_most_frames_decide_and_the_earliest_of_equals() -> None:
    depth, votes = np.full((HEIGHT, WIDTH), 2.0), MaskVotes(halves())
    halved = np.tile(np.where(np.arange(WIDTH) < 32, 1, 2), (HEIGHT, 1))
    whole = np.ones_like(halved)
    votes.add(frame(depth), halved)
    votes.add(frame(depth), whole)  # one frame for each: the earlier stays
    assert len(np.unique(votes.ids)) == 2
    votes.add(frame(depth), halved)
    assert len(np.unique(votes.ids)) == 2
    turned = MaskVotes(halves())
    for ids in (whole, halved, halved):
        turned.add(frame(depth), ids)
    assert len(np.unique(turned.ids)) == 2


def test_a_frame_that_sees_nothing_and_points_that_no_frame_sees_stay_without() -> None:
    votes = MaskVotes(np.array([at(20, 10), at(20, 20), at(20, 30, -3.0)]))
    votes.add(frame(np.zeros((HEIGHT, WIDTH))), np.ones((HEIGHT, WIDTH), np.int32))
    assert votes.ids.tolist() == [0, 0, 0]
    votes.add(frame(np.full((HEIGHT, WIDTH), 2.0)), np.ones((HEIGHT, WIDTH), np.int32))
    assert votes.ids.tolist() == [1, 1, 0]
