import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.config import SuperpointConfig
from s4tok.datasets.open import open_dataset
from s4tok.errors import UsageError
from s4tok.shapes import Array
from s4tok.superpoints import partition
from s4tok_cache import CacheMismatch, CacheReader, Shard, Stamp, Store
from s4tok_pipelines.inputs.entries import fingerprint
from s4tok_pipelines.inputs.find_superpoints import open_superpoints
from s4tok_pipelines.inputs.ready_labels import read_labels
from s4tok_pipelines.layouts import SUPERPOINTS
from s4tok_pipelines.outputs.superpoint_files import export_segments, preview
from s4tok_pipelines.report import Item, Report
from s4tok_pipelines.stages.superpoints import superpoints

CONFIG = SuperpointConfig("grid", grid_cells=8)  # quick, and the stage does not know the difference


def corner(seed: int, n: int = 300) -> Array:
    """Make the corner of a room."""
    points = np.random.default_rng(seed).uniform(0, 1, (n, 3))
    points[np.arange(n), np.arange(n) % 3] = 0
    return points


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for seed in range(5):
        np.save(folder / f"corner_{seed}.npy", corner(seed, 200 + 50 * seed))
    return folder


def labels_in(folder: Path, cache: Path, config: SuperpointConfig = CONFIG) -> dict[str, Array]:
    reader = open_superpoints(open_dataset(folder), cache, config)
    return {key: reader.read(key)["labels"] for key in reader}


