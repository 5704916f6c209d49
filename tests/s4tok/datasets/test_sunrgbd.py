import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from s4tok.datasets.open import open_dataset
from s4tok.datasets.sunrgbd import SunRgbdV1, SunRgbdV2
from s4tok.datasets.sunrgbd_labels import Thing, read_label
from s4tok.errors import InputError
from s4tok.geometry.box_frames import box_corners
from s4tok.geometry.boxes import points_inside
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Float64
from s4tok.synthetic.layouts import write
from s4tok_pipelines.stages.data import check

REAL = Path(__file__).parents[4] / "shared" / "data" / "real" / "sunrgbd"
real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real SUN RGB-D image at {REAL}")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two toy images to train on and one to test on, in VoteNet's layout."""
    folder = tmp_path_factory.mktemp("sunrgbd")
    assert len(list(write("sunrgbd", folder, (2, 0, 1)))) == 3
    return folder


def pixels(points: Float64[Array, "*n 3"], calibration: Path) -> Float64[Array, "*n 2"]:
    """Undo the tilt, swap axes, and project; both matrices are written column by column."""
    tilt, intrinsics = (np.array(line.split(), float).reshape(3, 3).T for line in calibration.read_text().splitlines())
    right, ahead, above = np.moveaxis(points @ tilt, -1, 0)
    seen = np.stack([right, -above, ahead], axis=-1) @ intrinsics.T
    placed: Array = seen[..., :2] / seen[..., 2:]
    return placed


def n_inside(points: Float64[Array, "n 2"], box: tuple[float, ...]) -> int:
    left, top, width, height = box
    return int(((points >= [left, top]) & (points <= [left + width, top + height])).all(axis=1).sum())


def labelled(folder: Path, key: str, boxes: OrientedBoxes) -> list[tuple[Thing, Float64[Array, "8 2"]]]:
    """Give the label of each box, and where its corners lie in the image."""
    known = [thing for thing in read_label(folder / "label" / f"{key}.txt") if boxes_has(boxes, thing.center)]
    assert len(known) == len(boxes)
    return list(zip(known, pixels(box_corners(boxes), folder / "calib" / f"{key}.txt"), strict=True))


def boxes_has(boxes: OrientedBoxes, center: tuple[float, ...]) -> bool:
    return bool((np.abs(boxes.centers - np.array(center)).max(axis=1) < 1e-5).any())


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_toy_images_are_read_with_boxes_around_their_points(version: str, root: Path) -> None:
    images = open_dataset(root, dataset=f"sunrgbd-{version}", split="train")
    assert images.name == f"sunrgbd-{version}"
    assert images.keys == ("005051", "005052")
    for key in images.keys:
        cloud = images[key]
        boxes = cloud.original_boxes()
        assert boxes is not None
        assert len(boxes) >= 1
        inside = points_inside(torch.from_numpy(boxes.rows()), torch.from_numpy(cloud.original_xyz()))
        assert (inside.sum(1) >= 20).all()
        for thing, corners in labelled(root / "sunrgbd_trainval", key, boxes):
            low, high = (np.clip(edge, 0, (320, 240)) for edge in (corners.min(axis=0), corners.max(axis=0)))
            np.testing.assert_allclose(thing.box_2d, [*low, *(high - low)], atol=1)


def test_the_prepared_form_holds_the_same_boxes(root: Path, tmp_path: Path) -> None:
    for folder in root.glob("sunrgbd_pc_*"):
        shutil.copytree(folder, tmp_path / folder.name)
    whole, prepared = (open_dataset(place, dataset="sunrgbd-v2", split="val") for place in (root, tmp_path))
    assert prepared.keys == whole.keys == ("002526",)
    one, other = whole["002526"], prepared["002526"]
    assert len(other) == 50_000
    ours, theirs = one.original_boxes(), other.original_boxes()
    assert ours is not None
    assert theirs is not None
    np.testing.assert_allclose(theirs.rows(), ours.rows(), atol=2e-6)
    np.testing.assert_array_equal(theirs.labels, ours.labels)


def test_the_check_reads_both_splits_through(root: Path) -> None:
    checked = check([root], "sunrgbd-v2", partial=True)
    assert not checked.problems
    assert checked.splits == {"val": 1, "train": 2}
    label = root / "sunrgbd_trainval" / "label" / "005051.txt"
    text = label.read_text()
    label.write_text("bed 1 2 3\n")
    try:
        found = check([root], "sunrgbd-v2", partial=True).problems
        assert [(each.path, each.line) for each in found] == [(str(label), 1)]
    finally:
        label.write_text(text)


def test_of_both_versions_in_a_folder_the_first_is_taken(root: Path, tmp_path: Path) -> None:
    assert open_dataset(root).name == "sunrgbd-v1"
    shutil.copytree(root / "sunrgbd_trainval", tmp_path / "sunrgbd_trainval")
    shutil.rmtree(tmp_path / "sunrgbd_trainval" / "label_v1")
    assert open_dataset(tmp_path / "sunrgbd_trainval").name == "sunrgbd-v2"


def test_a_list_of_no_numbers_is_refused_with_its_line(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "sunrgbd_trainval", tmp_path / "sunrgbd_trainval")
    (tmp_path / "sunrgbd_trainval" / "train_data_idx.txt").write_text("5051\nfive\n")
    with pytest.raises(InputError, match=r"train_data_idx\.txt:2: .*'five'"):
        open_dataset(tmp_path, split="train")


@real
def test_boxes_of_the_real_image_lie_where_its_2d_boxes_are() -> None:
    layout = SunRgbdV2.recognises(REAL)
    assert layout is not None
    images = SunRgbdV2("sunrgbd-v2", layout, "train")
    cloud = images["000001"]
    boxes = cloud.original_boxes()
    assert boxes is not None
    assert [images.box_classes[label] for label in boxes.labels] == ["bed", "night stand", "dresser"]
    assert len(cloud) == 280_961
    for thing, corners in labelled(REAL / "sunrgbd_trainval", "000001", boxes):
        assert n_inside(corners, thing.box_2d) >= 1, thing.name
        if thing.name == "bed":  # which nothing hides
            assert n_inside(corners.mean(axis=0)[None], thing.box_2d) == 1
    inside = points_inside(torch.from_numpy(boxes.rows()), torch.from_numpy(cloud.original_xyz()))
    assert (inside.sum(1) > 300).all()


@real
def test_the_real_prepared_boxes_are_those_of_the_labels_but_for_the_version() -> None:
    layout = SunRgbdV1.recognises(REAL)
    assert layout is not None
    assert layout.name == "prepared"
    prepared = SunRgbdV1("sunrgbd-v1", layout, "val")["000001"]
    released = open_dataset(REAL, dataset="sunrgbd-v2", split="train")["000001"]
    ours, theirs = released.original_boxes(), prepared.original_boxes()
    assert len(prepared) == 50_000
    assert ours is not None
    assert theirs is not None
    same = [0, 2]  # the night stand was drawn anew
    np.testing.assert_allclose(theirs.rows()[same], ours.rows()[same], atol=1e-6)
    assert np.abs(theirs.rows()[1] - ours.rows()[1]).max() > 0.1
