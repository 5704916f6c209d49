"""D1: a disk that runs full ends a run with one clear error, and leaves everything that was done."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from s4tok_cache.files import FileSystem
from s4tok_cache.pack import pack
from tests.torture.tally import Tally, scaled
from tests.torture.toys import STAMP, exit_code, expected, faults, fill, in_child

ENTRIES = 700  # some 4 MiB
NO_SPACE = 7  # the exit code of s4tok for it


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount a file system in memory of some bytes."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "torture", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"needs to mount a tmpfs: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def until_full(root: Path, journal: Path, every: int) -> int:
    """Work as a stage does, and answer a full disk as the command line does."""
    with journal.open("a") as note:

        def done(keys: list[str]) -> None:
            note.writelines(f"{key}\n" for key in keys)
            note.flush()

        try:
            fill(root, ENTRIES, every=every, done=done)
        except OSError as error:
            return NO_SPACE if error.errno == errno.ENOSPC and str(root) in str(error) else 1
    return 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_full_disk_loses_nothing_that_was_done(memory_path: Path, tally: Tally) -> None:
    wanted = expected(ENTRIES)
    for turn in range(scaled(20)):
        journal = memory_path / f"journal-{turn}"
        journal.touch()
        with small_disk(memory_path / str(turn), tally.random.randrange(1 << 20, 2 << 20)) as disk:
            root = disk / "train"
            code = exit_code(in_child(partial(until_full, root, journal, tally.random.randrange(4, 64))))
            safe = journal.read_text().split()
            wrong = faults(root, safe, wanted) if code == NO_SPACE else [f"it ended with {code}"]
            litter = sorted(path.name for path in (root / STAMP.folder).glob(".*.tmp"))
            subprocess.run(["mount", "-o", "remount,size=64M", str(disk)], check=True)
            fill(root, ENTRIES, every=64)
            wrong += faults(root, wanted, wanted)
            tally.check(not wrong and not litter, f"{wrong} {litter}")
            tally.seen["entries done when it was full"] += len(safe)
    tally.settle(at_least=scaled(20))


class Boastful(FileSystem):
    """Claim plenty of room once, as a disk does that others fill in the meantime."""

    asked = False

    def free(self, path: Path) -> int:
        room, self.asked = super().free(path) if self.asked else 1 << 40, True
        return room


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_disk_that_fills_up_while_packing_costs_only_the_packed_file(memory_path: Path, tally: Tally) -> None:
    wanted = expected(200)
    for turn in range(scaled(20)):
        with small_disk(memory_path / str(turn), 16 << 20) as disk:
            root = disk / "train"
            fill(root, len(wanted), every=64)
            packed = pack(root / STAMP.folder, settling=0)
            packed.path.unlink()
            room = tally.random.randrange(packed.bytes)
            (disk / "ballast").write_bytes(bytes(FileSystem().free(disk) - room))
            code = exit_code(in_child(partial(pack_when_full, root)))
            names = sorted(path.name for path in root.iterdir())
            wrong = faults(root, wanted, wanted)
            tally.check(code == NO_SPACE, f"packing with room for {room} ended with {code}")
            tally.check(names == [STAMP.folder] and not wrong, f"{names}: {wrong}")
    tally.settle(at_least=2 * scaled(20))


def pack_when_full(root: Path) -> int:
    try:
        pack(root / STAMP.folder, settling=0, files=Boastful())
    except OSError as error:
        return NO_SPACE if error.errno == errno.ENOSPC and str(root) in str(error) else 1
    return 0
