"""ScanNet's RGB-D frames as exported files: images, depth in millimetres, poses and intrinsics in text.

Two spellings of one layout: `color/ depth/ pose/` with `intrinsic/intrinsic_{color,depth}.txt`, as ScanNet's
exporter writes them, and `scannet_frames_25k`, six digits in the names, `intrinsics_{color,depth}.txt` in the scan.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s4tok.datasets.dataset import Frame
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import read_bytes
from s4tok.datasets.frames import (
    COLOR_SENSOR,
    DEPTH_SENSOR,
    decode_color,
    decode_depth,
    every,
    fit_intrinsics,
    read_matrix,
)
from s4tok.shapes import Array, Float64

MILLIMETRES = 1000.0


def has_frames(folder: Path) -> bool:
    """Say whether a folder holds exported frames."""
    return (folder / "pose").is_dir() and (folder / "depth").is_dir() and (folder / "color").is_dir()


def exported_frames(folder: Path, step: int = 1) -> Iterator[Frame]:
    """Decode frames whose numbers lie at least `step` apart and whose pose is finite, one at a time."""
    cameras = _cameras(folder)
    for name in exported_names(folder, step):
        yield _decoded(folder, name, cameras)


def exported_names(folder: Path, step: int = 1) -> list[str]:
    """Name frames whose numbers lie at least `step` apart and whose pose is finite."""
    stems = pose_stems(folder)
    poses = np.array([_pose(folder, stem) for stem in stems]).reshape(-1, 4, 4)
    numbers = np.array([int(stem) for stem in stems], dtype=np.int64)
    return [stems[index] for index in every(numbers, poses, step, folder)]


def exported_frame(folder: Path, stem: str) -> Frame:
    """Decode one frame."""
    return _decoded(folder, stem, _cameras(folder))


def pose_stems(folder: Path) -> list[str]:
    """List the frames that have a pose, in the order of their numbers."""
    stems = [file.stem for file in (folder / "pose").glob("*.txt") if file.stem.isdecimal()]
    return sorted(stems, key=int)


class _Cameras(NamedTuple):
    """The intrinsics of both."""

    color: Float64[Array, "3 3"]
    depth: Float64[Array, "3 3"]


def _cameras(folder: Path) -> _Cameras:
    return _Cameras(_intrinsics(folder, "color"), _intrinsics(folder, "depth"))


def _decoded(folder: Path, stem: str, cameras: _Cameras) -> Frame:
    color_file, depth_file = _color_file(folder, stem), folder / "depth" / f"{stem}.png"
    color = decode_color(read_bytes(color_file), color_file)
    depth = decode_depth(read_bytes(depth_file), depth_file)
    return Frame(
        name=stem,
        color=color,
        depth=(depth / MILLIMETRES).astype(np.float32),
        color_intrinsics=_fitted(cameras.color, color, COLOR_SENSOR, color_file),
        depth_intrinsics=_fitted(cameras.depth, depth, DEPTH_SENSOR, depth_file),
        camera_to_world=_pose(folder, stem),
    )


def _pose(folder: Path, stem: str) -> Float64[Array, "4 4"]:
    return read_matrix(folder / "pose" / f"{stem}.txt")


def _intrinsics(folder: Path, which: str) -> Float64[Array, "3 3"]:
    places = folder / "intrinsic" / f"intrinsic_{which}.txt", folder / f"intrinsics_{which}.txt"
    for place in places:
        if place.is_file():
            return read_matrix(place)[:3, :3]
    raise DamagedFile(
        folder,
        f"has exported frames and no intrinsics: neither {places[0].relative_to(folder)} nor {places[1].name} is there",
        "export them from the .sens file together with the frames.",
    )


def _color_file(folder: Path, stem: str) -> Path:
    jpg, png = folder / "color" / f"{stem}.jpg", folder / "color" / f"{stem}.png"
    return png if png.is_file() and not jpg.is_file() else jpg


def _fitted(
    intrinsics: Float64[Array, "3 3"], image: Array, sensor: tuple[int, int], file: Path
) -> Float64[Array, "3 3"]:
    return fit_intrinsics(intrinsics, (image.shape[1], image.shape[0]), sensor, file)
