"""Seeds that depend on a name alone, the same on every machine, in every order and among any workers."""

from hashlib import blake2b


def hashed(*key: str | int, n_bytes: int = 8) -> int:
    """Hash a key, its words joined by slashes, into an integer of so many bytes.

    Python's own `hash` differs from process to process; this is BLAKE2.
    """
    return int.from_bytes(blake2b("/".join(map(str, key)).encode(), digest_size=n_bytes).digest(), "little")


def seed_of(seed: int, *names: str | int) -> int:
    """Give one entry a seed of its own, so that neither order nor workers change what is drawn for it."""
    return hashed(seed, *names) >> 1  # fits a signed integer of 64 bits
