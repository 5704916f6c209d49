import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import s4tok
from s4tok.clouds import PointCloud
from s4tok.config import BackboneConfig, HeadConfig, SegmentConfig, Task, TokenizerConfig
from s4tok.datasets.formats.ply import read_ply
from s4tok.models.checkpoint import Means, TrainedModel, save_loaded, save_trained
from s4tok.models.labeller import Labeller, Labels
from s4tok.models.point_encoder import PointEncoder
from s4tok.rendering.ply import ply_of
from s4tok.shapes import Array
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.known_words import KnownWords
from tests.running import Run

Answer = Callable[..., tuple[int, dict[str, Any], str]]
CORNER = np.array([453_000.25, 5_411_000.5, 220.125])


@pytest.fixture(scope="module")
def clip(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def checkpoint(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    tokenizer = build_tokenizer(width=32, n_points=200, n_tokens=12, patch_size=8, adapter_widths=(8, 8, 8))
    frozen = FrozenClip.load(str(clip))
    place = tmp_path_factory.mktemp("checkpoint")
    save_trained(place, tokenizer, {"clip": {"name": frozen.name, "weights": frozen.sha256}})
    return place


@pytest.fixture
def answer(s4tok: Run, clip: Path, checkpoint: Path) -> Answer:
    """Run the command with the small CLIP and its checkpoint unless told otherwise."""

    def ask(*arguments: object) -> tuple[int, dict[str, Any], str]:
        common = ("--clip", clip, "--checkpoint", checkpoint, "--device", "cpu", "--json")
        done = s4tok("segment", *common, *arguments)
        return done.returncode, done.json, done.stderr

    return ask


def scan(path: Path, size: float = 4.0) -> Array:
    """A floor and a wall far from the origin, as a mapper's file."""
    flat = np.random.default_rng(0).uniform(0, size, (1200, 2))
    zero = np.zeros(600)
    floor, wall = np.c_[flat[:600], zero], np.c_[zero, flat[600:]]
    xyz: Array = np.concatenate([floor, wall]) + CORNER
    cloud = PointCloud.of(xyz)
    path.write_bytes(ply_of(cloud, np.full((1200, 3), 90, np.uint8)))
    return cloud.original_xyz()


def test_an_organised_cloud_keeps_its_length_and_its_holes_are_told(answer: Answer, tmp_path: Path) -> None:
    scan(tmp_path / "hall.ply")
    rows = read_ply(tmp_path / "hall.ply").points.astype("<f4")
    rows[5:90] = np.nan
    header = "FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH 40\nHEIGHT 30\nDATA binary\n"
    (tmp_path / "a.pcd").write_bytes(header.encode() + rows.tobytes())
    code, said, heard = answer("a.pcd", "--labels", "wall,floor")
    assert (code, sum(said["points"].values())) == (0, 1200 - 85)
    assert "85 of its 1,200 rows are no points" in heard
    hole = np.isnan(rows[:, 0])
    labels = np.load(tmp_path / "segments" / "a.labels.npy")
    np.testing.assert_array_equal(labels == -1, hole)
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "segments" / "a.labels.txt"), labels)
    np.testing.assert_array_equal(np.isnan(np.load(tmp_path / "segments" / "a.scores.npy")).any(axis=1), hole)
    found = read_ply(tmp_path / "segments" / "a.labels.ply")
    np.testing.assert_array_equal(np.asarray(found.labels), labels[~hole])


