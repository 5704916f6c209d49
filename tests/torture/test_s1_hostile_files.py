"""S1: cache files from an enemy are refused: nothing outside is read, nothing floods the memory, nothing hangs."""

from pathlib import Path

import h5py
import numpy as np

from tests.torture.hostile import FLOOD_OR_CONFUSE, LEAD_ELSEWHERE, make_fifo, make_folder, make_symlink
from tests.torture.probe import probe
from tests.torture.tally import Tally
from tests.torture.toys import STAMP, arrays_of, expected, fill

ENTRIES = 3
KEYS = set(expected(ENTRIES))
KEY = min(KEYS)


def _entry(file: h5py.File) -> h5py.Group:
    return file["entries"][KEY.replace("/", "%2F")]


def _cache(root: Path) -> Path:
    """Make a small cache that has not been looked into, and return its segment."""
    fill(root, ENTRIES, every=ENTRIES)
    (root / STAMP.folder / ".index.json").unlink(missing_ok=True)
    (segment,) = (root / STAMP.folder).glob("seg-*")
    return segment


def test_hostile_files_are_refused(memory_path: Path, tally: Tally) -> None:
    for make in (*LEAD_ELSEWHERE, *FLOOD_OR_CONFUSE):
        root, outside = memory_path / make.__name__ / "train", memory_path / make.__name__ / "outside"
        outside.mkdir(parents=True)
        segment = _cache(root)
        with h5py.File(segment, "r+", libver=("v110", "v110")) as file:
            make(_entry(file), outside)
        if make in LEAD_ELSEWHERE:
            with h5py.File(segment, "r") as file:  # plain HDF5 is led astray
                np.testing.assert_array_equal(_entry(file)["labels"][...], arrays_of(KEY)["labels"])
        outcome = probe(root, KEYS)
        tally.check(outcome == "detected", f"{make.__name__}: {outcome}")
    tally.settle(at_least=21)


def test_hostile_names_are_refused(memory_path: Path, tally: Tally) -> None:
    for make in (make_fifo, make_folder, make_symlink):
        root = memory_path / make.__name__ / "train"
        make(_cache(root))
        outcome = probe(root, KEYS)
        tally.check(outcome == "detected", f"{make.__name__}: {outcome}")
    tally.settle(at_least=3)


def test_hostile_json_is_refused_or_passed_over(memory_path: Path, tally: Tally) -> None:
    contents = (b"[" * 200_000, b"9" * 20_000, b'{"a": NaN}', b"\xff\xfe", b"null", b"", b'{"files": 1}', b"[[]]" * 9)
    for number, content in enumerate(contents):
        for name in ("stage.json", "expected.json", ".index.json"):
            root = memory_path / f"{number} {name}"
            _cache(root)
            (root / STAMP.folder / name).write_bytes(content)
            outcome = probe(root, KEYS)
            tally.check(
                outcome == ("harmless" if name == ".index.json" else "detected"), f"{name} {content[:9]!r}: {outcome}"
            )
    tally.settle(at_least=24)
