from collections.abc import Sequence

import numpy as np
import pytest

from s4tok.datasets.painting import FINE, Paint, Triangles, painted
from s4tok.shapes import Array

RED, BLUE, CLEAR = (1, 0, 0, 1), (0, 0, 1, 1), (0, 0, 0, 0)
GREY = np.full(3, 0.5, np.float32)


def _square(paint: int = 0) -> Triangles:
    corners = np.array([[[0, 0, 0], [1, 0, 0], [1, 1, 0]], [[0, 0, 0], [1, 1, 0], [0, 1, 0]]], np.float64)
    return Triangles(corners, corners[..., :2].copy(), np.full(2, paint), np.array([3, 4]))


def _picture(*rows: Sequence[tuple[float, ...]]) -> Paint:
    return Paint(GREY, picture=np.array(rows, np.float32))


def _area(corners: Array) -> Array:
    areas: Array = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    return areas


def test_a_face_without_a_picture_or_without_a_place_in_it_has_its_materials_colour() -> None:
    seen, color = painted(_square(), [Paint(np.array([0.1, 0.2, 0.3], np.float32))])
    assert len(seen.corners) == 2
    np.testing.assert_allclose(color, np.broadcast_to([0.1, 0.2, 0.3], (2, 3, 3)), atol=1e-6)
    lost = _square()
    lost.uv[:, 0] = np.nan
    seen, color = painted(lost, [_picture([RED])])
    assert len(seen.corners) == 2
    np.testing.assert_array_equal(color, 0.5)


def test_a_textured_square_shows_its_picture_upright_and_keeps_area_and_labels() -> None:
    picture = _picture([RED, RED], [BLUE, (0, 1, 0, 1)])  # above red, below blue to the left and green to the right
    seen, color = painted(_square(), [picture])
    assert _area(seen.corners).sum() == pytest.approx(1)
    assert _area(seen.corners[seen.labels == 3]).sum() == pytest.approx(0.5)
    sides = np.linalg.norm(seen.corners - np.roll(seen.corners, 1, axis=1), axis=2)
    assert sides.max() <= FINE
    coarse, _ = painted(_square(), [picture], fine=0.5)
    assert FINE < np.linalg.norm(coarse.corners - np.roll(coarse.corners, 1, axis=1), axis=2).max() <= 0.5
    assert _area(coarse.corners).sum() == pytest.approx(1)
    middle, shown = seen.corners.mean(axis=1), color.mean(axis=1)
    for (low, high), expected in (
        (((0.05, 0.55), (0.95, 0.95)), (1, 0, 0)),
        (((0.05, 0.05), (0.45, 0.45)), (0, 0, 1)),
        (((0.55, 0.05), (0.95, 0.45)), (0, 1, 0)),
    ):
        inside = ((middle[:, :2] > low) & (middle[:, :2] < high)).all(axis=1)
        np.testing.assert_allclose(shown[inside], np.broadcast_to(expected, (inside.sum(), 3)), atol=1e-6)


def test_a_picture_repeats_and_one_far_finer_than_the_faces_gives_its_mean() -> None:
    checks = _picture(*([RED, BLUE] * 32, [BLUE, RED] * 32) * 32)
    tiled = _square()
    tiled.uv[...] = tiled.uv * 40 - 7
    _, color = painted(tiled, [checks])
    np.testing.assert_allclose(color, np.broadcast_to([0.5, 0, 0.5], color.shape), atol=1e-6)
    shifted = _square()
    shifted.uv[...] -= 7
    halves = _picture([RED, BLUE])
    np.testing.assert_array_equal(painted(shifted, [halves])[1], painted(_square(), [halves])[1])


def test_holes_of_a_picture_are_holes_and_lend_no_colour_to_their_rim() -> None:
    seen, color = painted(_square(), [_picture(*[[RED, CLEAR]] * 2)])
    assert _area(seen.corners).sum() == pytest.approx(0.5, abs=FINE)
    assert seen.corners[..., 0].max() <= 0.5 + FINE
    assert (
        color[..., 0].min() > 0.99 or (color[..., 0][color[..., 0] < 0.99] == 0).all()
    )  # red, or a corner in the hole


def test_what_is_all_but_clear_is_left_out_and_glass_stays() -> None:
    both = Triangles(*(np.concatenate([getattr(_square(number), each) for number in (0, 1)]) for each in (
        "corners", "uv", "paint_of", "labels"
    )))  # fmt: skip
    seen, _ = painted(both, [Paint(GREY, 0.001), Paint(GREY, 0.2)])
    assert set(seen.paint_of.tolist()) == {1}
    assert len(seen.corners) == 2
