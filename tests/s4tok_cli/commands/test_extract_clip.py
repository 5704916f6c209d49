from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.config import SuperpointConfig
from s4tok.datasets.open import open_dataset
from s4tok_cache import CacheReader, Stamp
from s4tok_cache.inspect import stamps_of
from s4tok_pipelines.layouts import SUPERPOINTS, VIEWS
from s4tok_pipelines.stamps import superpoints_stamp
from tests.octants import cut_into_octants
from tests.own_files import chairs_and_a_hall
from tests.running import Run

Answer = Callable[..., tuple[int, dict[str, Any]]]


def cut(cache: Path, source: str, split: str, limit: int, stamp: Stamp = Stamp("superpoints")) -> None:  # noqa: B008
    cut_into_octants(open_dataset(source, split=split, limit=limit), cache, stamp=stamp)


def test_weights_out_of_reach_end_the_command_with_exit_6_before_pytorch_is_imported(
    python: Run, tmp_path: Path
) -> None:
    done = python(
        "-X", "importtime", "-m", "s4tok_cli", "extract-clip", "toy-shapes", "--json",
        HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "hub"), HF_HUB_CACHE=None, HUGGINGFACE_HUB_CACHE=None,
    )  # fmt: skip
    assert done.returncode == 6
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "s4tok.vision.weights" in imported
    assert "torch" not in imported
    said = done.json
    assert "cannot be reached" in said["error"]
    assert "on a login node, run: python -c" in said["hint"]
    assert "--clip mini" in said["hint"]


@pytest.fixture
def answer(s4tok: Run) -> Answer:
    """Run a command, and give its exit code and what it tells a script."""

    def command(*arguments: object) -> tuple[int, dict[str, Any]]:
        done = s4tok(*arguments, "--json")
        return done.returncode, done.json

    return command


def test_views_and_features_of_toy_shapes_come_from_two_commands(
    answer: Answer, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    common = ["toy-shapes", "--split", "val", "--limit", 2, "--cache", tmp_path / "cache", "--device", "cpu"]
    code, said = answer("render-views", *common, "--projection", "classification")
    assert (code, said["made"], said["failed"]) == (0, 2, 0)
    clip = make_clip(tmp_path / "tiny")
    code, said = answer("extract-clip", *common, "--clip", clip)
    assert code == 4
    assert "s4tok superpoints" in said["hint"]
    cut(tmp_path / "cache", "toy-shapes", "val", 2)
    code, said = answer("extract-clip", *common, "--clip", clip)
    assert (code, said["made"], said["images"], said["failures"]) == (0, 2, 20, [])
    code, said = answer("extract-clip", *common, "--clip", clip)
    assert (code, said["made"], said["present"]) == (0, 0, 2)


def test_auto_makes_what_is_missing_and_goes_on_where_it_was_stopped(
    answer: Answer, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    cache = tmp_path / "cache"
    common = ["toy-shapes", "--split", "val", "--cache", cache, "--device", "cpu"]
    cut(
        cache, "toy-shapes", "val", 1, superpoints_stamp(SuperpointConfig())
    )  # one of two clouds, as a stopped run leaves
    assert answer("render-views", *common, "--limit", 1)[0] == 0
    code, said = answer("extract-clip", *common, "--limit", 2, "--clip", make_clip(tmp_path / "tiny"), "--auto")
    assert (code, said["made"], said["failures"]) == (0, 2, [])
    assert len(list(cache.glob("toy-shapes/val/*/stage.json"))) == 3


def test_auto_leaves_superpoints_and_views_of_another_kind_as_they_are(
    answer: Answer, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    cache = tmp_path / "cache"
    common = ["toy-shapes", "--split", "val", "--limit", 1, "--cache", cache, "--device", "cpu"]
    cut(cache, "toy-shapes", "val", 1)
    assert answer("render-views", *common, "--projection", "classification")[0] == 0
    before = sorted(cache.glob("*/*/*"))
    code, said = answer("extract-clip", *common, "--clip", make_clip(tmp_path / "tiny"), "--auto")
    assert (code, said["made"]) == (0, 1)
    (made,) = set(cache.glob("toy-shapes/*/*")) - set(before)
    assert made.name.startswith("extract-clip-")


@pytest.mark.slow
def test_workers_draw_what_one_process_draws(answer: Answer, tmp_path: Path) -> None:
    for workers in (1, 2):
        code, _ = answer(
            "render-views", "toy-shapes", "--split", "val", "--limit", 3, "--cache", tmp_path / str(workers),
            "--device", "cpu", "--projection", "classification", "--workers", workers,
        )  # fmt: skip
        assert code == 0
    one, two = (
        CacheReader.find(tmp_path / str(workers) / "toy-shapes" / "val", VIEWS, "render-views") for workers in (1, 2)
    )
    assert one.keys() == two.keys()
    for key in one:
        assert all(np.array_equal(one[key][name], two[key][name]) for name in one[key].arrays)


def test_a_real_room_becomes_superpoint_features(
    answer: Answer, tmp_path: Path, real_data: Path, make_clip: Callable[..., Path]
) -> None:
    pytest.importorskip("trimesh")
    folder = str(real_data / "scannet")
    cut(tmp_path / "cache", folder, "train", 1)
    code, said = answer(
        "extract-clip", folder, "--split", "train", "--limit", 1, "--clip", make_clip(tmp_path / "tiny"),
        "--cache", tmp_path / "cache", "--device", "cpu", "--frame-step", 100,
    )  # fmt: skip
    assert (code, said["made"]) == (0, 1)
    assert said["images"] == 2 * 3  # every hundredth of 300 frames, two windows each


def test_objects_and_rooms_of_own_files_are_told_apart_unless_the_user_says_what_they_are(
    s4tok: Run, answer: Answer, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    (tmp_path / "mine").mkdir()
    mine, cache = chairs_and_a_hall(tmp_path / "mine"), tmp_path / "cache"
    common = ("mine", "--cache", cache, "--device", "cpu")
    done = s4tok("extract-clip", *common, "--clip", make_clip(tmp_path / "tiny"), "--auto")
    assert done.returncode == 0, done.stderr
    assert "a-chair.npy, b-chair.npy: taken for objects (else --room)" in " ".join(done.stderr.split())
    assert "hall.npy: taken for a room (else --object)" in " ".join(done.stderr.split())
    root = cache / open_dataset(mine).name / "all"
    for scene in ("object", "room"):
        cut = superpoints_stamp(SuperpointConfig.of(scene))
        keys = CacheReader(root, SUPERPOINTS, cut).keys()
        assert ("hall.npy" in keys, "a-chair.npy" in keys) == (scene == "room", scene == "object")
    (views,) = stamps_of(root, "render-views")
    assert "hall.npy" not in CacheReader(root, VIEWS, views)  # a room is encoded by frames
    for name, flags in (("render-views", ()), ("extract-clip", ("--clip", tmp_path / "tiny", "--auto"))):
        done = s4tok(name, *common, "--object", *flags)
        assert done.returncode == 0, done.stderr
        said = "a-chair.npy, b-chair.npy, hall.npy: taken for objects (else --room)"
        assert said in " ".join(done.stderr.split())
