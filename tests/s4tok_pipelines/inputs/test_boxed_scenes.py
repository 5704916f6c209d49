from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from s4tok.clouds import PointCloud
from s4tok.config import BoxLossConfig, detection_recipe
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.errors import UsageError
from s4tok.geometry.box_frames import turned
from s4tok.geometry.boxes import points_inside
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.synthetic.datasets import ToyShapes
from s4tok_pipelines.inputs.boxed_scenes import BoxedData, boxed_scenes

RECIPE = detection_recipe("toy")


class Turned(CloudDataset):
    """One room with y up, its walls turned from the axes."""

    name, scene, up = "turned", "room", "y"
    keys: Sequence[str] = ("a",)
    box_classes = ("thing",)
    split = "train"

    def origin(self, key: str) -> Origin:
        return Origin(key, 1)

    def turn(self, key: str) -> float:
        return 0.5

    def __getitem__(self, key: str) -> PointCloud:
        draw = np.random.default_rng(0)
        points = draw.uniform([0, 0, 0], [5, 2, 4], (3000, 3))
        flat = OrientedBoxes.of(
            [0, 0], np.array([[1, -1, 1], [3, -2.5, 0.5]]), [[1, 0.5, 1], [0.6, 0.8, 0.5]], [-0.5, 0.2]
        )
        return PointCloud.of(points, boxes=turned(flat, "z", "y"))


def data(cache: Path, **boxes: object) -> BoxedData:
    clouds = Turned()
    scenes = boxed_scenes(clouds, clouds.keys, cache)
    detector = replace(RECIPE.detector, n_points=1000)
    return BoxedData(scenes, None, ["a", "a"], detector, replace(BoxLossConfig(), **boxes), RECIPE.training)  # type: ignore[arg-type]


def test_boxes_hold_the_points_they_held_in_the_file(tmp_path: Path) -> None:
    cloud = Turned()["a"]
    assert cloud.boxes is not None
    rows = turned(cloud.boxes, "y", "z").rows()
    raised = torch.from_numpy(np.column_stack([cloud.xyz[:, 0], -cloud.xyz[:, 2], cloud.xyz[:, 1]]))
    before = points_inside(torch.from_numpy(rows), raised)
    arrays = data(tmp_path).scenes.read("a").arrays
    after = points_inside(torch.tensor(arrays["boxes"]), torch.tensor(arrays["points"]))
    assert before.sum() > 40
    assert (before != after).sum() <= 2
    assert abs(float(arrays["boxes"][0, 6])) < 1e-6  # its walls lie along the axes now


def test_an_epoch_varies_a_scene_by_its_key_and_a_validation_leaves_it_as_it_is(tmp_path: Path) -> None:
    given = data(tmp_path, crop=(0.5, 0.9), crop_likeness=0.5)
    assert list(given.keys) == ["a", "a~1"]
    first, again = given.entries([0, 1], 3)
    same = given.entries([0], 3)[0]
    np.testing.assert_array_equal(first.points, same.points)
    assert not np.array_equal(first.boxes, again.boxes)
    still = given.entries([0], "validation")[0]
    arrays = given.scenes.read("a").arrays
    np.testing.assert_array_equal(still.boxes, arrays["boxes"])
    assert set(map(tuple, still.points.tolist())) <= set(map(tuple, arrays["points"].tolist()))
    assert len(still.points) == 1000
    assert given.hold()
    np.testing.assert_array_equal(given.entries([0], 3)[0].points, first.points)


def test_a_detector_of_boxes_along_the_axes_gets_such(tmp_path: Path) -> None:
    given = data(tmp_path)
    given.detector = replace(given.detector, angles=1)
    for epoch in (0, "validation"):
        assert not given.entries([0], epoch)[0].boxes[:, 6].any()


def test_a_dataset_without_boxes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="toy-shapes has no boxes"):
        boxed_scenes(ToyShapes(sizes=(1, 0, 0)), ["x"], tmp_path)


def test_a_typical_size_is_the_mean_of_its_class_or_of_all(tmp_path: Path) -> None:
    known = data(tmp_path)
    mean = np.mean([[1, 0.5, 1], [0.6, 0.8, 0.5]], axis=0)
    np.testing.assert_allclose(known.typical_sizes(2), [mean, mean], rtol=1e-6)
    along = replace(known, detector=replace(known.detector, angles=1))
    assert (along.typical_sizes(1)[0, :2] > mean[:2]).all()  # of the hulls, which are predicted then
