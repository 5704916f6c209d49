"""Seeds that depend on names alone, the same on every machine and in every process."""

from hashlib import blake2b


def seed_of(*names: str | int) -> int:
    """Hash names into a seed of 63 bits; Python's own `hash` differs from process to process."""
    digest = blake2b("/".join(map(str, names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
