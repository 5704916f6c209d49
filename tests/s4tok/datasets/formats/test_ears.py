from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s4tok.datasets.formats.ears import cut_ears
from s4tok.shapes import Array

LETTER_L = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]
# A window: a hole that a seam leads to, so that two corners come twice.
WINDOW = [(0, 0), (4, 0), (4, 4), (0, 4), (0, 0), (1, 1), (1, 3), (3, 3), (3, 1), (1, 1)]


def _in_space(flat: Sequence[tuple[float, float]], seed: int = 0) -> Array:
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    placed: Array = np.array([(x, y, 0.0) for x, y in flat]) @ turn + 7
    return placed


def _areas(points: Array, triangles: Array) -> Array:
    corners = points[triangles]
    areas: Array = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    return areas


@pytest.mark.parametrize("turned_round", [False, True])
@pytest.mark.parametrize(("flat", "area"), [(LETTER_L, 3), (WINDOW, 12), (LETTER_L[:4], 1.5)])
def test_triangles_of_a_polygon_have_its_area_whichever_way_round_it_goes(
    flat: Sequence[tuple[float, float]], area: float, turned_round: bool
) -> None:
    points = _in_space(flat[::-1] if turned_round else flat)
    triangles = cut_ears(points, np.array([len(flat)]))
    assert len(triangles) == len(flat) - 2
    assert _areas(points, triangles).sum() == pytest.approx(area)


@given(st.lists(st.floats(0.2, 1.0), min_size=4, max_size=24))
def test_triangles_of_a_star_neither_overlap_nor_leave_gaps(radii: list[float]) -> None:
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    flat = np.stack([np.array(radii) * np.cos(angles), np.array(radii) * np.sin(angles)], axis=1)
    rolled = np.roll(flat, -1, axis=0)
    area = (flat[:, 0] * rolled[:, 1] - flat[:, 1] * rolled[:, 0]).sum() / 2
    points = np.pad(flat, ((0, 0), (0, 1)))
    assert _areas(points, cut_ears(points, np.array([len(radii)]))).sum() == pytest.approx(area)


def test_polygons_keep_their_order_and_lines_and_points_give_nothing() -> None:
    square, letter = _in_space([(0, 0), (1, 0), (1, 1), (0, 1)]), _in_space(LETTER_L)
    points = np.concatenate([square, letter[:2], letter, square[:1]])
    triangles = cut_ears(points, np.array([4, 2, 6, 1]))
    assert (triangles[:2] < 4).all()
    assert ((triangles[2:] >= 6) & (triangles[2:] < 12)).all()
    assert _areas(points, triangles).sum() == pytest.approx(4)
