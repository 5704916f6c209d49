import threading
import time
from collections.abc import Iterator

import pytest

from s4tok_pipelines.prefetch import NAME, Timed, ahead


def reading() -> int:
    return sum(each.name == NAME for each in threading.enumerate())


def slow(count: int) -> Iterator[int]:
    for number in range(count):
        time.sleep(0.02)
        yield number


def test_it_is_known_how_long_one_waited_and_closing_ends_what_is_left() -> None:
    timed = Timed(ahead(slow(5), 1))
    assert next(timed) == 0
    assert 0.01 < timed.waited < 2
    waited = timed.waited
    time.sleep(0.3)  # nobody waits meanwhile
    assert next(timed) == 1
    assert timed.waited - waited < 0.2
    timed.close()
    assert reading() == 0
    assert list(timed) == []


def test_items_come_in_order_and_an_error_in_its_place() -> None:
    def broken() -> Iterator[int]:
        yield from range(3)
        raise ValueError("the fourth")

    assert list(ahead(iter(range(50)), 3)) == list(range(50))
    items, found = ahead(broken(), 2), list[int]()
    with pytest.raises(ValueError, match="the fourth"):
        found.extend(iter(items))
    assert found == [0, 1, 2]
    assert not reading()


def test_no_more_is_read_ahead_than_is_said() -> None:
    taken = list[int]()
    items = ahead((taken.append(number) or number for number in range(100)), 3)  # type: ignore[func-returns-value]
    assert next(items) == 0
    time.sleep(0.2)
    assert len(taken) <= 5  # three that wait, one that was taken, one in hand
    items.close()


def test_no_thread_is_left_where_it_is_closed_or_what_consumes_it_fails() -> None:
    items = ahead(slow(1000), 3)
    assert next(items) == 0
    assert reading() == 1
    items.close()
    assert not reading()
    with pytest.raises(KeyError):
        _fails(ahead(slow(1000), 3))
    assert not reading()


def _fails(items: Iterator[int]) -> None:
    for _ in items:
        raise KeyError
