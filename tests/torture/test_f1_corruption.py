"""F1: damage cache files in every way a disk does; what is read is right or refused, and nothing crashes or hangs."""

from pathlib import Path
from unittest.mock import ANY

import pytest

from s4tok_cache import rules
from tests.torture.damage import DAMAGES, zeroed_chunk
from tests.torture.probe import probe
from tests.torture.tally import Tally, scaled
from tests.torture.toys import STAMP, expected, fill, pack

ENTRIES = 6
KEYS = set(expected(ENTRIES))


@pytest.fixture(params=["segment", "packed file"])
def whole(request: pytest.FixtureRequest, memory_path: Path) -> tuple[Path, Path]:
    """Make a small cache; return its root and the one file with its entries."""
    root = memory_path / "train"
    fill(root, ENTRIES, every=ENTRIES)
    if request.param == "packed file":
        pack(root)
        for segment in (root / STAMP.folder).glob("seg-*"):
            segment.unlink()
        return root, root / f"{STAMP.folder}.h5"
    (segment,) = (root / STAMP.folder).glob("seg-*")
    return root, segment


def test_corruption_is_found(whole: tuple[Path, Path], tally: Tally) -> None:
    root, path = whole
    content = path.read_bytes()
    assert probe(root, KEYS) == "harmless"
    damages = [damage for damage in DAMAGES for _ in range(scaled(170))]
    for damage in damages:
        path.write_bytes(damage(content, tally.random))
        if tally.random.random() < 0.5:  # a reader that has looked before, and one that has not
            (root / STAMP.folder / ".index.json").unlink(missing_ok=True)
        outcome = probe(root, KEYS)
        tally.seen[outcome] += 1
        tally.check(outcome.islower(), f"{damage.__name__}: {outcome}")
    tally.settle(at_least=len(damages))


def test_corruption_shows_a_cache_without_digests(
    whole: tuple[Path, Path], tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, path = whole
    path.write_bytes(zeroed_chunk(path.read_bytes(), tally.random))
    assert probe(root, KEYS) == "detected"
    monkeypatch.setattr(rules, "entry_digest", lambda *entry: ANY)
    tally.check(probe(root, KEYS) == "SILENT", "nobody noticed that digests are not compared")
    tally.settle()
