"""Seeds are written into caches, samples and colours: they may never change."""

from hashlib import blake2b

import numpy as np
import pytest

from s4tok.randomness import hashed, seed_of
from s4tok.rendering.palette import _order
from s4tok.synthetic.randomness import Draw


@pytest.mark.parametrize(
    ("key", "seed"),
    [((0,), 4246866556266386882), ((5, "a/b", 3), 1285070656272350462), ((-1, "ü"), 1338092518093524389)],
)
def test_seeds_of_entries_are_those_of_the_first_version(key: tuple[int, ...], seed: int) -> None:
    assert seed_of(*key) == seed


def test_what_is_drawn_by_name_is_as_in_the_first_version() -> None:
    assert Draw(7, "chair", 2).generator.integers(2**62) == 2609053071492919911  # the toy world
    assert Draw(0, "x").fork("leg", 1).generator.integers(2**62) == 2447834310747154086
    assert hashed("model-1") == 16662966370197234330  # points on a mesh
    assert _order(" Wall ", 9).tolist() == [4, 8, 5, 7, 0, 2, 6, 1, 3]  # colours


def test_a_hash_is_blake2_of_the_words_joined_by_slashes() -> None:
    for n_bytes in (4, 8, 16):
        digest = blake2b(b"3/chair/-7", digest_size=n_bytes).digest()
        assert hashed(3, "chair", -7, n_bytes=n_bytes) == int.from_bytes(digest, "little")


def test_seeds_fit_a_signed_integer_of_64_bits_and_differ() -> None:
    seeds = [seed_of(seed, name, draw) for seed in range(5) for name in ("a", "b", "ab") for draw in range(20)]
    assert len(set(seeds)) == 300
    assert all(0 <= np.int64(seed) == seed for seed in seeds)
