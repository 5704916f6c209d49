import io
import logging
import struct
import tracemalloc
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.sens import read_header, read_sens_index, sens_frames
from s4tok.shapes import Array

WIDTH, HEIGHT = 32, 24
INTRINSICS = np.array([[28.5, 0, 15.5, 0], [0, 28.5, 11.5, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


def image_of(number: int) -> Array:
    return np.full((HEIGHT, WIDTH, 3), 5 * number, np.uint8)


def depth_of(number: int) -> Array:
    return np.random.default_rng(number).integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16)


def pose_of(number: int) -> Array:
    pose = np.eye(4)
    pose[:3, 3] = number, 2 * number, 3 * number
    return pose


def jpeg(image: Array) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(image).save(packed, "JPEG")
    return packed.getvalue()


def header(n_frames: int, **changed: object) -> bytes:
    said = {"version": 4, "name": b"StructureSensor", "color": 2, "depth": 1, "shift": 1000.0, "side": WIDTH, **changed}
    name = said["name"]
    assert isinstance(name, bytes)
    length = said.get("name_bytes", len(name))
    matrices = [*INTRINSICS.ravel(), *np.eye(4).ravel()] * 2
    return (
        struct.pack("<IQ", said["version"], length)
        + name
        + struct.pack("<64f", *matrices)
        + struct.pack("<ii", said["color"], said["depth"])
        + struct.pack("<4I", said["side"], HEIGHT, WIDTH, HEIGHT)
        + struct.pack("<fQ", said["shift"], n_frames)
    )


def frame(number: int, depth: bytes | None = None, color: bytes | None = None, claims: int | None = None) -> bytes:
    color = jpeg(image_of(number)) if color is None else color
    depth = zlib.compress(depth_of(number).tobytes()) if depth is None else depth
    sizes = struct.pack("<QQQQ", number, number, len(color), len(depth) if claims is None else claims)
    return struct.pack("<16f", *pose_of(number).ravel()) + sizes + color + depth


def recording(path: Path, n_frames: int, lost: Sequence[int] = ()) -> Path:
    """Write a recording in which the frames `lost` have the pose ScanNet gives where tracking failed."""
    frames = [frame(number) for number in range(n_frames)]
    for number in lost:
        frames[number] = struct.pack("<16f", *[-np.inf] * 16) + frames[number][64:]
    path.write_bytes(header(n_frames) + b"".join(frames))
    return path


def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    frames = list(sens_frames(recording(tmp_path / "s.sens", 5)))
    assert [one.name for one in frames] == ["0", "1", "2", "3", "4"]
    for number, one in enumerate(frames):
        np.testing.assert_allclose(one.color, image_of(number), atol=2)  # JPEG
        np.testing.assert_allclose(one.depth, depth_of(number) / 1000, rtol=1e-6)
        np.testing.assert_array_equal(one.camera_to_world, pose_of(number))
        np.testing.assert_array_equal(one.depth_intrinsics, INTRINSICS[:3, :3])
        np.testing.assert_array_equal(one.color_intrinsics, INTRINSICS[:3, :3])


def test_every_step_counts_valid_frames_and_a_lost_pose_costs_one_frame(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = recording(tmp_path / "s.sens", 50, lost=[0, 20, 21])
    with caplog.at_level(logging.INFO):
        assert [one.name for one in sens_frames(path, 20)] == ["1", "22", "42"]
    assert "3 of 50 frames have no finite pose" in caplog.text
    assert (~np.isfinite(read_sens_index(path).camera_to_world).all(axis=(1, 2))).sum() == 3


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    def peak(n_frames: int) -> int:
        path = recording(tmp_path / f"{n_frames}.sens", n_frames)
        tracemalloc.start()
        for _ in sens_frames(path, 10):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)  # Pillow is imported here
    short, long = peak(30), peak(600)
    assert (tmp_path / "600.sens").stat().st_size > 1_000_000
    assert long - short < 400_000  # the poses and places of 570 frames


def test_a_recording_cut_anywhere_is_refused_and_never_read_as_whole(tmp_path: Path) -> None:
    whole = recording(tmp_path / "whole.sens", 3).read_bytes()
    path = tmp_path / "cut.sens"
    for cut in [*range(0, 400, 7), *range(400, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:cut])
        with pytest.raises(DamagedFile, match=r"ends in the middle of|there is room for|the file ends") as caught:
            list(sens_frames(path))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (header(0, version=3), "begins with version 3, and a ScanNet recording has 4"),
        (b"PK\x03\x04" + b"\0" * 100, "begins with version"),
        (header(0, name_bytes=2**62), "says its sensor's name is 4611686018427387904 bytes long"),
        (header(2**60) + frame(0), "says it holds 1152921504606846976 frames, and there is room for"),
        (header(0, side=2**31), "says its images are 2147483648 x 24"),
        (header(0, side=0), "says its images are 0 x 24"),
        (header(0, color=0), r"compressed in a way \(colour 0, depth 1\)"),
        (header(0, depth=2), r"compressed in a way \(colour 2, depth 2\)"),
        (header(0, shift=0.0), "says a metre is 0.0 units of depth"),
        (header(0, shift=float("nan")), "says a metre is nan units of depth"),
        (header(1) + frame(0, claims=2**63), "more than images of that size can"),
        (header(1) + frame(0, claims=60_000), "frame 0 of 1: the file ends"),
        (header(1) + frame(0, depth=zlib.compress(b"\0" * 10)), "frame 0: its depth unpacks to 10 bytes"),
        (header(1) + frame(0, depth=zlib.compress(b"\0" * 10**7)), "unpacks to more than 1536 bytes"),
        (header(1) + frame(0, depth=b"not zlib"), "frame 0: its depth cannot be unpacked"),
        (header(1) + frame(0, color=b"not a jpeg"), "frame 0: cannot be decoded as an image"),
        (header(1) + frame(0, color=jpeg(image_of(0))[:200]), "frame 0: cannot be decoded as an image"),
    ],
)
def test_a_recording_that_lies_is_refused_in_little_memory(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "s.sens"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(DamagedFile, match=sentence) as caught:
        list(sens_frames(path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000
    assert str(path.name) in str(caught.value)


def test_a_damaged_recording_is_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    whole = recording(tmp_path / "s.sens", 2).read_bytes()
    path, refused = tmp_path / "damaged.sens", 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole) if seed % 2 else 420, rng.integers(1, 5)):
            damaged[at] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            list(sens_frames(path))
        except DamagedFile:
            refused += 1
    assert 50 < refused < 300


def test_a_header_is_read_without_its_frames(tmp_path: Path) -> None:
    said = read_header(recording(tmp_path / "s.sens", 4))
    assert (said.n_frames, said.color_size, said.depth_size, said.depth_shift) == (4, (WIDTH, HEIGHT), (32, 24), 1000)
