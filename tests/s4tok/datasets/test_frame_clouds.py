import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from s4tok.clouds import PointCloud
from s4tok.config import FrameConfig, Scene
from s4tok.datasets.dataset import CloudDataset, Frame, Origin
from s4tok.datasets.frame_clouds import FrameClouds, color_at_depth
from s4tok.datasets.open import open_dataset
from s4tok.errors import InputError, UsageError
from s4tok.synthetic.datasets import ToyScans, ToyShapes

HEIGHT, WIDTH = 24, 40


class Square(CloudDataset):
    """A dark wall two metres before a camera that stands at (5, 6, 7) and looks along +y, with one bright square."""

    name = "square"
    split = "all"
    scene: Scene = "room"
    up: Literal["x", "y", "z"] = "z"
    keys = ("wall",)

    def __init__(self, measured: float = 1.0, size: int = 1) -> None:
        self.measured, self.size = measured, size  # share of the rows, and pixels of colour a pixel of depth

    def __getitem__(self, key: str) -> PointCloud:
        return PointCloud.of(np.zeros((2, 3)))

    def origin(self, key: str) -> Origin:
        return Origin("wall", 2)

    def frames(self, key: str, step: int = 1) -> Iterator[Frame]:
        color = np.full((self.size * HEIGHT, self.size * WIDTH, 3), 10, np.uint8)
        color[self.size * 3 : self.size * 7, self.size * 25 : self.size * 33] = 250
        depth = np.full((HEIGHT, WIDTH), 2.0, np.float32)
        depth[: round((1 - self.measured) * HEIGHT)] = 0
        intrinsics = np.array([[20.0, 0, 19.5], [0, 20.0, 11.5], [0, 0, 1]])
        pose = np.array([[1.0, 0, 0, 5], [0, 0, 1, 6], [0, -1, 0, 7], [0, 0, 0, 1]])  # y down is -z
        yield Frame("0", color, depth, intrinsics, intrinsics, pose)


@pytest.mark.parametrize("size", [1, 3])
def test_one_bright_square_lights_the_points_before_it_and_no_others(size: int) -> None:
    cloud = FrameClouds(Square(size=size))["wall@0"]
    assert cloud.color is not None
    x, y, z = cloud.original_xyz().T
    np.testing.assert_allclose(y, 8)
    columns, rows = (x - 5) * 10 + 19.5, (7 - z) * 10 + 11.5
    inside = (rows > 2.5) & (rows < 6.5) & (columns > 24.5) & (columns < 32.5)
    assert inside.sum() == 4 * 8
    np.testing.assert_array_equal(cloud.color[:, 0] > 0.5, inside)


def test_points_are_the_pixels_they_are_said_to_be() -> None:
    clouds = FrameClouds(Square(), FrameConfig(n_points=100))
    pixels, cloud = clouds.pixels("wall@0"), clouds["wall@0"]
    assert len(pixels) == len(cloud) == 100
    lit = color_at_depth(clouds.frame_of("wall@0"))[pixels[:, 0], pixels[:, 1], 0] / 255
    assert cloud.color is not None
    np.testing.assert_allclose(cloud.color[:, 0], lit, atol=1e-6)
    np.testing.assert_allclose(cloud.original_xyz()[:, 2], 7 - (pixels[:, 0] - 11.5) / 10, atol=1e-5)


def test_a_frame_with_little_depth_is_refused_and_its_others_are_used() -> None:
    assert len(FrameClouds(Square(measured=0.5))["wall@0"]) == HEIGHT * WIDTH / 2
    with pytest.raises(InputError, match=r"wall@0: depth was measured at 25% of its pixels, and a cloud needs 30%"):
        FrameClouds(Square(measured=0.25))["wall@0"]


def test_objects_have_no_frames_and_say_so() -> None:
    with pytest.raises(UsageError, match="toy-shapes has no posed RGB-D frames"):
        FrameClouds(ToyShapes(sizes=(1, 0, 0)))


def small() -> ToyScans:
    return ToyScans(sizes=(2, 0, 0), frames=60)


def test_frames_of_toy_scans_are_the_films_and_stay_the_same_in_any_order_and_process() -> None:
    clouds = FrameClouds(small(), FrameConfig(step=30, n_points=500))
    assert clouds.keys == ("train-000000@0", "train-000000@30", "train-000001@0", "train-000001@30")
    assert (clouds.name, clouds.scene, clouds.up) == ("toy-scans-frames", "room", "z")
    last = clouds[clouds.keys[-1]]
    again = pickle.loads(pickle.dumps(FrameClouds(small(), FrameConfig(step=30, n_points=500))))[clouds.keys[-1]]
    np.testing.assert_array_equal(last.original_xyz(), again.original_xyz())
    film = {frame.name: frame for frame in small().frames("train-000001", 30)}
    np.testing.assert_array_equal(clouds.frame_of("train-000001@30").depth, film["30"].depth)
    np.testing.assert_array_equal(clouds.frame_of("train-000001@30").color, film["30"].color)
    with pytest.raises(InputError, match="train-000000 has no frame 90"):
        small().frame("train-000000", "90")


def test_points_of_a_frame_lie_on_the_scan() -> None:
    from scipy.spatial import KDTree

    scans = small()
    clouds = FrameClouds(scans, FrameConfig(step=30, n_points=500))
    distance, _ = KDTree(scans["train-000000"].original_xyz()).query(clouds["train-000000@30"].original_xyz())
    assert np.median(distance) < 0.05


def test_scannets_own_frames_are_clouds_that_lie_on_its_scan(real_data: Path) -> None:
    from scipy.spatial import KDTree

    scans = open_dataset(real_data / "scannet", split="train")
    clouds = FrameClouds(scans, FrameConfig(step=1))
    key = clouds.keys[0]
    distance, _ = KDTree(scans[key.partition("@")[0]].original_xyz()).query(clouds[key].original_xyz())
    assert np.median(distance) < 0.05
