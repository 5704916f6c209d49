import numpy as np
import pytest

from s4tok.synthetic.categories import FIXTURES, category_of
from s4tok.synthetic.furniture import Kind, Procedural, anything, hangs, stands
from s4tok.synthetic.objects import Object, areas, make_object
from s4tok.synthetic.randomness import Draw


def test_a_made_piece_is_the_first_of_some_that_fits() -> None:
    def low(thing: Object) -> bool:
        return bool(thing.size[1] < 0.6)

    thing = Procedural().make(Kind("table", stand_in="table"), Draw(3), low)
    draw = Draw(3)
    tried = [make_object("table", draw.fork("table", attempt)) for attempt in range(40)]
    assert thing is not None
    np.testing.assert_array_equal(thing.vertices, next(each for each in tried if low(each)).vertices)


def test_a_kind_without_a_stand_in_is_not_made_and_takes_no_draw() -> None:
    draw = Draw(0)
    assert Procedural().make(Kind("piano", models=("grand piano",)), draw, anything) is None
    assert draw.between(0, 1) == Draw(0).between(0, 1)


def test_a_kind_asks_for_its_size_and_more_of_what_is_made() -> None:
    for seed in range(6):
        low = Procedural().make(Kind("x", stand_in="lamp", height=(0.1, 0.75), made=stands), Draw(seed), anything)
        high = Procedural().make(Kind("x", stand_in="lamp", made=hangs, level=1.5), Draw(seed), anything)
        assert low is not None
        assert high is not None
        assert low.size[1] <= 0.75
        assert not hangs(low)
        assert hangs(high)
        assert high.elevation == 1.5


@pytest.mark.parametrize("category", FIXTURES)
def test_every_fixture_stands_on_the_floor_with_all_its_parts(category: str) -> None:
    row, met = category_of(category), set()
    for number in range(8):
        thing = make_object(category, Draw(0, category, number))
        assert np.isfinite(thing.vertices).all()
        assert areas(thing.vertices, thing.faces).min() > 0
        assert thing.vertices[:, 1].min() == 0
        assert thing.size.max() < 2.0
        has = set(thing.parts.tolist())
        assert set(range(len(row.parts))) <= has
        met |= has
    assert met == set(range(len(row.all_parts)))
