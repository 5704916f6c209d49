"""R1: who filled a cache, in how many shards and in which order, cannot be told from the packed file's bytes."""

from functools import partial
from pathlib import Path

import pytest

from s4tok_cache.shard import Shard
from tests.torture.faults import Deadly
from tests.torture.tally import Tally, is_smoke_test
from tests.torture.toys import exit_code, expected, faults, fill, in_child, packed_digest

ENTRIES = 12 if is_smoke_test() else 150


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Pack what one process made in order."""
    root = tmp_path_factory.mktemp("alone")
    fill(root, ENTRIES)
    return packed_digest(root)


def test_packed_bytes_are_the_same(digest: str, tmp_path: Path, tally: Tally) -> None:
    seven = [Shard(index, 7) for index in range(7)]
    ways: dict[str, list[partial[None]]] = {
        "again": [partial(fill)],
        "in another order": [partial(fill, order=tally.shuffled)],
        "in large segments": [partial(fill, every=ENTRIES)],
        "seven shards": [partial(fill, shard=shard, order=tally.shuffled) for shard in seven],
        "four workers on everything": [partial(fill, order=tally.shuffled) for _ in range(4)],
        "shards of two kinds": [partial(fill, shard=shard) for shard in (*seven, Shard(0, 2), Shard(1, 2))],
    }
    for way, workers in ways.items():
        root = tmp_path / way
        codes = [exit_code(child) for child in [in_child(partial(work, root, ENTRIES)) for work in workers]]
        tally.check(not any(codes), f"{way}: workers ended with {codes}")
        tally.check(packed_digest(root) == digest, f"{way}: other bytes")
    killed = tmp_path / "killed"
    assert exit_code(in_child(partial(fill, killed, ENTRIES, files=Deadly(40)))) == 137
    fill(killed, ENTRIES)
    tally.check(packed_digest(killed) == digest, "killed and resumed: other bytes")
    tally.check(packed_digest(killed) == digest, "packed twice: other bytes")
    wrong = faults(killed, expected(ENTRIES), expected(ENTRIES))
    tally.check(not wrong, wrong)
    tally.settle(at_least=2 * len(ways) + 3)
