"""P1: lose power at any moment, with any part of what was not synced; and see every broken protocol fail at it."""

import hashlib
import random
import shutil
from pathlib import Path

import pytest

from tests.torture.disk import (
    Call,
    Disk,
    Mutant,
    renamed_before_written,
    without_file_sync,
    without_folder_sync,
)
from tests.torture.faults import Recording
from tests.torture.tally import Tally, scaled
from tests.torture.toys import STAMP, expected, faults, fill, pack, tidy

ENTRIES = 12


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """Record a cache's whole life, from an empty disk on: filled, resumed, packed, tidied and filled up once more."""
    disk = tmp_path_factory.mktemp("disk")
    files = Recording()
    root = disk / "caches" / "toys" / "train"
    for n in (ENTRIES - 5, ENTRIES):
        fill(root, n, files=files, every=2, done=files.done)
    pack(root, files)
    tidy(root, files)
    assert not list((root / STAMP.folder).glob("seg-*"))
    fill(root, ENTRIES + 2, files=files, every=2, done=files.done)
    pack(root, files)
    tidy(root, files)
    return [_relative(call, disk) for call in files.calls]


def test_power_loss_loses_nothing_that_was_done(calls: list[Call], memory_path: Path, tally: Tally) -> None:
    verdicts: dict[bytes, list[str]] = {}
    for _ in range(scaled(8000)):
        wrong = _lose_power(calls, tally.random, memory_path / "state", verdicts)
        tally.check(not wrong, wrong)
    tally.seen["different states"] = len(verdicts)
    tally.settle(at_least=scaled(8000))


@pytest.mark.parametrize("mutant", [without_file_sync, without_folder_sync, renamed_before_written])
def test_power_loss_shows_a_protocol(mutant: Mutant, calls: list[Call], memory_path: Path, tally: Tally) -> None:
    mutated = mutant(calls)
    assert mutated != calls
    verdicts: dict[bytes, list[str]] = {}
    for _ in range(max(400, scaled(400))):
        is_broken = bool(_lose_power(mutated, tally.random, memory_path / "state", verdicts))
        tally.seen["states that show it" if is_broken else "that do not"] += 1
    tally.check(tally.seen["states that show it"] > 0, f"{mutant.__name__} went unnoticed")
    tally.settle()


def _lose_power(calls: list[Call], draw: random.Random, folder: Path, verdicts: dict[bytes, list[str]]) -> list[str]:
    """Stop at a random call, lose power, and read what is left as s4tok would."""
    disk, safe = Disk(), list[str]()
    for call in calls[: draw.randrange(len(calls) + 1)]:
        if call.what == "done":
            safe += call.content.decode().split()
        else:
            disk.replay(call)
    folders, files = disk.lose_power(draw, kept=draw.choice((0.1, 0.5, 0.9)))
    state = hashlib.sha256(repr((sorted(folders), sorted(files.items()), safe)).encode()).digest()
    if state not in verdicts:
        shutil.rmtree(folder, ignore_errors=True)
        for name in sorted(folders):
            (folder / name).mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        verdicts[state] = faults(folder / "caches" / "toys" / "train", safe, expected(ENTRIES + 2))
    return verdicts[state]


def _relative(call: Call, disk: Path) -> Call:
    """Take the recording off the disk it was made on."""
    path, target = (str(Path(p).relative_to(disk)) if p else "" for p in (call.path, call.target))
    return Call(call.what, path, target, call.inode, call.offset, call.content)
