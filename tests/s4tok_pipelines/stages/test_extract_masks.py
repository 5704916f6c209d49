import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from s4tok.config import FrameConfig, SuperpointConfig
from s4tok.datasets.frame_clouds import FrameClouds, color_at_depth
from s4tok.errors import UsageError
from s4tok.shapes import Array
from s4tok.superpoints.quality import purity
from s4tok.synthetic.datasets import ToyScans
from s4tok.vision.graph_masks import GraphMasks
from s4tok.vision.vision_model import DepthImage
from s4tok_cache import CacheMismatch, CacheMissing, Shard
from s4tok_pipelines.inputs.find_superpoints import open_superpoints
from s4tok_pipelines.inputs.masks import open_masks
from s4tok_pipelines.report import Item, Report
from s4tok_pipelines.stages.extract_masks import extract_masks
from s4tok_pipelines.stages.superpoints import superpoints

STEP = 20
REGIONS = SuperpointConfig.of("room", "masks")


@pytest.fixture(scope="module")
def scans() -> ToyScans:
    """Two rooms, each filmed in four frames of which every other one is taken."""
    return ToyScans(sizes=(2, 0, 0), frames=80, voxel=0.06)


@pytest.fixture(scope="module")
def cache(scans: ToyScans, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the masks of all frames."""
    folder = tmp_path_factory.mktemp("masks") / "c"
    assert extract_masks(scans, folder, "graph", step=STEP).made == 8
    return folder


class StopsAfter(Report):
    """A user who presses Ctrl-C after some frames."""

    def __init__(self, count: int) -> None:
        self.count = count

    def steps(self, items: Iterable[Item], text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        for number, item in enumerate(items, 1):
            yield item
            if number == self.count:
                raise KeyboardInterrupt


def every_map(clouds: ToyScans, cache: Path) -> dict[str, Array]:
    masks = open_masks(clouds, cache, "graph", STEP)
    return {key: masks.of_frame(key) for key in masks.frames.keys}


def test_the_stage_keeps_what_the_model_gives(scans: ToyScans, cache: Path) -> None:
    frames = FrameClouds(scans, FrameConfig(step=STEP))
    for key, ids in every_map(scans, cache).items():
        frame = frames.frame_of(key)
        image = DepthImage(color_at_depth(frame), frame.depth, frame.depth_intrinsics)
        np.testing.assert_array_equal(ids, GraphMasks().masks(image))
        assert ids.max() > 5


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_shards_and_workers_change_nothing(
    scans: ToyScans, cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        extract_masks(scans, tmp_path / "s", "graph", step=STEP, report=StopsAfter(3))
    again = extract_masks(scans, tmp_path / "s", "graph", step=STEP)
    assert again.made + again.present == 8
    assert again.present >= 3
    parts = [extract_masks(scans, tmp_path / "p", "graph", step=STEP, workers=2, shard=Shard(i, 2)) for i in (0, 1)]
    assert sum(part.made for part in parts) == 8
    whole = every_map(scans, cache)
    for folder in ("s", "p"):
        for key, ids in every_map(scans, tmp_path / folder).items():
            np.testing.assert_array_equal(ids, whole[key])


def test_files_are_taken_for_masks_and_changed_ones_are_taken_again(scans: ToyScans, tmp_path: Path) -> None:
    frames, folder = FrameClouds(scans, FrameConfig(step=STEP)), tmp_path / "mine"
    many = np.arange(240 * 320).reshape(240, 320).astype(np.int32) // 100  # 768 masks
    for key in frames.keys[:-1]:
        scene, _, frame = key.partition("@")
        (folder / scene).mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder / scene / f"{frame}.npz", mask=many)
    outcome = extract_masks(scans, tmp_path / "c", str(folder), step=STEP)
    assert (outcome.made, outcome.figures["masks_most"]) == (7, 767)
    assert [failure.key for failure in outcome.failures] == [frames.keys[-1]]
    masks = open_masks(scans, tmp_path / "c", str(folder), STEP)
    np.testing.assert_array_equal(masks.of_frame(frames.keys[0]), many)
    np.savez_compressed(folder / scene / f"{frame}.npz", mask=many + 1)
    again = extract_masks(scans, tmp_path / "c", str(folder), step=STEP)
    assert (again.made, again.present, len(again.failures)) == (1, 6, 1)


def test_a_frames_points_have_the_regions_of_their_own_pixels(scans: ToyScans, cache: Path, tmp_path: Path) -> None:
    frames = FrameClouds(scans, FrameConfig(step=STEP, n_points=5000))
    outcome = superpoints(frames, cache, REGIONS)
    assert outcome.made == 8
    assert outcome.figures["share_covered"] > 0.9
    found, masks = open_superpoints(frames, cache, REGIONS), every_map(scans, cache)
    for key in frames.keys[:3]:
        labels, pixels = found.read(key)["labels"], frames.pixels(key)
        ids = masks[key][pixels[:, 0], pixels[:, 1]]
        for mask in np.unique(ids[ids > 0]):
            inside = ids == mask
            if inside.sum() >= REGIONS.mask_smallest:
                assert len(np.unique(labels[inside])) == 1
                assert (labels == labels[inside][0]).sum() == inside.sum()


def test_regions_of_masks_that_have_changed_are_refused_and_cut_anew(tmp_path: Path) -> None:
    scans, folder, cache = ToyScans(sizes=(2, 0, 0), frames=20, voxel=0.06), tmp_path / "mine", tmp_path / "c"

    def write(name: str, size: int) -> None:
        scene, _, frame = name.partition("@")
        (folder / scene).mkdir(parents=True, exist_ok=True)
        mask = np.arange(240 * 320).reshape(240, 320).astype(np.int32) // size
        np.savez(folder / scene / f"{frame}.npz", mask=mask)

    config = SuperpointConfig("masks", masks=str(folder))
    one, other = FrameClouds(scans, FrameConfig(step=STEP)).keys
    for key in (one, other):
        write(key, 9000)
    for _ in range(2):
        extract_masks(scans, cache, str(folder))
        outcome = superpoints(scans, cache, config)
    assert (outcome.made, outcome.present) == (0, 2)
    write(one, 30000)
    os.utime(folder / one.partition("@")[0] / f"{one.partition('@')[2]}.npz", ns=(1, 1))
    extract_masks(scans, cache, str(folder))
    with pytest.raises(
        CacheMismatch, match=r"1 of 2 clouds have regions in .* made before the clouds or their masks"
    ) as error:
        open_superpoints(scans, cache, config)
    assert f"superpoints toy-scans --split train --cache {cache} --preset masks --masks {folder}`" in error.value.hint
    outcome = superpoints(scans, cache, config)
    assert (outcome.made, outcome.present) == (1, 1)
    shutil.rmtree(cache / "toy-scans-frames")
    open_superpoints(scans, cache, config)  # what they were made from is no longer there


def test_a_scenes_regions_are_voted_for_by_its_frames(scans: ToyScans, cache: Path) -> None:
    config = SuperpointConfig("masks", frame_step=STEP)
    outcome = superpoints(scans, cache, config)
    assert outcome.made == 2
    assert 0.1 < outcome.figures["share_covered"] < 1
    found = open_superpoints(scans, cache, config)
    for key in scans.keys:
        labels, truth = found.read(key)["labels"], scans[key].labels
        assert truth is not None
        assert labels.dtype == np.int32
        assert np.unique(labels).tolist() == list(range(labels.max() + 1))
        assert purity(labels, truth) > 0.9


def test_regions_without_masks_name_the_command_that_makes_them(scans: ToyScans, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(CacheMissing, match="has no masks of graph") as error:
        superpoints(scans, tmp_path, REGIONS)
    assert error.value.hint == f"run `s4tok extract-masks toy-scans --split train --cache {tmp_path} --model graph`."
    with pytest.raises(CacheMissing, match="has no masks of sam"):
        superpoints(scans, cache, SuperpointConfig("masks", masks="sam"))


def test_masks_of_one_name_made_otherwise_are_told(
    scans: ToyScans, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ToyScans(sizes=(1, 0, 0), frames=20, voxel=0.06)
    extract_masks(one, tmp_path, "graph")
    monkeypatch.setattr("s4tok_pipelines.stages.extract_masks.ALGORITHM", 2)
    extract_masks(one, tmp_path, "graph")
    with pytest.raises(CacheMismatch, match="has 2 results of masks of graph, which differ: algorithm version"):
        superpoints(one, tmp_path, REGIONS)


def test_a_model_without_masks_is_refused(scans: ToyScans, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mini has no masks of regions"):
        extract_masks(scans, tmp_path, "mini")


def test_a_preview_shows_frames_beside_their_masks(tmp_path: Path) -> None:
    from PIL import Image

    one = ToyScans(sizes=(1, 0, 0), frames=40, voxel=0.06)
    extract_masks(one, tmp_path / "c", "graph", preview=tmp_path / "sheets")
    sheet = np.asarray(Image.open(tmp_path / "sheets" / "masks.png"))
    assert sheet.shape == (240, 2 * 640, 3)
    assert len(np.unique(sheet[:, 320:640].reshape(-1, 3), axis=0)) > 5
