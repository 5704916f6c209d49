"""Random draws that depend on a seed and a name alone, never on what was drawn for another name before."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from s4tok.randomness import hashed

Option = TypeVar("Option")


class Draw:
    """A stream of random decisions for one thing of the world, the same on every machine and in every order."""

    def __init__(self, seed: int, *names: str | int) -> None:
        self.generator = np.random.Generator(np.random.PCG64(hashed(seed, *names, n_bytes=16)))

    def between(self, low: int | float, high: int | float) -> float:
        """Draw a length, an angle or a ratio."""
        return float(low + (high - low) * self.generator.random())

    def count(self, low: int, high: int) -> int:
        """Draw a number of things, both ends included."""
        return int(self.generator.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """Decide whether something is there."""
        return float(self.generator.random()) < probability

    def pick(self, options: Sequence[Option]) -> Option:
        """Pick one of several, each as likely as the others."""
        return options[int(self.generator.integers(len(options)))]

    def fork(self, *names: str | int) -> "Draw":
        """Start a stream of its own for a thing within this one; it takes one draw of this stream."""
        return Draw(int(self.generator.integers(2**62)), *names)
