"""What every stage asks of a dataset: where its results lie, what its entries are made from, and to be read ahead."""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok_cache import Fingerprint

Item = TypeVar("Item")


def root_of(cache: Path, clouds: CloudDataset) -> Path:
    """Say where all stages of a dataset's split put their results."""
    return cache / clouds.name / clouds.split


def fingerprints(clouds: CloudDataset) -> dict[str, Fingerprint]:
    """Say of every cloud what it is read or made from."""
    return {key: fingerprint(clouds, key) for key in clouds.keys}


def fingerprint(clouds: CloudDataset, key: str) -> Fingerprint:
    """Say what one cloud is read or made from."""
    try:
        origin = clouds.origin(key)
    except InputError:
        return Fingerprint(key, 0)  # what is wrong with it is found out, and told, when it is read
    return Fingerprint(origin.path, origin.size, origin.mtime_ns)


def seed_of(seed: int, *names: str | int) -> int:
    """Give one entry a seed of its own, so that neither order nor workers change what is drawn for it."""
    digest = blake2b("/".join(map(str, (seed, *names))).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1  # fits a signed integer of 64 bits


def ahead(items: Iterator[Item], depth: int) -> Iterator[Item]:
    """Run an iterator in a thread, at most `depth` items ahead of whoever consumes them."""
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

    thread = Thread(target=fill, daemon=True)
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
