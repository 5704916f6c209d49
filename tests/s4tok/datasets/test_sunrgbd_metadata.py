from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.open import open_dataset
from s4tok.datasets.sunrgbd_metadata import measured, read_metadata

DISK = "/n/fs/sun3d/data/SUNRGBD/kv2/room"
K = np.array([[500.0, 0, 3.5], [0, 480, 2.5], [0, 0, 1]])
TILT = np.array([[1, 0, 0], [0, np.cos(0.3), -np.sin(0.3)], [0, np.sin(0.3), np.cos(0.3)]])
MILLIMETRES = np.array([[1000, 0, 1500, 1501, 12_000, 3000], [2000] * 6, [2500] * 6, [4000] * 6])


def thing(name: str) -> dict[str, object]:
    return {
        "classname": name, "centroid": [[1.0, 4.2, -0.2]], "coeffs": [[0.5, -1.1, 0.9]], "basis": np.eye(3),
        "orientation": [[-0.6, -0.8, 0.0]],
    }  # fmt: skip


def release(root: Path, name: str = "SUNRGBDMeta3DBB_v2.mat", n_images: int = 2) -> Path:
    """Write a release of images of 4 x 6 pixels; the first has a bed and a lamp, the others nothing."""
    place = root / "SUNRGBD" / "kv2" / "room"
    place.mkdir(parents=True, exist_ok=True)
    stored = ((MILLIMETRES << 3) | (MILLIMETRES >> 13)) & 0xFFFF
    rows = []
    for number in range(n_images):
        Image.fromarray(stored.astype(np.uint16)).save(place / f"{number}.png")
        color = np.random.default_rng(number).integers(0, 255, (4, 6, 3)).astype(np.uint8)
        Image.fromarray(color).save(place / f"{number}.jpg", quality=95)
        rows.append({
            "depthpath": f"{DISK}/{number}.png", "rgbpath": f"{DISK}/{number}.jpg", "K": K, "Rtilt": TILT,
            "groundtruth3DBB": [] if number else [thing("bed"), thing("lamp")],
        })  # fmt: skip
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    savemat(root / name, {"SUNRGBDMeta": rows}, do_compression=True)
    return root


@pytest.mark.parametrize(
    ("name", "version"),
    [("SUNRGBDMeta3DBB_v2.mat", "v2"), ("SUNRGBDtoolbox/Metadata/SUNRGBDMeta.mat", "v1")],
)
def test_the_release_is_read_without_matlab(name: str, version: str, tmp_path: Path) -> None:
    images = open_dataset(release(tmp_path, name), split="val")
    assert images.name == f"sunrgbd-{version}"
    assert images.keys == ("000001", "000002")
    cloud = images["000001"]
    assert len(cloud) == MILLIMETRES.size - 1  # one pixel was not measured
    assert cloud.color is not None
    boxes = cloud.original_boxes()
    assert boxes is not None
    np.testing.assert_allclose(boxes.sizes, [[2.2, 1.0, 1.8]])
    np.testing.assert_allclose(boxes.yaws, np.arctan2(-0.8, -0.6))
    np.testing.assert_allclose(boxes.centers, [[1.0, 4.2, -0.2]])
    none = images["000002"].boxes
    assert none is not None
    assert len(none) == 0


def test_a_pixel_lies_where_its_camera_saw_it_and_far_ones_at_eight_metres() -> None:
    stored = ((MILLIMETRES << 3) | (MILLIMETRES >> 13)) & 0xFFFF
    points = measured(stored, K, TILT) @ TILT  # right, ahead, above of the camera; column by column
    assert np.isnan(points[4]).all()
    np.testing.assert_allclose(points[0], [(1 - 3.5) / 500, 1.0, -(1 - 2.5) / 480])
    np.testing.assert_allclose(points[16, 1], 8.0)
    np.testing.assert_allclose(points[1, 1], 2.0)


def test_broken_metadata_is_told_with_the_image(tmp_path: Path) -> None:
    path = tmp_path / "SUNRGBDMeta3DBB_v2.mat"
    savemat(
        path, {"SUNRGBDMeta": [{"depthpath": "nowhere", "rgbpath": "", "K": K, "Rtilt": TILT, "groundtruth3DBB": []}]}
    )
    with pytest.raises(DamagedFile, match="its image 1 is not as it must be: nowhere leads to no SUNRGBD/"):
        read_metadata(path, 0)
    savemat(path, {"other": 1})
    with pytest.raises(DamagedFile, match="has no variable SUNRGBDMeta"):
        read_metadata(path, 1)
