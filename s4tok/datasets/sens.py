"""ScanNet's `.sens` recordings (version 4), read frame by frame: a header is 300 bytes, a recording gigabytes.

Little endian throughout. Every size in the file is checked against the file and against the image it is said to be
before anything of that size is read. The extrinsics in the header are read past, as ScanNet's own exporter does.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from s4tok.datasets.dataset import Frame
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.frames import COLOR_SENSOR, DEPTH_SENSOR, LARGEST_SIDE, decode_color, every, fit_intrinsics
from s4tok.errors import InputError
from s4tok.shapes import Array, Float32, Float64, Int

VERSION = 4
JPEG, PNG = 2, 1
ZLIB_USHORT = 1
LARGEST_NAME = 1024  # bytes of the sensor's name
AFTER_NAME = struct.Struct("<16f16f16f16fii4IfQ")  # intrinsics and extrinsics, compressions, sizes, shift, frames
FRAME = struct.Struct("<64sQQQQ")  # camera to world in float32, two times, bytes of colour, bytes of depth


class SensHeader(NamedTuple):
    """What a recording says of itself."""

    color_intrinsics: Float64[Array, "3 3"]
    depth_intrinsics: Float64[Array, "3 3"]
    color_size: tuple[int, int]  # width, height
    depth_size: tuple[int, int]
    depth_shift: float  # depth units in a metre
    n_frames: int
    start: int  # byte at which the first frame begins


class SensIndex(NamedTuple):
    """Where the frames of a recording lie, and how the camera stood in each."""

    camera_to_world: Float64[Array, "v 4 4"]
    starts: Int[Array, " v"]  # byte at which a frame's colour begins
    color_bytes: Int[Array, " v"]
    depth_bytes: Int[Array, " v"]


def read_header(path: Path) -> SensHeader:
    """Read what comes before the frames."""
    with path.open("rb") as file:
        return _header(file, path)


def read_sens_index(path: Path) -> SensIndex:
    """Walk over all frames and read their poses and sizes, never an image."""
    with path.open("rb") as file:
        return _index(file, _header(file, path), path)


def sens_frames(path: Path, step: int = 1) -> Iterator[Frame]:
    """Decode frames whose numbers lie at least `step` apart and whose pose is finite, one at a time."""
    with path.open("rb") as file:
        header = _header(file, path)
        index = _index(file, header, path)
        for i in every(np.arange(header.n_frames), index.camera_to_world, step, path):
            yield _decoded(file, header, index, int(i), path)


def sens_names(path: Path, step: int = 1) -> list[str]:
    """Name the frames that `sens_frames` decodes, by their numbers."""
    poses = read_sens_index(path).camera_to_world
    return [str(i) for i in every(np.arange(len(poses)), poses, step, path)]


def sens_frame(path: Path, name: str) -> Frame:
    """Decode one frame."""
    with path.open("rb") as file:
        header = _header(file, path)
        index = _index(file, header, path)
        if not name.isdecimal() or int(name) >= header.n_frames:
            raise InputError(f"{path} has no frame {name}.")
        return _decoded(file, header, index, int(name), path)


def _decoded(file: BinaryIO, header: SensHeader, index: SensIndex, i: int, path: Path) -> Frame:
    file.seek(int(index.starts[i]))
    where = f"frame {i}: "
    color = decode_color(file.read(int(index.color_bytes[i])), path, where)
    height, width = color.shape[:2]
    return Frame(
        name=str(i),
        color=color,
        depth=_depth(file.read(int(index.depth_bytes[i])), header, path, where),
        color_intrinsics=fit_intrinsics(header.color_intrinsics, (width, height), COLOR_SENSOR, path, where),
        depth_intrinsics=fit_intrinsics(header.depth_intrinsics, header.depth_size, DEPTH_SENSOR, path),
        camera_to_world=index.camera_to_world[i],
    )


def _header(file: BinaryIO, path: Path) -> SensHeader:
    version, name_bytes = struct.unpack("<IQ", _exactly(file, 12, path, "the header"))
    if version != VERSION:
        raise DamagedFile(
            path,
            f"begins with version {version}, and a ScanNet recording has {VERSION}.",
            "check that it is a .sens file and whole.",
        )
    if name_bytes > LARGEST_NAME:
        raise DamagedFile(path, f"says its sensor's name is {name_bytes} bytes long, which is not believed.")
    _exactly(file, name_bytes, path, "the header")
    fields = AFTER_NAME.unpack(_exactly(file, AFTER_NAME.size, path, "the header"))
    color_matrix, depth_matrix = (np.array(fields[i : i + 16]).reshape(4, 4)[:3, :3] for i in (0, 32))
    color_kind, depth_kind, wc, hc, w, h, shift, n_frames = fields[64:]
    if color_kind not in (JPEG, PNG) or depth_kind != ZLIB_USHORT:
        raise DamagedFile(
            path,
            f"is compressed in a way (colour {color_kind}, depth {depth_kind}) that ScanNet does not use: "
            f"colour {JPEG} (JPEG) or {PNG} (PNG) and depth {ZLIB_USHORT} (zlib) can be read.",
        )
    if not all(0 < side <= LARGEST_SIDE for side in (wc, hc, w, h)):
        raise DamagedFile(path, f"says its images are {wc} x {hc} and {w} x {h} pixels, which is not believed.")
    if not (np.isfinite(shift) and shift > 0):
        raise DamagedFile(path, f"says a metre is {shift} units of depth, and it must be a positive number.")
    start = file.tell()
    room = (os.fstat(file.fileno()).st_size - start) // FRAME.size
    if n_frames > room:
        raise DamagedFile(
            path,
            f"says it holds {n_frames} frames, and there is room for {room} at most.",
            "it was cut short; download it again.",
        )
    return SensHeader(color_matrix, depth_matrix, (wc, hc), (w, h), shift, n_frames, start)


def _index(file: BinaryIO, header: SensHeader, path: Path) -> SensIndex:
    end = os.fstat(file.fileno()).st_size
    # A JPEG or zlib stream of noise is a little larger than what it holds; a frame that says much more lies.
    most_color = 4 * header.color_size[0] * header.color_size[1] + 65536
    most_depth = 4 * header.depth_size[0] * header.depth_size[1] + 65536
    poses: list[bytes] = []
    places: list[tuple[int, int, int]] = []
    at = header.start
    for number in range(header.n_frames):
        file.seek(at)
        pose, _, _, color_bytes, depth_bytes = FRAME.unpack(_exactly(file, FRAME.size, path, f"frame {number}"))
        if color_bytes > most_color or depth_bytes > most_depth:
            raise DamagedFile(
                path,
                f"frame {number}: says its images take {color_bytes} and {depth_bytes} bytes, more than "
                "images of that size can.",
                "it is damaged; download it again.",
            )
        at += FRAME.size
        poses.append(pose)
        places.append((at, color_bytes, depth_bytes))
        at += color_bytes + depth_bytes
        if at > end:
            raise DamagedFile(
                path,
                f"frame {number} of {header.n_frames}: the file ends {at - end} bytes before the frame does.",
                "it was cut short; download it again.",
            )
    where = np.array(places, dtype=np.int64).reshape(-1, 3)
    stood = np.frombuffer(b"".join(poses), dtype="<f4").astype(np.float64).reshape(-1, 4, 4)
    return SensIndex(stood, where[:, 0], where[:, 1], where[:, 2])


def _depth(packed: bytes, header: SensHeader, path: Path, where: str) -> Float32[Array, "h w"]:
    width, height = header.depth_size
    wanted = 2 * width * height
    try:
        unpacked = zlib.decompressobj().decompress(packed, wanted + 1)  # bounded, whatever the stream says
    except zlib.error as error:
        raise DamagedFile(
            path, f"{where}its depth cannot be unpacked ({error}).", "download the recording again."
        ) from error
    if len(unpacked) != wanted:
        raise DamagedFile(
            path,
            f"{where}its depth unpacks to {'more than ' if len(unpacked) > wanted else ''}"
            f"{min(len(unpacked), wanted)} bytes, and {width} x {height} pixels take {wanted}.",
            "download the recording again.",
        )
    millimetres = np.frombuffer(unpacked, dtype="<u2").reshape(height, width)
    return (millimetres / header.depth_shift).astype(np.float32)


def _exactly(file: BinaryIO, count: int, path: Path, what: str) -> bytes:
    block = file.read(count)
    if len(block) != count:
        raise DamagedFile(path, f"ends in the middle of {what}.", "it was cut short; download it again.")
    return block
