import numpy as np
import pytest

from s4tok.datasets.shapenetpart import CATEGORIES
from s4tok.rendering.palette import UNKNOWN, colors_of_names, hexadecimal, paint
from s4tok.synthetic import buildings, scans

LEGENDS = [scans.CLASSES, buildings.CLASSES, *(parts for _, parts in CATEGORIES.values())]


@pytest.mark.parametrize("names", LEGENDS)
def test_no_two_names_of_a_legend_look_alike_and_none_looks_like_unknown(names: tuple[str, ...]) -> None:
    colors = np.concatenate([colors_of_names(names), [UNKNOWN]]).astype(int)
    apart = np.linalg.norm(colors[:, None] - colors, axis=2) + 1000 * np.eye(len(colors))
    assert apart.min() > 25


def test_a_names_colour_depends_on_the_names_before_it_alone() -> None:
    whole = colors_of_names(scans.CLASSES)
    np.testing.assert_array_equal(colors_of_names(scans.CLASSES[:6]), whole[:6])
    np.testing.assert_array_equal(colors_of_names(["chair", "sofa"])[0], colors_of_names(["chair", "bed"])[0])
    np.testing.assert_array_equal(colors_of_names(["sofa", "wall"])[1], colors_of_names(["wall", "bed"])[0])


def test_a_hundred_names_have_colours_too() -> None:
    assert colors_of_names([f"label {i}" for i in range(100)]).shape == (100, 3)
    assert colors_of_names([]).shape == (0, 3)


def test_points_wear_their_labels_colour_and_grey_where_there_is_none() -> None:
    colors = colors_of_names(["a", "b"])
    painted = paint(np.array([1, -1, 0]), colors)
    np.testing.assert_array_equal(painted, [colors[1], UNKNOWN, colors[0]])
    assert hexadecimal(np.array([255, 0, 16], np.uint8)) == "#ff0010"
