"""Files as broken downloads, failing disks and enemies make them, each known by a seed and a number."""

import random
import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from tests.fuzz.samples import Sample, samples

Damage: TypeAlias = Callable[[random.Random, bytes], bytes]

HEADER = 400  # bytes in which headers lie
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
LIES = (b"0", b"1", b"-1", b"255", b"65536", b"2147483648", b"4294967295", b"9223372036854775808", b"1" * 30, b"2.5")
NO_NUMBERS = (b"nan", b"inf", b"-inf", b"1e400", b"1e38", b"1e-300", b"-0", b"1_0", b"0x1", b"\xb2", b"")


class Malformed(NamedTuple):
    """A file that is not as it was, and what it was made from."""

    name: str  # with a folder before it, where the format is known by the whole name
    content: bytes
    sample: Sample
    damage: str


def malformed(seed: int, number: int, valid: list[Sample]) -> Malformed:
    """Make the file of a number: each sample in turn, each with every damage in turn, the rest by chance."""
    sample, damage = valid[number % len(valid)], DAMAGES[(number // len(valid)) % len(DAMAGES)]
    rng = random.Random(f"{seed} {number}")
    content, suffix = damage(rng, sample.content), sample.suffix
    if damage is spliced:
        content = content[: len(content) // 2] + spliced(rng, rng.choice(valid).content)
    if damage is misnamed:
        suffix = rng.choice([each.suffix for each in valid])
    slash = "" if suffix.startswith(".") else "/"
    return Malformed(f"{number:05d}-{damage.__name__}{slash}{suffix}", content, sample, damage.__name__)


def make(seed: int, count: int) -> list[Malformed]:
    """Make the first files of a seed; file 7 is the same whatever the count."""
    valid = samples()
    return [malformed(seed, number, valid) for number in range(count)]


def flipped(rng: random.Random, content: bytes) -> bytes:
    return _flipped(rng, content, len(content))


def flipped_in_header(rng: random.Random, content: bytes) -> bytes:
    return _flipped(rng, content, HEADER)


def overwritten(rng: random.Random, content: bytes) -> bytes:
    at, length = rng.randrange(len(content)), rng.choice([1, 2, 4, 8, 64])
    filler = rng.choice([b"\0" * length, b"\xff" * length, rng.randbytes(length), b"\n" * length])
    return content[:at] + filler + content[at + length :]


def lying_integer(rng: random.Random, content: bytes) -> bytes:
    """Put an integer of the extremes where a binary header may have one."""
    size, at = rng.choice([1, 2, 4, 8]), rng.randrange(min(len(content), HEADER))
    value = rng.choice([0, 1, (1 << 8 * size) - 1, 1 << (8 * size - 1), (1 << (8 * size - 1)) - 1])
    return content[:at] + value.to_bytes(size, rng.choice(["little", "big"])) + content[at + size :]


def lying_number(rng: random.Random, content: bytes) -> bytes:
    """Put another number in place of one of a header that is written in letters."""
    found = list(NUMBER.finditer(content[:HEADER]))
    return _replaced(content, rng.choice(found), rng.choice(LIES)) if found else lying_integer(rng, content)


def no_number(rng: random.Random, content: bytes) -> bytes:
    """Put what is no number, or none of this world, in place of one."""
    found = list(NUMBER.finditer(content))
    return _replaced(content, rng.choice(found), rng.choice(NO_NUMBERS)) if found else flipped(rng, content)


def cut_short(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content))]


def cut_at_a_line(rng: random.Random, content: bytes) -> bytes:
    ends = [match.end() for match in re.finditer(rb"\n", content)]
    return content[: rng.choice(ends)] if ends else cut_short(rng, content)


def too_long(rng: random.Random, content: bytes) -> bytes:
    return content + rng.choice([content, rng.randbytes(99), b"0 0 0\n", b"\xff" * 64])


def with_a_gap(rng: random.Random, content: bytes) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.randint(1, 64) :]


def stuttering(rng: random.Random, content: bytes) -> bytes:
    start = rng.randrange(len(content))
    return content[: start + rng.randint(1, 64)] + content[start:]


def spliced(rng: random.Random, content: bytes) -> bytes:
    return content[rng.randrange(len(content)) :]


def misnamed(rng: random.Random, content: bytes) -> bytes:
    del rng
    return content


def hardly_anything(rng: random.Random, content: bytes) -> bytes:
    return rng.choice([b"", b"\n", b"\0" * 999, b" " * 99, content[:4], rng.randbytes(500), b"\xef\xbb\xbf"])


DAMAGES: tuple[Damage, ...] = (
    flipped, flipped_in_header, lying_number, lying_integer, no_number, overwritten, cut_short, cut_at_a_line, too_long,
    with_a_gap, stuttering, spliced, misnamed, hardly_anything, flipped_in_header, lying_number,
)  # fmt: skip


def _flipped(rng: random.Random, content: bytes, within: int) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 3, 16])):
        changed[rng.randrange(min(len(content), within))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _replaced(content: bytes, match: re.Match[bytes], by: bytes) -> bytes:
    return content[: match.start()] + by + content[match.end() :]
