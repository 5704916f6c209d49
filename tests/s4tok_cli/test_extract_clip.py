import json
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from s4tok.config import SuperpointConfig
from s4tok.datasets.open import open_dataset
from s4tok_cache import CacheReader, Fingerprint, Stamp, Store
from s4tok_cli.app import run
from s4tok_pipelines.layouts import SUPERPOINTS, VIEWS
from s4tok_pipelines.stages.superpoints import stamp_of

Run = Callable[..., CompletedProcess[str]]
QUARTERS = Stamp("superpoints", {"method": "quarters"})


def cut(cache: Path, source: str, split: str, limit: int, stamp: Stamp = QUARTERS) -> None:
    """Superpoints as another stage would have left them: a grid of four."""
    clouds = open_dataset(source, split=split, limit=limit)
    with Store.resume(cache / clouds.name / clouds.split, SUPERPOINTS, stamp) as store:
        for key in clouds.keys:
            xyz, origin = clouds[key].xyz, clouds.origin(key)
            labels = ((xyz[:, 0] > 0) * 2 + (xyz[:, 1] > 0)).astype(np.int32)
            store.write(
                key, {"labels": labels}, Fingerprint(origin.path, origin.size, origin.mtime_ns), {"n_superpoints": 4}
            )


def test_weights_out_of_reach_end_the_command_within_five_seconds_with_exit_6(s4tok: Run, tmp_path: Path) -> None:
    start = time.monotonic()
    done = s4tok(
        "extract-clip", "toy-shapes", "--json",
        HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "hub"), HF_HUB_CACHE=None, HUGGINGFACE_HUB_CACHE=None,
    )  # fmt: skip
    assert time.monotonic() - start < 5
    assert done.returncode == 6
    said = json.loads(done.stdout)
    assert "cannot be reached" in said["error"]
    assert "on a login node, run: python -c" in said["hint"]


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    """Run a command in this process, where PyTorch is loaded already."""
    code = run([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_views_and_features_of_toy_shapes_come_from_two_commands(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    common = ["toy-shapes", "--split", "val", "--limit", 2, "--cache", tmp_path / "cache", "--device", "cpu"]
    code, said = answer(capsys, "render-views", *common, "--projection", "classification")
    assert (code, said["made"], said["failed"]) == (0, 2, 0)
    clip = make_clip(tmp_path / "tiny")
    code, said = answer(capsys, "extract-clip", *common, "--clip", clip)
    assert code == 4
    assert "s4tok superpoints" in said["hint"]
    cut(tmp_path / "cache", "toy-shapes", "val", 2)
    code, said = answer(capsys, "extract-clip", *common, "--clip", clip)
    assert (code, said["made"], said["images"], said["failures"]) == (0, 2, 20, [])
    code, said = answer(capsys, "extract-clip", *common, "--clip", clip)
    assert (code, said["made"], said["present"]) == (0, 0, 2)


def test_auto_makes_what_is_missing_and_goes_on_where_it_was_stopped(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    common = ["toy-shapes", "--split", "val", "--cache", tmp_path, "--device", "cpu"]
    cut(tmp_path, "toy-shapes", "val", 1, stamp_of(SuperpointConfig()))  # one of two clouds, as a stopped run leaves
    assert answer(capsys, "render-views", *common, "--limit", 1)[0] == 0
    code, said = answer(capsys, "extract-clip", *common, "--limit", 2, "--clip", make_clip(tmp_path / "tiny"), "--auto")
    assert (code, said["made"], said["failures"]) == (0, 2, [])
    assert len(list(tmp_path.glob("toy-shapes/val/*/stage.json"))) == 3


def test_auto_leaves_superpoints_and_views_of_another_kind_as_they_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    common = ["toy-shapes", "--split", "val", "--limit", 1, "--cache", tmp_path, "--device", "cpu"]
    cut(tmp_path, "toy-shapes", "val", 1)
    assert answer(capsys, "render-views", *common, "--projection", "classification")[0] == 0
    before = sorted(tmp_path.glob("*/*/*"))
    code, said = answer(capsys, "extract-clip", *common, "--clip", make_clip(tmp_path / "tiny"), "--auto")
    assert (code, said["made"]) == (0, 1)
    (made,) = set(tmp_path.glob("toy-shapes/*/*")) - set(before)
    assert made.name.startswith("extract-clip-")


def test_workers_draw_what_one_process_draws(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for workers in (1, 2):
        code, _ = answer(
            capsys, "render-views", "toy-shapes", "--split", "val", "--limit", 3, "--cache", tmp_path / str(workers),
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
    capsys: pytest.CaptureFixture[str], tmp_path: Path, real_data: Path, make_clip: Callable[..., Path]
) -> None:
    pytest.importorskip("trimesh")
    folder = str(real_data / "scannet")
    cut(tmp_path / "cache", folder, "train", 1)
    code, said = answer(
        capsys, "extract-clip", folder, "--split", "train", "--limit", 1, "--clip", make_clip(tmp_path / "tiny"),
        "--cache", tmp_path / "cache", "--device", "cpu", "--frame-step", 100,
    )  # fmt: skip
    assert (code, said["made"]) == (0, 1)
    assert said["images"] == 2 * 3  # every hundredth of 300 frames, two windows each
