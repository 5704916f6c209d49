import json
from pathlib import Path

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import WorldConfig
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.synthetic.datasets import ToyScans
from s4tok_pipelines.outputs.boxed_clouds import boxes_page, labelled_by_boxes

NAMES = ("chair", "table")


def test_a_point_has_the_label_of_the_surest_box_that_holds_it() -> None:
    clouds = ToyScans("val", sizes=(0, 1, 0))
    points = np.array([[0.0, 0, 0], [1.0, 0, 0], [2.0, 0, 0], [9.0, 9, 9]])
    boxes = OrientedBoxes.of(
        [0, 1, 0], np.array([[0.5, 0, 0], [1.5, 0, 0], [2.2, 0, 0]]), [[1.2, 1, 1], [1.2, 1, 1], [1.0, 1, 1]],
        [0, np.pi, 0], scores=[0.4, 0.9, 0.2],
    )  # fmt: skip
    cloud = PointCloud.of(points, boxes=boxes)
    assert cloud.boxes is not None
    done = labelled_by_boxes(cloud, cloud.boxes, NAMES, clouds)
    assert done.answers.tolist() == [0, 1, 1, -1]
    nothing = labelled_by_boxes(cloud, OrientedBoxes.none(), NAMES, clouds)
    assert nothing.answers.tolist() == [-1] * 4


def test_a_page_has_found_and_true_boxes(tmp_path: Path) -> None:
    clouds = ToyScans("val", sizes=(0, 1, 0), voxel=2 * WorldConfig.scan_voxel)
    cloud = clouds[clouds.keys[0]]
    assert cloud.boxes is not None
    done = labelled_by_boxes(cloud, cloud.boxes, clouds.box_classes, clouds)
    assert done.truth is not None
    assert (done.truth == done.answers).mean() == 1
    assert (done.answers >= 0).mean() > 0.1
    page = boxes_page(done, clouds, "boxes by X")
    assert "boxes by X" in page
    assert json.dumps(clouds.box_classes[int(cloud.boxes.labels[0])]) in page
