import csv
import json
from pathlib import Path

import numpy as np
import pytest

from s4tok.geometry.box_frames import EDGES, box_corners, turned
from s4tok.oriented_boxes import OrientedBoxes
from s4tok_pipelines.outputs.box_files import WRITERS, write_boxes
from s4tok_pipelines.outputs.formats import BOX_FORMATS

NAMES = ("night stand", "table")
ROWS = np.array([[1, 2, 0.5, 0.8, 0.4, 1.0, 0.3], [-4, 0, 0.35, 2, 1, 0.7, -2.5]])


def boxes() -> OrientedBoxes:
    return OrientedBoxes.of_rows(ROWS, [0, 1], [0.2, 0.9])


def files(folder: Path, found: OrientedBoxes, up: str = "z") -> dict[str, str]:
    endings = write_boxes(folder / "room", found, NAMES, up, BOX_FORMATS)
    return {ending: (folder / f"room{ending}").read_text() for ending in endings}


def test_every_format_has_a_writer() -> None:
    assert tuple(WRITERS) == BOX_FORMATS


def test_json_and_csv_say_the_same_best_first(tmp_path: Path) -> None:
    texts = files(tmp_path, boxes())
    found = json.loads(texts[".boxes.json"])
    assert found["up"] == "z"
    assert found["boxes"][0] == {
        "label": "table", "score": 0.9, "center": [-4, 0, 0.35], "size": [2, 1, 0.7], "yaw": -2.5,
    }  # fmt: skip
    rows = list(csv.DictReader(texts[".boxes.csv"].splitlines()))
    assert [row["label"] for row in rows] == ["table", "night stand"]
    assert [float(rows[1][name]) for name in ("x", "y", "z", "width", "depth", "height", "yaw")] == ROWS[0].tolist()


@pytest.mark.parametrize("up", ["y", "z"])
def test_a_wireframe_has_the_corners_and_edges_of_its_boxes(up: str, tmp_path: Path) -> None:
    there = turned(boxes(), "z", up)
    head, _, body = files(tmp_path, there, up)[".boxes.ply"].partition("end_header\n")
    assert "element vertex 16\n" in head
    assert "element edge 24\n" in head
    rows = [line.split() for line in body.splitlines()]
    corners = np.array(rows[:16], float)[:, :3].reshape(2, 8, 3)
    np.testing.assert_allclose(corners, box_corners(there, up)[::-1], atol=1e-6)  # the best first
    assert np.array(rows[16:28], int)[:, :2].tolist() == EDGES.tolist()
    assert np.array(rows[28:], int)[:, :2].tolist() == (EDGES + 8).tolist()


def test_kitti_has_the_bottom_in_axes_of_a_camera(tmp_path: Path) -> None:
    lines = files(tmp_path, boxes())[".boxes.txt"].splitlines()
    words = lines[1].split()
    assert words[:8] == ["night_stand", "-1", "-1", "-10", "-1", "-1", "-1", "-1"]
    height, width, length, x, y, z, turn, score = map(float, words[8:])
    assert (height, width, length) == (1.0, 0.4, 0.8)
    assert (x, y, z) == (1, 0, 2)  # it stands on the floor
    assert (turn, score) == (-0.3, 0.2)


def test_a_cloud_without_boxes_has_files_all_the_same(tmp_path: Path) -> None:
    texts = files(tmp_path, OrientedBoxes.none())
    assert json.loads(texts[".boxes.json"]) == {"up": "z", "boxes": []}
    assert texts[".boxes.txt"] == ""
    assert "element vertex 0\n" in texts[".boxes.ply"]
