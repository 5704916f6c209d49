import numpy as np
import pytest
import torch

from s4tok.clouds import PointCloud
from s4tok.geometry.boxes import points_inside
from s4tok.synthetic.datasets import FEWEST_POINTS, ToyRoom, ToyRooms, ToyScans
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scans import make_scan_room
from s4tok.synthetic.thing_boxes import thing_boxes


def check_boxes(dataset: ToyRoom, cloud: PointCloud, fewest: int) -> None:
    """Hold the boxes of a cloud against its points."""
    boxes, instances, labels = cloud.original_boxes(), cloud.instances, cloud.labels
    assert boxes is not None
    assert boxes.instances is not None
    assert instances is not None
    assert labels is not None
    assert len(boxes) >= fewest
    wider = torch.from_numpy(boxes.rows()) + torch.tensor([0, 0, 0, 0.12, 0.12, 0.12, 0])  # a hand's breadth
    within = points_inside(wider, torch.from_numpy(cloud.original_xyz())).numpy()
    for box, thing in enumerate(boxes.instances):
        mine = instances == thing
        assert mine.sum() >= FEWEST_POINTS
        assert within[box][mine].mean() > 0.95
        assert {dataset.classes[label] for label in labels[mine]} == {dataset.box_classes[boxes.labels[box]]}
    structure = [dataset.classes.index(name) for name in dataset.structure]
    assert (instances[np.isin(labels, [-1, *structure])] == -1).all()


@pytest.mark.parametrize("kind", ["scans", "rooms"])
def test_boxes_hold_the_points_of_their_instances(kind: str) -> None:
    dataset = ToyScans(sizes=(2, 0, 0), voxel=0.08) if kind == "scans" else ToyRooms(sizes=(2, 0, 0), points=20_000)
    for key in dataset.keys:
        check_boxes(dataset, dataset[key], fewest=5)


def test_classes_with_boxes_are_those_of_things() -> None:
    assert ToyRooms.box_classes == ("window", "door", "table", "chair", "sofa", "bookcase", "board")
    assert set(ToyScans.classes) - set(ToyScans.box_classes) == {"wall", "floor"}


def test_a_box_is_the_smallest_around_its_thing_as_it_stands() -> None:
    scene = make_scan_room(Draw(0, "boxes"))
    things = [number for number, name in enumerate(scene.names) if name in ("bed", "chair", "table", "sofa", "cabinet")]
    boxes = thing_boxes(scene, things, [0] * len(things))
    assert boxes.instances is not None
    assert boxes.instances.tolist() == things
    for number, thing in enumerate(things):
        points = torch.from_numpy(scene.vertices[scene.faces[scene.things == thing]].reshape(-1, 3))
        row = torch.from_numpy(boxes.rows())[[number]]
        assert points_inside(row + torch.tensor([0, 0, 0, 1e-6, 1e-6, 1e-6, 0]), points).all()
        for side in range(3):
            less = row.clone()
            less[0, 3 + side] *= 0.99
            assert not points_inside(less, points).all()


def test_a_room_without_things_has_no_boxes() -> None:
    assert len(thing_boxes(make_scan_room(Draw(0, "boxes")), [], [])) == 0