class StopsAfter(Report):
    """A user who presses Ctrl-C after so many clouds."""

    def __init__(self, count: int) -> None:
        self.count = count

    def steps(self, items: Any, text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        for number, item in enumerate(items, 1):
            yield item
            if number == self.count:
                raise KeyboardInterrupt


def test_the_stage_stores_what_the_library_gives(scans: Path, tmp_path: Path) -> None:
    clouds, config = open_dataset(scans), SuperpointConfig(smallest=5)
    outcome = superpoints(clouds, tmp_path / "c", config)
    assert (outcome.made, outcome.present, outcome.failures) == (5, 0, [])
    stored = labels_in(scans, tmp_path / "c", config)
    assert set(stored) == set(clouds.keys)
    for key, labels in stored.items():
        np.testing.assert_array_equal(labels, partition(clouds[key], config))
    counts = [int(labels.max()) + 1 for labels in stored.values()]
    assert outcome.figures["superpoints_median"] == np.median(counts)
    assert outcome.figures["points"] == sum(map(len, stored.values()))


def test_a_stopped_run_goes_on_where_it_stopped_and_ends_as_if_it_had_not(scans: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        superpoints(open_dataset(scans), tmp_path / "c", CONFIG, report=StopsAfter(2))
    kept = len(labels_in(scans, tmp_path / "c"))
    assert 2 <= kept < 5
    again = superpoints(open_dataset(scans), tmp_path / "c", CONFIG)
    assert (again.made, again.present) == (5 - kept, kept)
    superpoints(open_dataset(scans), tmp_path / "whole", CONFIG)
    one, other = labels_in(scans, tmp_path / "c"), labels_in(scans, tmp_path / "whole")
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_array_equal(one[key], other[key])


def test_shards_and_workers_do_not_change_the_labels(scans: Path, tmp_path: Path) -> None:
    superpoints(open_dataset(scans), tmp_path / "one", CONFIG, workers=2)
    parts = [superpoints(open_dataset(scans), tmp_path / "many", CONFIG, shard=Shard(i, 3)).made for i in range(3)]
    assert sum(parts) == 5
    one, many = labels_in(scans, tmp_path / "one"), labels_in(scans, tmp_path / "many")
    for key in one:
        np.testing.assert_array_equal(one[key], many[key])


def test_a_changed_file_and_changed_parameters_are_cut_again_and_nothing_else(scans: Path, tmp_path: Path) -> None:
    superpoints(open_dataset(scans), tmp_path / "c", CONFIG)
    np.save(scans / "corner_3.npy", corner(33, 999))
    assert superpoints(open_dataset(scans), tmp_path / "c", CONFIG).made == 1
    assert superpoints(open_dataset(scans), tmp_path / "c", CONFIG).made == 0
    assert superpoints(open_dataset(scans), tmp_path / "c", CONFIG, overwrite=True).made == 5
    finer = SuperpointConfig("grid", grid_cells=20)
    assert superpoints(open_dataset(scans), tmp_path / "c", finer).made == 5


BEFORE_SHARES = {
    "method": "cut-pursuit", "anchors": 4096, "neighbors": 30, "sqrt_eigenvalues": False, "standardized": False,
    "normal_form": "outer", "geometry_weight": 0.7, "adjacency": 10, "regularization": 0.2, "smoothness": 0.4,
    "smallest": 60, "voxel": 0.0, "grid_cells": 100, "seed": 0,
}  # fmt: skip


@pytest.mark.slow
def test_a_cut_from_before_the_smallest_share_stays_another_result(scans: Path, tmp_path: Path) -> None:
    clouds, now = open_dataset(scans), SuperpointConfig("cut-pursuit")
    root = tmp_path / "c" / clouds.name / clouds.split
    with Store.resume(root, SUPERPOINTS, Stamp("superpoints", BEFORE_SHARES)) as store:
        for key in clouds.keys:
            labels = np.zeros(len(clouds[key]), np.int32)
            store.write(key, {"labels": labels}, fingerprint(clouds, key), {"n_superpoints": 1})
    with pytest.raises(CacheMismatch, match=r"made with .*no smallest_share, not 0\.006; smoothness 0\.4, not 0\.0\."):
        open_superpoints(clouds, tmp_path / "c", now)
    assert superpoints(clouds, tmp_path / "c", now).made == 5
    as_before = replace(now, regularization=0.2, smoothness=0.4, smallest=60, smallest_share=0.0)
    assert superpoints(clouds, tmp_path / "c", as_before).made == 5  # named in another way, so not known to be equal
    assert max(int(labels.max()) for labels in labels_in(scans, tmp_path / "c", now).values()) > 0
    with pytest.raises(CacheMismatch, match="has 3 results of superpoints, which differ"):
        CacheReader.find(root, SUPERPOINTS, "superpoints")


def test_a_broken_cloud_is_one_failed_entry_and_is_tried_again_once_mended(scans: Path, tmp_path: Path) -> None:
    np.save(scans / "corner_1.npy", np.full((10, 3), np.nan))
    outcome = superpoints(open_dataset(scans), tmp_path / "c", CONFIG)
    assert outcome.made == 4
    (failure,) = outcome.failures
    assert failure.key == "corner_1.npy"
    assert "10 of 10 points are not finite" in failure.reason
    np.save(scans / "corner_1.npy", corner(1))
    mended = superpoints(open_dataset(scans), tmp_path / "c", CONFIG)
    assert (mended.made, mended.present, mended.failures) == (1, 4, [])


@pytest.mark.parametrize("ending", ["npy", "txt", "segs.json"])
def test_ready_labels_are_taken_from_files_named_by_the_clouds(scans: Path, tmp_path: Path, ending: str) -> None:
    ready = tmp_path / "ready"
    ready.mkdir()
    for path in sorted(scans.iterdir()):
        ids = 7 * (np.load(path)[:, 0] > 0.5).astype(int)
        if ending == "npy":
            np.save(ready / f"{path.stem}.npy", ids)
        elif ending == "txt":
            np.savetxt(ready / f"{path.stem}.txt", ids, fmt="%d")
        else:
            (ready / f"{path.stem}.segs.json").write_text(json.dumps({"segIndices": ids.tolist()}))
    config = SuperpointConfig("labels")
    assert superpoints(open_dataset(scans), tmp_path / "c", config, ready=ready).made == 5
    reader = open_superpoints(open_dataset(scans), tmp_path / "c", config, ready)
    points, labels = np.load(scans / "corner_2.npy"), reader.read("corner_2.npy")["labels"]
    assert labels.max() == 1
    np.testing.assert_array_equal(labels == labels[points[:, 0].argmax()], points[:, 0] > 0.5)


def test_labels_that_are_missing_or_do_not_fit_are_failed_entries(scans: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    ready.mkdir()
    np.save(ready / "corner_0.npy", np.zeros(200, int))
    np.save(ready / "corner_1.npy", np.zeros(7, int))
    (ready / "corner_2.segs.json").write_text("{}")
    outcome = superpoints(open_dataset(scans), tmp_path / "c", SuperpointConfig("labels"), ready=ready)
    assert outcome.made == 1
    reasons = {failure.key: failure.reason for failure in outcome.failures}
    assert "there must be 250 superpoint ids, one a point, and the array is (7,)" in reasons["corner_1.npy"]
    assert "corner_2.segs.json holds no labels" in reasons["corner_2.npy"]
    assert "holds no labels of corner_3.npy" in reasons["corner_3.npy"]


def test_a_file_that_needs_a_package_or_has_an_odd_name_or_ends_nowhere_is_one_entry(
    scans: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    shutil.copy(scans / "corner_0.npy", folder / os.fsdecode(b"bad\xff.npy"))
    header = bytearray(227)
    header[:4], header[104], header[131:179] = b"LASF", 0x80, np.ones(6).tobytes()
    (folder / "a.laz").write_bytes(bytes(header))  # without laspy, or damaged with it
    (folder / "zeros.txt").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.xyz")
    found = superpoints(open_dataset(folder), tmp_path / "c", CONFIG)
    assert (found.made, [failure.key for failure in found.failures]) == (1, ["a.laz"])
    assert r"bad\xff.npy" in open_superpoints(open_dataset(folder), tmp_path / "c", CONFIG)


def test_method_and_labels_go_together(scans: Path, tmp_path: Path) -> None:
    for config, ready in ((SuperpointConfig("labels"), None), (CONFIG, tmp_path)):
        with pytest.raises(UsageError, match="both or neither"):
            superpoints(open_dataset(scans), tmp_path / "c", config, ready=ready)


def test_segments_are_written_as_scannet_writes_them_and_can_be_taken_back(scans: Path, tmp_path: Path) -> None:
    superpoints(open_dataset(scans), tmp_path / "c", CONFIG)
    reader = open_superpoints(open_dataset(scans), tmp_path / "c", CONFIG)
    assert export_segments(open_dataset(scans), reader, tmp_path / "segs") == 5
    written = json.loads((tmp_path / "segs" / "corner_4.segs.json").read_text())
    assert set(written) == {"params", "sceneId", "segIndices"}
    assert written["segIndices"] == reader.read("corner_4.npy")["labels"].tolist()
    ready = SuperpointConfig("labels")
    superpoints(open_dataset(scans), tmp_path / "back", ready, ready=tmp_path / "segs")
    back = open_superpoints(open_dataset(scans), tmp_path / "back", ready, tmp_path / "segs")
    np.testing.assert_array_equal(back.read("corner_4.npy")["labels"], reader.read("corner_4.npy")["labels"])
    export_segments(open_dataset(scans), reader, tmp_path / "scannet", scannet=True)
    assert (tmp_path / "scannet" / "corner_0.npy_vh_clean_2.0.010000.segs.json").is_file()


def test_segments_of_files_that_differ_in_their_endings_are_files_of_their_own(tmp_path: Path) -> None:
    points = np.random.default_rng(0).random((2, 300, 3))
    np.save(tmp_path / "a.npy", points[0])
    np.savetxt(tmp_path / "a.xyz", points[1])
    clouds = open_dataset(tmp_path)
    superpoints(clouds, tmp_path / "c", CONFIG)
    reader = open_superpoints(clouds, tmp_path / "c", CONFIG)
    export_segments(clouds, reader, tmp_path / "segs")
    for key in clouds.keys:
        segments = json.loads((tmp_path / "segs" / f"{key}.segs.json").read_text())["segIndices"]
        assert segments == read_labels(tmp_path / "segs", key, 2).tolist() == reader.read(key)["labels"].tolist()


def test_segments_of_an_organised_cloud_keep_the_rows_of_its_file_and_can_be_taken_back(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((300, 3)).astype("<f4")
    rows[7:30] = np.nan
    header = "FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH 30\nHEIGHT 10\nDATA binary\n"
    (tmp_path / "a.pcd").write_bytes(header.encode() + rows.tobytes())
    clouds = open_dataset(tmp_path / "a.pcd")
    superpoints(clouds, tmp_path / "c", CONFIG)
    reader = open_superpoints(clouds, tmp_path / "c", CONFIG)
    export_segments(clouds, reader, tmp_path / "segs")
    segments = np.array(json.loads((tmp_path / "segs" / "a.segs.json").read_text())["segIndices"])
    np.testing.assert_array_equal(segments == -1, np.isnan(rows[:, 0]))
    np.testing.assert_array_equal(segments[segments >= 0], reader.read("a.pcd")["labels"])
    ready = SuperpointConfig("labels")
    superpoints(clouds, tmp_path / "c", ready, ready=tmp_path / "segs")
    back = open_superpoints(clouds, tmp_path / "c", ready, tmp_path / "segs")
    np.testing.assert_array_equal(back.read("a.pcd")["labels"], reader.read("a.pcd")["labels"])


def test_a_preview_shows_every_superpoint_in_its_colour(scans: Path, tmp_path: Path) -> None:
    clouds = open_dataset(scans)
    superpoints(clouds, tmp_path / "c", CONFIG)
    reader = open_superpoints(clouds, tmp_path / "c", CONFIG)
    preview(clouds, "corner_4.npy", reader, tmp_path / "out" / "corner.ply")
    again = open_dataset(tmp_path / "out" / "corner.ply")["corner.ply"]
    np.testing.assert_allclose(again.original_xyz(), np.load(scans / "corner_4.npy"), atol=1e-6)
    labels = reader.read("corner_4.npy")["labels"]
    assert again.color is not None
    assert len(np.unique(again.color, axis=0)) == labels.max() + 1
    preview(clouds, "corner_4.npy", reader, tmp_path / "corner.png")
    from PIL import Image

    pixels = np.asarray(Image.open(tmp_path / "corner.png"))
    assert pixels.shape == (800, 800, 3)
    assert 0.05 < (pixels < 255).any(axis=2).mean() < 0.95
    with pytest.raises(UsageError, match=r"no kind of preview is called '.jpg'; there are: .png, .ply"):
        preview(clouds, "corner_4.npy", reader, tmp_path / "corner.jpg")


def test_scannets_own_segments_are_taken_as_they_are(real_data: Path, tmp_path: Path) -> None:
    clouds = open_dataset(real_data / "scannet", split="train")
    config = SuperpointConfig("scannet-segments")
    assert superpoints(clouds, tmp_path, config).made == 1
    labels = open_superpoints(clouds, tmp_path, config).read("scene0000_00")["labels"]
    file = real_data / "scannet" / "scans" / "scene0000_00" / "scene0000_00_vh_clean_2.0.010000.segs.json"
    ids = np.array(json.loads(file.read_text())["segIndices"])
    pairs = np.unique(np.stack([ids, labels]), axis=1)
    assert pairs.shape[1] == len(np.unique(ids)) == labels.max() + 1


def test_the_command_cuts_draws_exports_and_says_what_it_did(scans: Path, tmp_path: Path, s4tok: Any) -> None:
    ran = s4tok("superpoints", scans, "--cache", "c", "--workers", 2, "--preview", "p.png", "--export-segs", "s")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("5 clouds cut into superpoints: ")
    assert "superpoints a cloud" in ran.stderr
    assert "points/s" in ran.stderr
    assert (tmp_path / "p.png").is_file()
    assert len(list((tmp_path / "s").iterdir())) == 5
    again = json.loads(s4tok("superpoints", scans, "--cache", "c", "--json").stdout)
    assert (again["made"], again["present"], again["failed"]) == (0, 5, 0)


def test_the_command_answers_an_unknown_method_with_those_there_are(scans: Path, s4tok: Any) -> None:
    ran = s4tok("superpoints", scans, "--method", "vccs")
    assert ran.returncode == 2
    assert "no superpoint method is called 'vccs'; there are: greedy, cut-pursuit, grid" in ran.stderr
