import numpy as np

from s4tok.synthetic.hidden import hidden_faces
from s4tok.synthetic.solids import box, cylinder, joined, standing, tube


def test_a_box_within_a_box_is_hidden_whole_and_the_other_not_at_all() -> None:
    inner, outer = box((1, 1, 1)), box((2, 2, 2))
    np.testing.assert_array_equal(
        hidden_faces([inner, outer]), np.repeat([True, False], [len(inner.faces), len(outer.faces)])
    )


def test_faces_that_touch_a_larger_one_are_hidden() -> None:
    table, book = standing(2, 1, 2), standing(0.5, 0.1, 0.5, (0, 1, 0))
    hidden = hidden_faces([table, book])
    assert not hidden[: len(table.faces)].any()
    normal = np.cross(*(book.vertices[book.faces[:, k]] - book.vertices[book.faces[:, 0]] for k in (1, 2)))
    np.testing.assert_array_equal(hidden[len(table.faces) :], normal[:, 1] < -1e-9)  # those that look down on the table


def test_only_what_is_inside_the_other_is_hidden() -> None:
    pole, ball = cylinder(0.1, 4, (0, -2, 0)), box((1, 1, 1), soft=0.2)
    assert not hidden_faces([pole, ball]).any()  # its faces run through and come out again
    bent = tube(np.array([[0, -2.0, 0], [0, -0.2, 0], [0, 0.2, 0], [0, 2, 0]]), 0.1)
    hidden = hidden_faces([bent, ball])
    middle = joined([bent, ball]).vertices[joined([bent, ball]).faces].mean(1)
    assert 0 < hidden.sum() < len(bent.faces)
    assert np.abs(middle[hidden]).max() < 0.5


def test_the_hollow_of_a_ring_hides_nothing() -> None:
    angle = np.linspace(0, 2 * np.pi, 25)
    ring = tube(np.column_stack([np.cos(angle), 0 * angle, np.sin(angle)]), 0.2)
    assert not hidden_faces([box((0.3, 0.1, 0.3)), ring]).any()
