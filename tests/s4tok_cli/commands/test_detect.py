import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from s4tok.backbones.set_abstraction import SetAbstractionEncoder
from s4tok.config import DETECTOR_FOLDER, DetectorConfig
from s4tok.models.detector import Detector
from s4tok.models.detector_files import save_detector
from tests.running import Run

Answer = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a small detector of random weights."""
    config = DetectorConfig(
        n_points=400, n_tokens=16, radius=0.5, neighbors=8, adapter_widths=(4, 8, 16), encoder_layers=1,
        encoder_hidden=8, heads=2, width=16, decoder_layers=1, decoder_hidden=8, queries=6, angles=12,
    )  # fmt: skip
    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("detector")
    save_detector(place, Detector(SetAbstractionEncoder(config), config, ("chair", "table", "unicorn")), {})
    return place


@pytest.fixture
def answer(s4tok: Run, detector: Path) -> Answer:
    def ask(*arguments: object) -> tuple[int, dict[str, Any], str]:
        done = s4tok("detect", "--checkpoint", detector, "--device", "cpu", "--json", *arguments)
        return done.returncode, done.json, done.stderr

    return ask


def test_boxes_of_own_files_are_written_with_a_page_and_a_picture(answer: Answer, tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform([5, 5, 0], [9, 8, 2.5], (900, 3))
    np.savetxt(tmp_path / "room.xyz", points)
    code, facts, errors = answer(
        tmp_path / "room.xyz", "--up", "z", "--score", 0, "--html", "--preview", tmp_path / "p.png",
        "--box-format", "json,csv,ply", "--out", tmp_path / "out",
    )  # fmt: skip
    assert code == 0, errors
    assert (facts["clouds"], facts["failed"], "ap25" in facts) == (1, 0, False)
    assert (facts["scene"], facts["up"], facts["unit"]) == ("room", "z", "m")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"room.boxes.json", "room.boxes.csv", "room.boxes.ply", "room.html", "result.json"}
    written = json.loads((tmp_path / "out" / "room.boxes.json").read_text())
    assert len(written["boxes"]) == sum(facts["boxes"].values()) > 0
    assert set(written["boxes"][0]) == {"label", "score", "center", "size", "yaw"}
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_scale_says_the_unit_of_own_files_and_a_dataset_is_in_metres(answer: Answer, tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform([5, 5, 0], [9, 8, 2.5], (900, 3))
    np.savetxt(tmp_path / "feet.xyz", points / 0.3048)
    code, facts, _ = answer(tmp_path / "feet.xyz", "--scale", 0.3048, "--up", "z", "--out", tmp_path / "out")
    assert (code, facts["unit"], facts["scale"]) == (0, "m", 0.3048)
    code, facts, _ = answer("toy-scans", "--limit", 1, "--scale", 2)
    assert (code, "--scale is for files of your own" in facts["error"]) == (2, True)


def test_a_datasets_boxes_are_measured_over_samples(answer: Answer, tmp_path: Path) -> None:
    code, facts, errors = answer("toy-scans", "--split", "val", "--limit", 1, "--seeds", 2)
    assert code == 0, errors
    assert 0 <= facts["ap25"] <= 1
    assert facts["ap25_deviation"] >= 0
    assert facts["per_class"]["ap25"]["unicorn"] is None
    assert facts["out"] is None


def test_a_run_called_boxes_is_not_taken_for_the_detector_that_comes(
    s4tok: Run, detector: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[str]()
    monkeypatch.setattr("s4tok.models.checkpoint_files.find_checkpoint", lambda where: asked.append(str(where)))
    monkeypatch.setattr("s4tok_pipelines.stages.by_name.detect_by_name", lambda *given, **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        s4tok("detect", "toy-scans")
    with pytest.raises(ZeroDivisionError):
        s4tok("detect", "toy-scans", "--checkpoint", detector)
    assert asked == [str(DETECTOR_FOLDER), str(detector)]


def test_files_are_written_into_a_folder_that_is_named(
    s4tok: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = s4tok("detect", "toy-scans", "--html")
    assert (done.returncode, "--html writes files, and of a dataset none" in done.stderr) == (2, True)
    np.savetxt(tmp_path / "room.xyz", np.zeros((9, 3)))
    (tmp_path / "boxes").touch()
    monkeypatch.setattr("s4tok_cli.commands.detect.BOXES", tmp_path / "boxes")
    done = s4tok("detect", tmp_path / "room.xyz")
    assert (done.returncode, "is a file, and results need a folder" in " ".join(done.stderr.split())) == (2, True)


def test_objects_are_not_searched_for_furniture(answer: Answer) -> None:
    code, facts, _ = answer("toy-shapes", "--split", "val", "--limit", 1)
    assert (code, facts["error"]) == (2, "toy-shapes is of objects, and boxes are found in rooms.")


def test_what_is_missing_is_told_at_once(s4tok: Run, answer: Answer, tmp_path: Path) -> None:
    done = s4tok("detect", "toy-scans", "--checkpoint", "boxed")
    assert done.returncode == 2
    assert "no checkpoint is called that" in done.stderr
    assert "and the detector boxes" in " ".join(done.stderr.split())
    np.savetxt(tmp_path / "one.xyz", np.zeros((1, 3)))
    code, facts, _ = answer(tmp_path / "one.xyz")
    assert code == 4
    assert "a cloud needs at least 2 points" in facts["error"]
    np.savetxt(tmp_path / "room.xyz", np.random.default_rng(0).uniform(0, [5, 4, 2.5], (900, 3)))
    code, _, said = answer(tmp_path / "room.xyz", "--out", tmp_path / "out")
    assert (code, "taken for a room in m (else --unit)" in " ".join(said.split())) == (0, True)
