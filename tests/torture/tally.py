"""Count what held and what did not, so that a torture test can say `N passed, M failed` and its seed."""

import os
import random
import sys
import time
from collections import Counter

KILLS_IN_CI = 200
KILLS_IN_A_SMOKE_TEST = 4
FAILURES_TOLD = 5
SECONDS_BETWEEN_LINES = 60.0  # that a long run prints under `pytest -s`


def seed() -> int:
    return int(os.environ.get("SEED") or 0)


def scaled(at_ci: int) -> int:
    """Scale a count of CI to this run: `TORTURE` is the number of kills, and all else keeps its proportion to it."""
    kills = int(os.environ.get("TORTURE") or KILLS_IN_A_SMOKE_TEST)
    return max(1, at_ci * kills // KILLS_IN_CI)


def is_smoke_test() -> bool:
    """Tell whether only a little of every test was asked for, as `make test-slow` does."""
    return "TORTURE" not in os.environ


class Tally:
    """One test's count; `random` is its own stream, so no test's draws move another's."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.random = random.Random(f"{seed()} {name}")
        self.passed = 0
        self.failures: list[str] = []
        self.seen: Counter[str] = Counter()
        self._told = time.monotonic()

    def shuffled(self, keys: list[str]) -> list[str]:
        return self.random.sample(keys, len(keys))

    def check(self, holds: bool, otherwise: object) -> None:
        """Count one thing that had to hold, and keep what to say when it did not."""
        if holds:
            self.passed += 1
        else:
            self.failures.append(str(otherwise))
        if time.monotonic() - self._told > SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            print(self, file=sys.stderr, flush=True)

    def settle(self, at_least: int = 1) -> None:
        """Fail the test when anything failed, or when fewer things were tried than were promised."""
        told = "\n  ".join(self.failures[:FAILURES_TOLD])
        assert not self.failures, f"{self}\n  {told}"
        assert self.passed >= at_least, f"{self}; {at_least} were promised"

    def __bool__(self) -> bool:
        """Tell whether anything was counted; a skipped test has nothing to say."""
        return bool(self.passed or self.failures)

    def __str__(self) -> str:
        seen = "".join(f", {count} {what}" for what, count in self.seen.items())
        return f"{self.name}: {self.passed} passed, {len(self.failures)} failed{seen} (seed {seed()})"
