"""Batches made by other processes before they are asked for, so that a GPU need not wait for them."""

from collections.abc import Callable
from functools import partial
from multiprocessing.pool import AsyncResult
from typing import Any, Generic, TypeVar

import torch

T = TypeVar("T")
_held: dict[str, Callable[[int], object]] = {}  # of a worker: what it was forked with


class Ahead(Generic[T]):
    """What a function makes of one number after another.

    Workers are forked, and know what the function knows; they cannot be begun once a GPU is in use.
    """

    def __init__(self, make: Callable[[int], T], workers: int) -> None:
        """Begin the workers; with none, everything is made when it is asked for."""
        self.make, self.workers = make, workers
        self.coming = dict[int, AsyncResult[T]]()
        if workers:
            self.pool = torch.multiprocessing.get_context("fork").Pool(workers, partial(_hold, make))

    def __call__(self, number: int) -> T:
        """Give what a number makes, and have those that follow made."""
        if not self.workers:
            return self.make(number)
        for coming in range(number, number + 2 * self.workers):
            if coming not in self.coming:
                self.coming[coming] = self.pool.apply_async(_made, (coming,))
        return self.coming.pop(number).get()


def _hold(make: Callable[[int], object]) -> None:
    torch.set_num_threads(1)
    _held["make"] = make


def _made(number: int) -> Any:
    return _held["make"](number)