@pytest.mark.parametrize("suffix", ["obj", pytest.param("off", marks=pytest.mark.slow), "glb"])
def test_a_mesh_comes_back_as_a_mesh(suffix: str, answer: Answer, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    trimesh.creation.box((1, 2, 3)).export(tmp_path / f"box.{suffix}")
    scan(tmp_path / "hall.ply")
    code, *_, heard = answer(f"box.{suffix}", "hall.ply", "--labels", "top,side", "--format", "mesh", "--object")
    assert code == 0
    assert "hall.ply holds no mesh" in heard
    written = {path.name for path in (tmp_path / "segments").iterdir() if path.name.startswith("box.mesh")}
    assert (
        written == {"obj": {"box.mesh.obj", "box.mesh.mtl"}, "glb": {"box.mesh.glb"}, "off": {"box.mesh.ply"}}[suffix]
    )
    found = trimesh.load(tmp_path / "segments" / max(written), force="mesh", process=False)
    assert len(found.faces) == 12


def test_a_scan_and_some_words_become_a_labelled_scan(answer: Answer, tmp_path: Path) -> None:
    xyz = scan(tmp_path / "hall.ply")
    code, said, _ = answer("hall.ply", "--labels", "wall, floor,potted plant", "--html")
    assert code == 0
    assert (said["scene"], said["unit"]) == ("room", "m")
    assert (said["clouds"], sum(said["points"].values()), said["out"]) == (1, 1200, "segments")
    found = read_ply(tmp_path / "segments" / "hall.labels.ply")
    np.testing.assert_array_equal(found.points, xyz)
    assert found.labels is not None
    np.testing.assert_array_equal(found.labels, np.load(tmp_path / "segments" / "hall.labels.npy"))
    assert "potted plant" in (tmp_path / "segments" / "hall.html").read_text()
    kept = json.loads((tmp_path / "segments" / "result.json").read_text())
    assert (kept["window"], kept["n_tokens"], kept["labels"]) == (4.0, 12, ["wall", "floor", "potted plant"])
    assert kept["prompts"]["sha256"]
    assert kept["vision_model"]["weights"]
    code, said, _ = answer(
        "hall.ply", "--labels", "leg,seat", "--category", "chair", "--object", "--format", "txt", "--out", "o"
    )
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == [
        "hall.labels.txt", "hall.legend.json", "result.json",
    ]  # fmt: skip


def test_the_library_labels_an_array_as_the_command_labels_its_file(
    answer: Answer, clip: Path, checkpoint: Path, tmp_path: Path
) -> None:
    scan(tmp_path / "hall.ply")
    options = ("--votes", 2, "--unknown", 0.05, "--format", "npy,scores")
    assert answer("hall.ply", "--labels", "wall,floor,plant", *options)[0] == 0
    cloud = read_ply(tmp_path / "hall.ply").cloud(tmp_path / "hall.ply", "hall.ply")
    found = s4tok.segment(
        cloud, "wall,floor,plant", s4tok.load(checkpoint, clip=str(clip)), config=SegmentConfig(votes=2, unknown=0.05)
    )
    assert found.scene == "room"
    np.testing.assert_array_equal(found.labels, np.load(tmp_path / "segments" / "hall.labels.npy"))
    np.testing.assert_array_equal(
        np.asarray(found.scores).astype(np.float16), np.load(tmp_path / "segments" / "hall.scores.npy")
    )


def test_without_labels_names_are_proposed_and_what_was_assumed_is_told(
    s4tok: Run, answer: Answer, tmp_path: Path
) -> None:
    np.save(tmp_path / "chair.npy", np.random.default_rng(0).random((800, 3)))
    done = s4tok("segment", "chair.npy", "--object", "--format", "txt", "--device", "cpu")
    assert done.returncode == 0
    assert "names are proposed from the words that s4tok has built in" in done.stderr
    assert "chair.npy: taken for an object (else --room) of any unit, " in done.stdout
    assert (
        "checkpoint universal2+labels (which has learned labels of home-scans and home-rooms), texts encoded by mini2, "
        "prompts of mini2, superpoints by cut-pursuit" in done.stdout
    )
    assert "5% are below" in done.stderr
    assert json.loads((tmp_path / "segments" / "result.json").read_text())["labels"] == ["auto"]
    done = s4tok("segment", "chair.npy", "--labels", "seat", "--object", "--format", "txt", "--device", "cpu")
    assert "'seat' is the only label, so every point gets it" in done.stderr


def test_toy_shapes_are_measured_and_nothing_is_written_unless_asked_for(answer: Answer, tmp_path: Path) -> None:
    code, said, _ = answer("toy-shapes", "--limit", 2)
    assert (code, said["exit_code"]) == (4, 4)
    assert "--auto" in said["hint"]
    code, said, _ = answer("toy-shapes", "--limit", 2, "--auto")
    assert (code, said["clouds"], said["split"], said["out"]) == (0, 2, "test", None)
    assert {"miou_i", "miou_c", "miou_part", "per_category", "superpoints"} <= said.keys()
    assert not (tmp_path / "segments").exists()


def test_a_file_that_cannot_be_read_does_not_stop_those_beside_it(answer: Answer, tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_text("a letter to nobody")
    scan(tmp_path / "b.ply")
    code, said, _ = answer("a.ply", "b.ply", "--labels", "wall,floor")
    assert (code, said["clouds"], said["failed"]) == (3, 1, 1)
    assert "a.ply" in said["failures"][0]["key"]
    assert (said["scene"], said["unit"]) == ("room", "m")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["hall.ply", "--labels", "wall;floor"], 2, "has a semicolon"),
        (["hall.ply", "--labels", " , "], 2, "--labels names nothing"),
        (["hall.ply", "--labels", "a,a"], 2, "'a' twice"),
        (["hall.ply", "--labels", "a", "--format", "las"], 2, "no format is called 'las'"),
        (["hall.ply", "--labels", "a", "--preview", "hall.jpg"], 2, "hall.jpg: pictures are .png files"),
        (["hall.ply", "--labels", "a", "--scale", "0"], 2, "--scale must be positive"),
        (["hall.ply", "--labels", "a", "--vision-only", "--votes", "3"], 2, "--votes is for checkpoints"),
        (["hall.ply", "--labels", "a", "--windows", "superpoints", "--window", "2"], 2, "--window is the side"),
        (["hall.ply", "--labels", "a", "--gap", "0.2"], 2, "--gap is for"),
        (["hall.ply", "--labels", "a", "--vision-only", "--attend", "2"], 2, "the 2D baseline has no tokens"),
        (
            ["hall.ply", "--labels", "a", "--room", "--scale", "1000", "--windows", "superpoints"],
            2,
            "joins those within 0.12",
        ),
        (["hall.ply", "--labels", "a", "--calibrate", "mean"], 2, "has no mean features"),
        (["hall.ply", "--labels", "a", "--vision-only", "--calibration-share", "1"], 2, "has no mean features"),
        (["hall.ply", "--labels", "a", "--calibrate", "none", "--calibration-share", "1"], 2, "--calibrate is none"),
        (["hall.ply", "--labels", "a", "--prompts", "mine.toml"], 4, "no such file of prompts"),
        (["hall.ply", "--labels", "a", "--room", "--scale", "1000"], 2, "windows of 4"),
        (["toy-scans", "--limit", "1", "--vision-only"], 4, "no features by tiny"),
        (["point.npy", "--labels", "a"], 4, "needs at least 2 points"),
        (["text.ply", "--labels", "a"], 4, "is no PLY file"),
        (["gone.ply", "--labels", "a"], 4, "no such file"),
        (["toy-rooms", "--checkpoint", "nobody"], 2, "no checkpoint is called that"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_an_exit_code(
    answer: Answer, tmp_path: Path, checkpoint: Path, arguments: list[str], code: int, says: str
) -> None:
    scan(tmp_path / "hall.ply")
    np.save(tmp_path / "point.npy", np.zeros((1, 3)))
    (tmp_path / "text.ply").write_text("a letter to nobody")
    found, said, _ = answer(*arguments)
    assert (found, says in said["error"]) == (code, True), said


def test_a_checkpoint_of_another_clip_is_refused(answer: Answer, tmp_path: Path, checkpoint: Path) -> None:
    scan(tmp_path / "hall.ply")
    foreign = shutil.copytree(checkpoint, tmp_path / "foreign")
    card = json.loads((foreign / "config.json").read_text())
    card["clip"] = {"name": "huge", "weights": 64 * "0"}
    (foreign / "config.json").write_text(json.dumps(card))
    code, said, _ = answer("hall.ply", "--labels", "a", "--checkpoint", "foreign")
    assert (code, "trained for the CLIP huge" in said["error"], "--clip huge" in said["hint"]) == (2, True, True)


@pytest.fixture(scope="module")
def with_means(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that knows means, and whose card wants labels calibrated."""
    torch.manual_seed(3)
    tokenizer = build_tokenizer(width=32, n_points=200, n_tokens=12, patch_size=8, adapter_widths=(8, 8, 8))
    frozen, place = FrozenClip.load(str(clip)), tmp_path_factory.mktemp("with-means")
    card = {"clip": {"name": frozen.name, "weights": frozen.sha256}, "calibration": {"share": 0.5}}
    save_trained(place, tokenizer, card, {"object": Means(0.1 * torch.randn(24), 0.1 * torch.randn(24))})
    return place


def test_people_and_programs_are_told_how_labels_were_calibrated(
    answer: Answer, s4tok: Run, with_means: Path, clip: Path
) -> None:
    few = ("toy-shapes", "--limit", 2, "--auto", "--calibrate", "mean", "--checkpoint", with_means)
    code, said, _ = answer(*few)
    assert (code, said["calibrate"], said["calibration_share"]) == (0, "mean", 0.5)
    assert said["calibrated_by"]["checkpoint"] == str(with_means)
    assert said["uncalibrated"].keys() == {"miou_i", "miou_c", "miou_part"}
    assert answer(*few, "--calibrate", "none")[1]["calibrated_by"] is None
    done = s4tok("segment", *few, "--clip", clip, "--device", "cpu", "--calibration-share", 0.25)
    assert done.returncode == 0
    heard = done.stdout.splitlines()[-1]
    assert f"calibrated by 0.25 of each label's mean cosine, of checkpoint {with_means} (without: mIoU_I " in heard


@pytest.mark.parametrize(("command", "task"), [("segment", "scenes"), ("classify", "objects")])
def test_a_head_names_by_its_own_classes_and_gives_probabilities(
    s4tok: Run, tmp_path: Path, command: str, task: Task
) -> None:
    scan(tmp_path / "hall.ply")
    tokenizer = TokenizerConfig("knn", n_points=100, n_tokens=6, patch_size=8, adapter_widths=(8, 8, 8))
    encoder = PointEncoder(tokenizer, BackboneConfig(width=24, layers=2, heads=2)).eval()
    labeller = Labeller.build(Labels(task, ("wall", "floor")), HeadConfig(head_widths=(8, 8, 8, 8)), 24)
    card = {"backbone": {}, "labels": labeller.facts()}
    save_loaded(tmp_path / "mine", TrainedModel(encoder.model, card, "mine", labeller=labeller))
    done = s4tok(command, "hall.ply", "--checkpoint", "mine", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert f"by its head for {task}" in done.stdout
    assert {"wall", "floor"} & set(done.stdout.split())
    assert "cosine" not in done.stdout + done.stderr
    assert "probabilit" in done.stdout + done.stderr
    assert "names are proposed" not in done.stderr


def test_a_dataset_is_drawn_truth_beside_names(answer: Answer, tmp_path: Path) -> None:
    code, _, heard = answer("toy-shapes", "--split", "val", "--limit", 2, "--auto", "--preview", "seen/named.png")
    assert code == 0
    assert "2 clouds, coloured by label: seen/named.png" in heard
    assert (tmp_path / "seen" / "named.png").read_bytes().startswith(b"\x89PNG")


def test_words_a_clip_was_not_trained_on_are_told_and_refused_where_there_are_no_others(
    answer: Answer, clip: Path, tmp_path: Path
) -> None:
    scan(tmp_path / "hall.ply")
    KnownWords(frozenset(("wall", "floor"))).write(Path(shutil.copytree(clip, tmp_path / "taught")))
    code, said, heard = answer("hall.ply", "--labels", "wall,xqzvord", "--clip", "taught")
    assert (code, said["unknown_words"]) == (0, ["xqzvord"])
    assert '"xqzvord" is not a word taught knows' in heard
    assert json.loads((tmp_path / "segments" / "result.json").read_text())["unknown_words"] == ["xqzvord"]
    code, _, heard = answer("hall.ply", "--labels", "xqzvord,brimmelz", "--clip", "taught")
    assert code == 2
    assert "taught knows none of the labels" in heard
