import json
from pathlib import Path

import numpy as np
import pytest
import torch

from s4tok.datasets.formats.ply import read_ply
from s4tok.datasets.scannet import ScanNet
from s4tok.datasets.scannet_boxes import annotation, read_turn
from s4tok.datasets.scannet_labels import BOX_CLASSES
from s4tok.geometry.boxes import corners
from s4tok.shapes import Array, Float64

REAL = Path(__file__).parents[4] / "shared" / "data" / "real" / "scannet"
TURN = 0.4
TABLE = {"wall": 1, "office chair": 5, "trash can": 39, "lamp": 35}
GROUPS = [
    {"objectId": 3, "label": "wall", "segments": [0]},
    {"objectId": 7, "label": "office chair", "segments": [1, 2]},
    {"objectId": 5, "label": "lamp", "segments": [3]},
    {"objectId": 9, "label": "trash can", "segments": [4]},
]


def written(folder: Path, groups: list[dict[str, object]]) -> Path:
    path = folder / "scan.aggregation.json"
    path.write_text(json.dumps({"segGroups": groups}))
    return path


def turned(points: Float64[Array, "n 3"], angle: float) -> Float64[Array, "n 3"]:
    cosine, sine = np.cos(angle), np.sin(angle)
    there: Array = points @ np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]).T
    return there


def test_boxes_are_along_the_axes_of_the_aligned_scan_and_keep_the_ids_of_their_objects(tmp_path: Path) -> None:
    aligned = np.random.default_rng(0).uniform(-2, 2, (60, 3))
    segments = np.repeat(np.arange(6), 10)
    found = annotation(turned(aligned, -TURN), segments, written(tmp_path, GROUPS), TABLE, TURN)
    boxes = found.boxes
    assert boxes.instances is not None
    assert boxes.instances.tolist() == [7, 9]
    assert [BOX_CLASSES[label] for label in boxes.labels] == ["chair", "otherfurniture"]
    assert np.unique(found.instances).tolist() == [-1, 3, 5, 7, 9]
    for box, mine in enumerate((aligned[10:30], aligned[40:50])):
        np.testing.assert_allclose(boxes.sizes[box], np.ptp(mine, axis=0))
        middle = (mine.min(axis=0) + mine.max(axis=0)) / 2
        np.testing.assert_allclose(turned(boxes.centers[box : box + 1], TURN)[0], middle)
    np.testing.assert_allclose(boxes.yaws, -TURN)


def test_a_scan_without_an_alignment_is_taken_as_it_lies(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("sceneType = Kitchen\n")
    assert read_turn(tmp_path / "a.txt") == read_turn(tmp_path / "b.txt") == 0
    numbers = "0.945519 0.325568 0 -5.38 -0.325568 0.945519 0 -2.87 0 0 1 -0.06 0 0 0 1"
    (tmp_path / "a.txt").write_text(f"axisAlignment = {numbers} \ncolorHeight = 968\n")
    assert read_turn(tmp_path / "a.txt") == pytest.approx(np.arctan2(-0.325568, 0.945519))


def test_objects_of_no_class_with_boxes_have_none(tmp_path: Path) -> None:
    found = annotation(np.zeros((3, 3)), np.arange(3), written(tmp_path, GROUPS[:1]), TABLE, 0.0)
    assert len(found.boxes) == 0
    assert found.instances.tolist() == [3, -1, -1]


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real ScanNet scan at {REAL}")
def test_boxes_of_the_real_scan_are_the_span_of_their_objects_vertices() -> None:
    """Counted again from the files, a loop an object, in the frame of the scan's axisAlignment."""
    layout = ScanNet.recognises(REAL)
    assert layout is not None
    cloud = ScanNet("scannet", layout, "train")["scene0000_00"]
    stem = REAL / "scans" / "scene0000_00" / "scene0000_00"
    points = read_ply(Path(f"{stem}_vh_clean_2.ply")).points.astype(np.float64)
    segments = np.array(json.loads(Path(f"{stem}_vh_clean_2.0.010000.segs.json").read_text())["segIndices"])
    facts = Path(f"{stem}.txt").read_text().partition("axisAlignment = ")[2].split()[:16]
    matrix = np.array(facts, float).reshape(4, 4)
    aligned = points @ matrix[:3, :3].T + matrix[:3, 3]
    objects = {each["objectId"]: each for each in json.loads(Path(f"{stem}.aggregation.json").read_text())["segGroups"]}
    boxes = cloud.original_boxes()
    assert boxes is not None
    assert boxes.instances is not None
    assert len(boxes) > 20
    assert len(set(boxes.labels.tolist())) > 8
    around = corners(torch.from_numpy(boxes.rows())).numpy()
    for box, thing in enumerate(boxes.instances):
        mine = aligned[np.isin(segments, objects[int(thing)]["segments"])]
        np.testing.assert_allclose(boxes.sizes[box], np.ptp(mine, axis=0), atol=1e-4)
        flat = around[box] @ matrix[:2, :2].T + matrix[:2, 3]
        np.testing.assert_allclose(flat.min(axis=0), mine[:, :2].min(axis=0), atol=1e-4)
        np.testing.assert_allclose(flat.max(axis=0), mine[:, :2].max(axis=0), atol=1e-4)
        assert boxes.centers[box, 2] + matrix[2, 3] == pytest.approx(
            (mine[:, 2].min() + mine[:, 2].max()) / 2, abs=1e-4
        )
