import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok_cache import ArraySpec, CacheReader, Fingerprint, Layout, Shard, Stamp, Store
from s4tok_pipelines.report import Failure, Item, Report, silent
from s4tok_pipelines.run_stage import Content, Work, run_stage
from s4tok_pipelines.workers import Done

SQUARES = Layout("squares", 1, {"square": ArraySpec("int64", "1", "of the number")}, "square", {"is_even": int})
STAMP = Stamp("square")
EXPECTED = {f"{number}": Fingerprint(f"{number}", 10 + number) for number in range(6)}


@dataclass
class Squares:
    """Work that squares numbers, last first, fails at some of them, and can be stopped."""

    broken: tuple[str, ...] = ()
    stop_at: str = ""
    made: list[str] = field(default_factory=list)
    is_closed: bool = False

    def make(self, keys: list[str]) -> Generator[Done[str, int]]:
        try:
            for key in reversed(keys):
                if key == self.stop_at:
                    raise KeyboardInterrupt
                self.made.append(key)
                yield Done(key, reason="it is broken.") if key in self.broken else Done(key, int(key) ** 2)
        finally:
            self.is_closed = True

    @property
    def work(self) -> Work[int]:
        return Work("Squaring", self.make, lambda square: Content({"square": np.array([square])}, {"is_even": 1}))


class Listening(Report):
    def __init__(self) -> None:
        self.told: list[tuple[str, int | None, int]] = []
        self.failed: list[float] = []

    def steps(self, items: Iterable[Item], text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        self.told.append((text, total, done))
        for self.count, item in enumerate(items, 1):  # as a progress bar does, and no `yield from`, which closes them
            yield item

    def gauge(self, **figures: float) -> None:
        self.failed.append(figures["failed"])
        self.share_writing = figures["share_writing"]


def resumed(root: Path, **more: object) -> Store:
    return Store.resume(root, SQUARES, STAMP, **more)  # type: ignore[arg-type]


def squares(root: Path) -> dict[str, int]:
    reader = CacheReader(root, SQUARES, STAMP)
    return {key: int(reader.read(key)["square"][0]) for key in reader}


def test_what_is_missing_is_made_and_kept_and_what_cannot_be_is_told_in_order(tmp_path: Path) -> None:
    squaring, listener = Squares(broken=("4", "1")), Listening()
    outcome = run_stage(resumed(tmp_path), EXPECTED, squaring.work, listener)
    assert (outcome.made, outcome.present, outcome.out) == (4, 0, tmp_path / STAMP.folder)
    assert outcome.failures == [Failure("1", "it is broken."), Failure("4", "it is broken.")]
    assert outcome.seconds > 0
    assert squares(tmp_path) == {"0": 0, "2": 4, "3": 9, "5": 25}
    assert listener.told == [("Squaring", 6, 0)]
    assert listener.failed == [0, 1, 1, 1, 2, 2]


def test_it_is_told_what_share_of_the_time_goes_into_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, listener = Store.write, Listening()

    def slow(*of: Any, **more: Any) -> list[str]:
        time.sleep(0.05)
        return write(*of, **more)

    monkeypatch.setattr(Store, "write", slow)
    run_stage(resumed(tmp_path), EXPECTED, Squares().work, listener)
    assert 0.5 < listener.share_writing <= 1


def test_another_run_makes_only_what_failed_or_has_changed(tmp_path: Path) -> None:
    run_stage(resumed(tmp_path), EXPECTED, Squares(broken=("4",)).work, silent)
    squaring, listener = Squares(), Listening()
    changed = {**EXPECTED, "2": Fingerprint("2", 99)}
    outcome = run_stage(resumed(tmp_path), changed, squaring.work, listener)
    assert sorted(squaring.made) == ["2", "4"]
    assert (outcome.made, outcome.present, outcome.failures) == (2, 4, [])
    assert listener.told == [("Squaring", 6, 4)]


def test_a_stop_keeps_what_was_made_ends_the_work_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_stage(resumed(tmp_path), EXPECTED, Squares(stop_at="2").work, silent)
    assert squares(tmp_path) == {"3": 9, "4": 16, "5": 25}
    outcome = run_stage(resumed(tmp_path), EXPECTED, Squares().work, silent)
    assert (outcome.made, outcome.present) == (3, 3)


def test_work_is_ended_at_once_when_a_result_cannot_be_kept(tmp_path: Path) -> None:
    squaring = Squares()

    def refuse(square: int) -> Content:
        raise ValueError(f"nobody keeps {square}")

    with pytest.raises(ValueError, match="nobody keeps 25") as caught:
        run_stage(resumed(tmp_path), EXPECTED, Work("Squaring", squaring.make, refuse), Listening())
    assert squaring.is_closed, caught  # whose traceback holds everything else alive


def test_shards_share_the_work_and_overwriting_makes_all_of_it_anew(tmp_path: Path) -> None:
    outcomes = [run_stage(resumed(tmp_path, shard=Shard(part, 2)), EXPECTED, Squares().work, silent) for part in (0, 1)]
    assert sum(outcome.made for outcome in outcomes) == 6
    assert all(0 < outcome.made < 6 for outcome in outcomes)
    assert len(squares(tmp_path)) == 6
    assert run_stage(resumed(tmp_path, overwrite=True), EXPECTED, Squares().work, silent).made == 6
