import math

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.datasets.scannet_labels import CLASSES as SCANNET
from s4tok.shapes import Array
from s4tok.synthetic.buildings import CLASSES as ROOMS
from s4tok.zero_shot.furniture import Furniture
from s4tok.zero_shot.labelled import Labelled

CLASSES = ("wall", "chair", "floor", "table")


def labelled(truth: list[int], scores: list[list[float]]) -> Labelled:
    xyz = np.random.default_rng(0).normal(size=(len(truth), 3))
    values: Array = np.array(scores, np.float32)
    cloud = PointCloud.of(xyz, labels=np.array(truth))
    return Labelled(cloud, np.zeros(len(truth), np.int64), CLASSES, values, values.argmax(axis=1))


def test_only_points_of_furniture_count_and_only_its_names_are_asked_about() -> None:
    counted = Furniture(CLASSES)
    counted(
        labelled(
            [1, 1, 3, 0, -1],  # two chairs, a table, a wall, nobody knows
            [
                [0.9, 0.2, 0.0, 0.1],  # called wall by all names, chair by furniture's: right
                [0.0, 0.1, 0.0, 0.3],  # called table: wrong
                [0.0, 0.1, 0.8, 0.3],  # called table: right
                [0.9, 0.5, 0.0, 0.0],
                [0.0, 0.5, 0.0, 0.0],
            ],
        )
    )
    np.testing.assert_array_equal(counted.points, [2, 1])
    assert counted.names == ["chair", "table"]
    assert counted.miou == (1 / 2 + 1 / 2) / 2  # chair 1 of 2, table 1 of 2
    counted(labelled([3, 3], [[0, 0, 0, 1.0], [0, 1.0, 0, 0]]))
    assert counted.miou == (1 / 3 + 2 / 4) / 2


def test_every_benchmark_has_furniture_and_rooms_of_nothing_else_have_none() -> None:
    assert Furniture(ROOMS).names == ["table", "chair", "sofa", "bookcase"]
    assert len(Furniture(SCANNET).names) == 13
    bare = Furniture(("wall", "floor"))
    bare(labelled([1, 0], [[1.0, 0, 0, 0], [1.0, 0, 0, 0]]))
    assert math.isnan(bare.miou)
