import logging
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.frames import COLOR_SENSOR, every, fit_intrinsics
from s4tok.datasets.scannet_frames import exported_frames
from s4tok.shapes import Array

COLOR, DEPTH = (40, 30), (20, 15)  # width, height


def matrix(values: Array) -> str:
    return "\n".join(" ".join(f"{value:f}" for value in row) for row in values) + "\n"


def camera(size: tuple[int, int]) -> Array:
    values = np.eye(4)
    values[0, 0] = values[1, 1] = size[0]
    values[:2, 2] = (np.array(size) - 1) / 2
    return values


def export(folder: Path, numbers: list[int], digits: int = 0) -> Path:
    for name in ("color", "depth", "pose"):
        (folder / name).mkdir(parents=True)
    for number in numbers:
        stem = f"{number:0{digits}d}"
        Image.fromarray(np.full((COLOR[1], COLOR[0], 3), number % 256, np.uint8)).save(folder / "color" / f"{stem}.jpg")
        depth = np.arange(DEPTH[0] * DEPTH[1], dtype=np.uint16).reshape(DEPTH[1], DEPTH[0]) + np.uint16(number)
        Image.fromarray(depth).save(folder / "depth" / f"{stem}.png")
        (folder / "pose" / f"{stem}.txt").write_text(matrix(np.eye(4) * number))
    if digits:
        (folder / "intrinsics_color.txt").write_text(matrix(camera(COLOR)))
        (folder / "intrinsics_depth.txt").write_text(matrix(camera(DEPTH)))
    else:
        (folder / "intrinsic").mkdir()
        (folder / "intrinsic" / "intrinsic_color.txt").write_text(matrix(camera(COLOR)))
        (folder / "intrinsic" / "intrinsic_depth.txt").write_text(matrix(camera(DEPTH)))
    return folder


@pytest.mark.parametrize("digits", [0, 6])
def test_both_spellings_of_the_layout_are_read_in_the_order_of_their_numbers(digits: int, tmp_path: Path) -> None:
    frames = list(exported_frames(export(tmp_path, [100, 0, 20, 3], digits)))
    assert [int(frame.name) for frame in frames] == [0, 3, 20, 100]
    assert frames[3].name == f"{100:0{digits}d}"
    last = frames[3]
    assert last.color.shape == (30, 40, 3)
    assert np.abs(last.color.astype(int) - 100).max() <= 2
    np.testing.assert_allclose(last.depth, (np.arange(300).reshape(15, 20) + 100) / 1000)  # millimetres become metres
    np.testing.assert_array_equal(last.camera_to_world, np.eye(4) * 100)
    np.testing.assert_array_equal(last.depth_intrinsics, camera(DEPTH)[:3, :3])


def test_a_step_means_the_same_for_a_recording_and_for_one_thinned_out_before() -> None:
    def taken(numbers: Array, lost: Array) -> list[int]:
        poses = np.tile(np.eye(4), (len(numbers), 1, 1))
        poses[lost, 0, 3] = -np.inf
        return [int(number) for number in numbers[every(numbers, poses, 20, Path("scan"))]]

    whole, thinned = np.arange(100), np.arange(0, 100, 5)
    assert taken(whole, whole < 0) == [0, 20, 40, 60, 80]
    assert taken(thinned, thinned < 0) == [0, 20, 40, 60, 80]
    assert len(taken(np.arange(0, 1000, 100), np.zeros(10, bool))) == 10
    assert taken(whole, whole % 20 == 0) == [1, 21, 41, 61, 81]
    assert taken(whole, whole >= 0) == []


def test_frames_without_a_finite_pose_are_passed_over_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = export(tmp_path, [0, 1, 2, 3])
    (folder / "pose" / "0.txt").write_text("-inf -inf -inf -inf\n" * 4)
    (folder / "pose" / "2.txt").write_text("nan 0 0 0\n" * 4)
    with caplog.at_level(logging.INFO):
        assert [frame.name for frame in exported_frames(folder)] == ["1", "3"]
    assert "2 of 4 frames have no finite pose" in caplog.text


def test_intrinsics_of_the_full_image_are_brought_to_the_shrunken_one() -> None:
    full = np.array([[1170.0, 0, 647.5], [0, 1170.0, 483.5], [0, 0, 1]])
    np.testing.assert_array_equal(fit_intrinsics(full, COLOR_SENSOR, COLOR_SENSOR, Path("x")), full)
    half = fit_intrinsics(full, (648, 484), COLOR_SENSOR, Path("x"))
    np.testing.assert_allclose(
        half, np.array([[585, 0, 323.5], [0, 585, 241.5], [0, 0, 1]])
    )  # the middle stays the middle
    np.testing.assert_array_equal(fit_intrinsics(half, (648, 484), COLOR_SENSOR, Path("x")), half)
    with pytest.raises(
        DamagedFile, match=r"principal point \(647.5, 483.5\) is far from the middle of an image of 9 x 9"
    ):
        fit_intrinsics(full, (9, 9), (20, 20), Path("0.jpg"))


def spoil(folder: Path, what: str, content: bytes | None) -> None:
    file = folder / what
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("what", "content", "sentence"),
    [
        ("color/0.jpg", None, "0.jpg: cannot be read: No such file"),
        ("color/0.jpg", b"", "0.jpg: is empty"),
        ("depth/0.png", None, "0.png: cannot be read: No such file"),
        ("depth/0.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "0.png: cannot be decoded as an image"),
        ("pose/0.txt", b"1 0 0 0\n" * 3, "0.txt: holds 12 numbers, and a 4 x 4 matrix has 16"),
        ("pose/0.txt", b"", "0.txt: is empty"),
        ("pose/0.txt", b"1 0 0 \0\n" * 4, "0.txt: is not a matrix of numbers"),
        ("pose/0.txt", b"1 " * 10**6, "0.txt: holds 1000000 numbers"),
        ("intrinsic/intrinsic_depth.txt", None, "no intrinsics: neither intrinsic/intrinsic_depth.txt nor"),
    ],
)
def test_a_broken_export_is_refused_in_one_sentence(
    what: str, content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    folder = export(tmp_path, [0])
    spoil(folder, what, content)
    with pytest.raises(DamagedFile, match=sentence) as caught:
        list(exported_frames(folder))
    assert "\n" not in str(caught.value)


def test_a_depth_image_made_for_looking_at_is_refused(tmp_path: Path) -> None:
    folder = export(tmp_path, [0])
    Image.fromarray(np.zeros((15, 20), np.uint8)).save(folder / "depth" / "0.png")
    with pytest.raises(DamagedFile, match="a depth image has one channel of 16 bits"):
        list(exported_frames(folder))


def test_an_image_that_says_it_is_enormous_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    folder = export(tmp_path, [0])
    size = struct.pack(">4sIIBBBBB", b"IHDR", 20_000, 1, 16, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + size + struct.pack(">I", zlib.crc32(size))
    spoil(folder, "depth/0.png", content + struct.pack(">I4s", 10, b"IDAT") + b"\0" * 10)
    with pytest.raises(DamagedFile, match=r"0\.png: says it is 20000 x 1 pixels"):
        list(exported_frames(folder))
