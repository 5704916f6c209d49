import pytest

from s4tok.counted import counted, in_short


@pytest.mark.parametrize(("n", "says"), [(0, "0 clouds"), (1, "1 cloud"), (2, "2 clouds"), (3000, "3,000 clouds")])
def test_a_number_of_things_has_its_plural(n: int, says: str) -> None:
    assert counted(n, "cloud") == says


def test_a_plural_of_its_own_is_named() -> None:
    assert [counted(n, "box", "boxes") for n in (1, 2)] == ["1 box", "2 boxes"]


@pytest.mark.parametrize(("names", "says"), [("", ""), ("ab", "a, b"), ("abc", "a, b, c"), ("abcd", "a, b, c, ...")])
def test_of_many_names_the_first_few_are_said(names: str, says: str) -> None:
    assert in_short(list(names)) == says
    assert in_short(list("abc"), 2) == "a, b, ..."
