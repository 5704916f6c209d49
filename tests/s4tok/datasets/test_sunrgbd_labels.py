from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.sunrgbd_labels import CLASSES, boxes_of, read_array, read_label

LINE = "bed 328 1.52e+02 346 320 1.0 4.2 -0.2 0.5 1.1 0.9 -0.6 -0.8"


def write(folder: Path, text: str) -> Path:
    path = folder / "000001.txt"
    path.write_text(text)
    return path


def test_half_lengths_are_doubled_w_and_l_swapped_and_l_lies_along_the_direction(tmp_path: Path) -> None:
    boxes = boxes_of(read_label(write(tmp_path, f"{LINE}\nlamp{LINE[3:]}\n")))
    assert boxes.labels.tolist() == [0]  # lamps are not detected
    assert boxes.centers.tolist() == [[1.0, 4.2, -0.2]]
    np.testing.assert_allclose(boxes.sizes, [[2.2, 1.0, 1.8]])
    np.testing.assert_allclose(np.cos(boxes.yaws), [-0.6])
    np.testing.assert_allclose(np.sin(boxes.yaws), [-0.8])


def test_a_line_and_an_array_say_the_same(tmp_path: Path) -> None:
    of_line = boxes_of(read_label(write(tmp_path, LINE)))
    heading = -np.arctan2(-0.8, -0.6)
    np.save(tmp_path / "a_bbox.npy", np.array([[1.0, 4.2, -0.2, 1.1, 0.5, 0.9, heading, 0]]))
    of_array = read_array(tmp_path / "a_bbox.npy")
    np.testing.assert_allclose(of_array.rows(), of_line.rows())
    assert of_array.labels.tolist() == of_line.labels.tolist()


def test_an_image_without_objects_has_no_boxes(tmp_path: Path) -> None:
    assert len(boxes_of(read_label(write(tmp_path, "")))) == 0
    np.save(tmp_path / "a_bbox.npy", np.zeros((0, 8)))
    assert len(read_array(tmp_path / "a_bbox.npy")) == 0


def test_the_classes_have_the_order_of_the_arrays() -> None:
    assert CLASSES[0] == "bed"
    assert CLASSES[7] == "night stand"
    assert len(CLASSES) == 10


@pytest.mark.parametrize("line", ["bed 1 2 3", LINE + " 7", LINE.replace("4.2", "nan"), LINE.replace(" 0.5 ", " -1 ")])
def test_a_broken_label_is_refused_with_its_line(line: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match=r"000001\.txt:2: a label is a name and 12 numbers"):
        read_label(write(tmp_path, f"{LINE}\n{line}\n"))


@pytest.mark.parametrize("rows", [np.zeros((2, 7)), np.full((1, 8), np.nan), np.full((1, 8), 11.0)])
def test_a_broken_array_is_refused(rows: np.ndarray, tmp_path: Path) -> None:  # type: ignore[type-arg]
    np.save(tmp_path / "a_bbox.npy", rows)
    with pytest.raises(DamagedFile):
        read_array(tmp_path / "a_bbox.npy")
