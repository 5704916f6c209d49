import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.config import SuperpointConfig
from s4tok_pipelines.report import Outcome
from tests.running import Run

# Every setting of the method cut-pursuit, as flags that differ from every default.
FLAGS: dict[str, tuple[str, Any]] = {
    "regularization": ("--regularization 0.3", 0.3),
    "smoothness": ("--smoothness 0.25", 0.25),
    "smallest": ("--smallest 7", 7),
    "smallest_share": ("--smallest-share 0.01", 0.01),
    "voxel": ("--voxel 0.5", 0.5),
    "normal_form": ("--normal-form oriented", "oriented"),
    "geometry_weight": ("--geometry-weight 0.4", 0.4),
    "sqrt_eigenvalues": ("--sqrt-eigenvalues", True),
    "standardized": ("--standardized", True),
    "anchors": ("--anchors 99", 99),
    "neighbors": ("--neighbors 12", 12),
    "adjacency": ("--adjacency 6", 6),
    "seed": ("--seed 3", 3),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[SuperpointConfig]:
    """Remember what the stage was asked for, and cut nothing."""
    configs: list[SuperpointConfig] = []

    def stage(clouds: Any, cache: Path, config: SuperpointConfig, **more: Any) -> Outcome:
        configs.append(config)
        return Outcome(Path("superpoints-x"), made=1)

    monkeypatch.setattr("s4tok_pipelines.stages.superpoints.superpoints", stage)
    return configs


@pytest.mark.parametrize(("source", "scene"), [("toy-shapes", "object"), ("toy-rooms", "room")])
def test_without_flags_clouds_are_cut_as_their_scene_is(
    s4tok: Run, asked: list[SuperpointConfig], source: str, scene: Any
) -> None:
    assert s4tok("superpoints", source).returncode == 0
    assert s4tok("superpoints", source, "--preset", "paper").returncode == 0
    assert asked == [SuperpointConfig.of(scene), SuperpointConfig.of(scene, "paper")]


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("source", ["toy-shapes", "toy-rooms"])
def test_a_flag_changes_its_setting_and_nothing_else(
    s4tok: Run, asked: list[SuperpointConfig], source: str, name: str
) -> None:
    flag, value = FLAGS[name]
    assert s4tok("superpoints", source, *flag.split()).returncode == 0
    (config,) = asked
    assert config == replace(SuperpointConfig.of("object" if source == "toy-shapes" else "room"), **{name: value})


def test_every_setting_but_those_of_other_methods_has_a_flag() -> None:
    of_others = {"grid_cells", "masks", "mask_group", "mask_smallest", "frame_step"}
    assert asdict(SuperpointConfig()).keys() - FLAGS.keys() == {"method", *of_others}


def test_flags_overrule_the_preset(s4tok: Run, asked: list[SuperpointConfig]) -> None:
    flags = "--preset paper --normal-form outer --unscaled --plain-eigenvalues --smoothness 0.4 --smallest 20"
    assert s4tok("superpoints", "toy-shapes", *flags.split()).returncode == 0
    (config,) = asked
    expected: dict[str, Any] = {"normal_form": "outer", "standardized": False, "smoothness": 0.4, "smallest": 20}
    assert config == replace(SuperpointConfig.of("object", "paper"), **expected)


def test_values_come_from_a_file_too(s4tok: Run, asked: list[SuperpointConfig], tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[superpoints]\npreset = "paper"\nnormal_form = "outer"\nstandardized = false\n')
    assert s4tok("superpoints", "toy-shapes", "--config", "my.toml", "--smallest", 12).returncode == 0
    printed = SuperpointConfig.of("object", "paper")
    assert asked == [replace(printed, normal_form="outer", standardized=False, smallest=12)]


def test_help_states_both_defaults_where_they_differ(s4tok: Run) -> None:
    said = " ".join(s4tok("superpoints", "--help-all", COLUMNS="200").stdout.split())
    assert "fewer superpoints. [objects: 0.15, rooms: 0.05]" in said
    assert "the larger counts. [objects: 0.006, rooms: 0]" in said
    assert "Neighbours of a point in Eq. 10, K. [30]" in said


def test_cutting_imports_no_pytorch_in_any_process(python: Run, tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(0, 1, (200, 3))
    np.save(tmp_path / "cloud.npy", points)
    done = python("-X", "importtime", "-m", "s4tok_cli", "superpoints", "cloud.npy", "--object")
    assert done.returncode == 0, done.stderr
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time")}
    assert "s4tok.superpoints.greedy" in imported
    assert "torch" not in imported


def test_a_scan_in_feet_is_cut_as_one_in_metres_and_a_dataset_is_in_metres(s4tok: Run, tmp_path: Path) -> None:
    hall, foot = np.random.default_rng(0).uniform(0, [5, 4, 2.5], (3000, 3)), 0.3048
    hall[:1500, 2] = hall[1500:2250, 0] = hall[2250:, 1] = 0
    found = []
    for name, points, options in (("metres", hall, ["--unit", "m"]), ("feet", hall / foot, ["--scale", str(foot)])):
        np.save(tmp_path / f"{name}.npy", points)
        done = s4tok("superpoints", f"{name}.npy", "--room", "--up", "z", *options, "--export-segs", name)
        assert done.returncode == 0, done.stderr
        (segments,) = (tmp_path / name).rglob("*.json")
        found.append(json.loads(segments.read_text())["segIndices"])
    assert found[0] == found[1]
    assert "taken for a room (else --object) in m after --scale 0.3048" in " ".join(done.stderr.split())
    refused = s4tok("superpoints", "toy-shapes", "--scale", "2")
    assert refused.returncode == 2
    assert "toy-shapes has sizes of its own: --scale is for files of your own" in refused.stderr
    taken = s4tok("superpoints", "toy-shapes", "--room")
    assert taken.returncode == 2
    assert "toy-shapes is of objects: --room and --object are for files of your own" in taken.stderr
    assert "hint: leave --room out" in taken.stderr
    assert "--scale must be positive" in s4tok("superpoints", "feet.npy", "--scale", "0").stderr
