import pytest

from s4tok.counted import counted


@pytest.mark.parametrize(("n", "says"), [(0, "0 clouds"), (1, "1 cloud"), (2, "2 clouds"), (3000, "3,000 clouds")])
def test_a_number_of_things_has_its_plural(n: int, says: str) -> None:
    assert counted(n, "cloud") == says
