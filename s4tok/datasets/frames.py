"""What the readers of posed RGB-D frames share: which frames to take, how images and matrices are decoded.

`where` is what a message says before its sentence, such as "frame 3: ", where one file holds many frames.
"""

import io
import logging
from pathlib import Path

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import read_bytes
from s4tok.shapes import Array, Float64, Int, UInt8

logger = logging.getLogger(__name__)

LARGEST_SIDE = 4096  # pixels; no depth camera comes near, and a header that says more is not believed
AGAIN = "export the frames again."
COLOR_SENSOR, DEPTH_SENSOR = (1296, 968), (640, 480)  # width, height of ScanNet's two cameras


def every(
    numbers: Int[Array, " v"], camera_to_world: Float64[Array, "v 4 4"], step: int, path: Path
) -> Int[Array, " k"]:
    """Take frames with a finite pose whose numbers lie at least `step` apart, and give their indices.

    Counted in the numbers of the recording, so that `step` 20 means the same for a whole recording and for one of
    which every 20th frame was exported; counted over posed frames, so that a gap in the poses costs one frame only.
    How many frames have no finite pose is logged.
    """
    valid = np.isfinite(camera_to_world).all(axis=(1, 2))
    if not valid.all():
        lost = len(valid) - valid.sum()
        logger.info("%s: %d of %d frames have no finite pose and are passed over.", path, lost, len(valid))
    taken = []
    following = -np.inf
    for index in np.flatnonzero(valid):
        if numbers[index] >= following:
            taken.append(index)
            following = numbers[index] + step
    return np.array(taken, dtype=np.int64)


def read_matrix(path: Path) -> Float64[Array, "4 4"]:
    """Read a 4 x 4 matrix written as text; its numbers may be -inf or nan, as ScanNet's poses sometimes are."""
    words = read_bytes(path).split()
    if len(words) != 16:
        raise DamagedFile(path, f"holds {len(words)} numbers, and a 4 x 4 matrix has 16", AGAIN)
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise DamagedFile(path, f"is not a matrix of numbers ({error})", AGAIN) from error
    return np.array(numbers, dtype=np.float64).reshape(4, 4)


def fit_intrinsics(
    intrinsics: Float64[Array, "3 3"], size: tuple[int, int], sensor: tuple[int, int], path: Path, where: str = ""
) -> Float64[Array, "3 3"]:
    """Bring intrinsics to the size of the image that they came with.

    ScanNet's own exporter shrinks the images when asked and writes the intrinsics of the full ones beside them. A
    principal point outside the middle half of the image, yet inside that of the sensor, betrays it.
    """
    if _in_the_middle(intrinsics, size):
        return intrinsics
    if not _in_the_middle(intrinsics, sensor):
        raise DamagedFile(
            path,
            f"{where}the principal point ({intrinsics[0, 2]:g}, {intrinsics[1, 2]:g}) is far from the middle of an "
            f"image of {size[0]} x {size[1]} pixels, so the intrinsics are those of other images",
        )
    scale = np.array(size) / np.array(sensor)
    fitted = intrinsics.copy()
    fitted[0, 0] *= scale[0]
    fitted[1, 1] *= scale[1]
    fitted[:2, 2] = (intrinsics[:2, 2] + 0.5) * scale - 0.5  # whole numbers are the middles of pixels
    return fitted


def _in_the_middle(intrinsics: Float64[Array, "3 3"], size: tuple[int, int]) -> bool:
    share = intrinsics[:2, 2] / np.array(size)
    return bool((np.abs(share - 0.5) <= 0.25).all())


def decode_color(image: bytes, path: Path, where: str = "") -> UInt8[Array, "hc wc 3"]:
    """Decode a JPEG or PNG colour image."""
    return _decode(image, path, where, "RGB").astype(np.uint8)


def decode_texture(image: bytes, path: Path) -> UInt8[Array, "h w 4"]:
    """Decode the picture of a surface: red, green, blue and opacity."""
    return _decode(image, path, "", "RGBA").astype(np.uint8)


def decode_depth(image: bytes, path: Path, where: str = "") -> Int[Array, "h w"]:
    """Decode a 16-bit PNG; its numbers are whatever the dataset says, in ScanNet millimetres."""
    depth = _decode(image, path, where, None)
    if depth.ndim != 2 or depth.dtype.itemsize < 2:
        raise DamagedFile(
            path,
            f"{where}is {depth.shape} {depth.dtype}, and a depth image has one channel of 16 bits",
            "an 8-bit depth image was made for looking at; export the 16-bit one.",
        )
    return depth.astype(np.int64)


def _decode(image: bytes, path: Path, where: str, mode: str | None) -> Array:
    from PIL import Image  # comes with torchvision, which open_clip brings

    try:
        with Image.open(io.BytesIO(image), formats=("JPEG", "PNG")) as opened:
            if max(opened.size) > LARGEST_SIDE:
                width, height = opened.size
                raise DamagedFile(path, f"{where}says it is {width} x {height} pixels, which is not believed")
            return np.asarray(opened if mode is None else opened.convert(mode))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DamagedFile(path, f"{where}cannot be decoded as an image", AGAIN) from error
