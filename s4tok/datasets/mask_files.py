"""Masks that somebody else has made, one file a frame: `FOLDER/<scene>/<frame>.npz` or `.png`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.npy import Npz
from s4tok.datasets.formats.text import read_bytes
from s4tok.datasets.frames import decode_depth
from s4tok.errors import InputError
from s4tok.geometry.masks import resized
from s4tok.shapes import Array, Int32

ARRAY = "mask"  # in an .npz
LARGEST = np.iinfo(np.int32).max


@dataclass(frozen=True)
class MaskFiles:
    """A folder of them. An .npz has a whole number a pixel under `mask`, a .png 16 bits a pixel; 0 is no mask."""

    folder: Path

    def file_of(self, scene: str, frame: str) -> Path:
        """Find the file of a frame, whose name may begin with zeros."""
        places = [self.folder / scene / f"{frame}{ending}" for ending in (".npz", ".png")]
        found = next((place for place in places if place.is_file()), None)
        if found is None and frame.isdecimal():
            others = sorted((self.folder / scene).glob(f"*{int(frame)}.*"))
            found = next(
                (each for each in others if each.suffix in (".npz", ".png") and _number(each) == int(frame)), None
            )
        if found is None:
            raise InputError(f"{self.folder} has no masks of frame {frame} of {scene}: no {places[0]}, and no .png.")
        return found

    def read(self, scene: str, frame: str, shape: tuple[int, ...]) -> Int32[Array, "h w"]:
        """Read the masks of a frame, at the size of its depth image."""
        path = self.file_of(scene, frame)
        ids = self._array(path) if path.suffix == ".npz" else decode_depth(read_bytes(path), path)
        if ids.min(initial=0) < 0 or ids.max(initial=0) > LARGEST:
            raise DamagedFile(path, f"has ids from {ids.min()} to {ids.max()}, and they lie in 0 .. {LARGEST}")
        return resized(ids.astype(np.int32), shape)

    def _array(self, path: Path) -> Array:
        arrays = Npz(path)
        if ARRAY not in arrays:
            raise DamagedFile(path, f"has no array {ARRAY!r}; it has {', '.join(sorted(arrays)) or 'none'}")
        ids = arrays[ARRAY]
        if ids.ndim != 2 or not ids.size or ids.dtype.kind not in "iu":
            raise DamagedFile(path, f"has masks of {ids.dtype} {ids.shape}, and they are whole numbers, rows x columns")
        if ids.dtype.itemsize < 2:
            raise DamagedFile(
                path, f"has masks in {8 * ids.dtype.itemsize} bits, in which more than 255 of them wrap around",
                "save them as int32.",
            )  # fmt: skip
        return ids


def _number(path: Path) -> int | None:
    return int(path.stem) if path.stem.isdecimal() else None
