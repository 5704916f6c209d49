"""What is needed soon, read ahead of its turn."""

import time
from collections.abc import Generator, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

NAME = "read ahead"
PATIENCE = 60.0  # seconds that the item in hand may take once nobody waits for it


class Timed(Iterator[Item]):
    """An iterator that knows how many seconds its consumer has waited for it."""

    def __init__(self, items: Iterator[Item]) -> None:
        self.items, self.waited = items, 0.0

    def __next__(self) -> Item:
        start = time.monotonic()
        try:
            return next(self.items)
        finally:
            self.waited += time.monotonic() - start

    def close(self) -> None:
        """Give up what is left of it."""
        if isinstance(self.items, Generator):
            self.items.close()


def ahead(items: Iterator[Item], depth: int) -> Generator[Item]:
    """Run an iterator in a thread, at most `depth` items ahead of whoever consumes them.

    Closing it waits for the item in hand: a thread that is still in PyTorch or HDF5 while Python ends can keep it from
    ending.
    """
    waiting: Queue[tuple[bool, Item | BaseException | None]] = Queue(depth)
    stopped = Event()

    def put(what: tuple[bool, Item | BaseException | None]) -> None:
        while not stopped.is_set():
            try:
                waiting.put(what, timeout=0.1)
            except Full:
                continue
            return

    def fill() -> None:
        try:
            for item in items:
                put((True, item))
                if stopped.is_set():
                    return
            put((False, None))
        except BaseException as error:
            put((False, error))

    thread = Thread(target=fill, name=NAME, daemon=True)
    thread.start()
    try:
        while True:
            try:
                is_item, item = waiting.get(timeout=0.5)  # so that a signal is heard
            except Empty:
                continue
            if is_item:
                yield item  # type: ignore[misc]
            elif item is None:
                return
            else:
                raise item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join(PATIENCE)
