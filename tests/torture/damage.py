"""What happens to bytes on disks: flipped, overwritten, cut off, zeroed, moved."""

import io
import random
from collections.abc import Callable

import h5py

PAGE = 4096


def one_bit(content: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :]


def random_bytes(content: bytes, draw: random.Random) -> bytes:
    start, length = draw.randrange(len(content)), draw.randrange(1, 65)
    return content[:start] + draw.randbytes(len(content[start : start + length])) + content[start + length :]


def cut_off(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def zeroed_page(content: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(content) // PAGE) * PAGE
    return content[:start] + bytes(PAGE) + content[start + PAGE :]


def moved_page(content: bytes, draw: random.Random) -> bytes:
    source, target = (draw.randrange(len(content) // PAGE) * PAGE for _ in range(2))
    return content[:target] + content[source : source + PAGE] + content[target + PAGE :]


def zeroed_chunk(content: bytes, draw: random.Random) -> bytes:
    """Zero all that is stored of one array, checksum and all: HDF5's fletcher32 calls that whole."""
    with h5py.File(io.BytesIO(content), "r") as file:
        entry = file["entries"][draw.choice(sorted(file["entries"]))]
        place = entry["features"].id.get_chunk_info(0)
    return content[: place.byte_offset] + bytes(place.size) + content[place.byte_offset + place.size :]


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    one_bit,
    random_bytes,
    cut_off,
    zeroed_page,
    moved_page,
    zeroed_chunk,
)
