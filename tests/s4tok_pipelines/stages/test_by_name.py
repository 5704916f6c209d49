"""What a Python user calls: the command line's own tests try the rest of it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from s4tok.clouds import PointCloud
from s4tok.config import SegmentConfig, SuperpointConfig, ZeroShotConfig
from s4tok.datasets.open import open_dataset
from s4tok.errors import UsageError
from s4tok.models.checkpoint import save_trained
from s4tok.rendering.ply import ply_of
from s4tok.synthetic.datasets import ToyShapes
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import CacheMissing, CacheReader
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.inputs.models import ModelNames
from s4tok_pipelines.layouts import CLIP_FEATURES, SUPERPOINTS
from s4tok_pipelines.stages.by_name import classify_by_name, segment_by_name
from s4tok_pipelines.stages.segment import Files
from s4tok_pipelines.stamps import CLIP_STAGE, SUPERPOINTS_STAGE, superpoints_stamp
from tests.notes import Notes, Warnings
from tests.octants import cut_into_octants


@pytest.fixture(scope="module")
def names(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> ModelNames:
    home = tmp_path_factory.mktemp("models")
    clip = str(make_clip(home / "tiny"))
    torch.manual_seed(3)
    tokenizer = build_tokenizer(width=32, n_points=200, n_tokens=12, patch_size=8, adapter_widths=(8, 8, 8))
    frozen = FrozenClip.load(clip)
    (home / "checkpoint").mkdir()
    save_trained(home / "checkpoint", tokenizer, {"clip": {"name": frozen.name, "weights": frozen.sha256}})
    return ModelNames(str(home / "checkpoint"), clip, device="cpu")


@pytest.fixture
def hall(tmp_path: Path) -> Path:
    """A floor and a wall, four metres long."""
    across = np.random.default_rng(0).uniform(0, 4, (1200, 2))
    xyz = np.concatenate([np.c_[across[:600], np.zeros(600)], np.c_[np.zeros(600), across[600:]]])
    (tmp_path / "hall.ply").write_bytes(ply_of(PointCloud.of(xyz), np.full((1200, 3), 90, np.uint8)))
    return tmp_path / "hall.ply"


def test_one_call_labels_a_file_and_writes_what_the_command_writes(
    hall: Path, names: ModelNames, tmp_path: Path
) -> None:
    clouds, notes, files = open_dataset(hall), Notes(), Files(tmp_path / "out", ["npy"])
    found = segment_by_name(clouds, tmp_path / "cache", names, labels=["wall", "floor"], files=files, report=notes)
    assert sum(found.points.values()) == 1200
    assert found.about["window"] == 4.0  # as a room's
    assert (found.about["scene"], found.about["unit"]) == ("room", "m")
    assert clouds.scene == "object"  # what was opened is left as it was
    assert set(np.unique(np.load(tmp_path / "out" / "hall.labels.npy"))) <= {0, 1}
    kept = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (kept["out"], kept["failures"], kept["clouds"]) == (str(tmp_path / "out"), [], 1)
    clouds = open_dataset(hall, scene="object")
    said = segment_by_name(clouds, tmp_path / "cache", names, labels=["wall", "floor"])
    assert said.about["window"] == 0.0
    assert not (tmp_path / "segments").exists()


def test_boxes_of_an_own_file_are_in_its_own_axes_and_unit(names: ModelNames, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    floor = np.c_[draw.uniform(0, 4000, 2000), np.zeros(2000), draw.uniform(0, 4000, 2000)]
    far = np.array([0, 0, 7e5])  # the file is in mm, y up, far away along z
    (tmp_path / "hall.ply").write_bytes(ply_of(PointCloud.of(floor + far), np.full((2000, 3), 90, np.uint8)))
    clouds, files = open_dataset(tmp_path / "hall.ply", up="y", unit="mm", scene="room"), Files(tmp_path, ["npy"])
    segment_by_name(clouds, tmp_path / "cache", names, labels=["rug"], files=files, boxes=True)
    found = json.loads((tmp_path / "hall.boxes.json").read_text())
    assert found["up"] == "y"
    [box] = found["boxes"]
    np.testing.assert_allclose(box["center"], np.array([2000, 0, 2000]) + far, atol=20)
    np.testing.assert_allclose(box["size"], [4000, 4000, 0], atol=20)
    assert box["yaw"] % (np.pi / 2) == pytest.approx(0)


@pytest.mark.slow
def test_own_rooms_and_objects_without_images_are_labelled_by_a_2d_model_alone(
    hall: Path, names: ModelNames, tmp_path: Path
) -> None:
    chair = [f"v {x} {y} {z} {x} {y} {z}" for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    (tmp_path / "box.obj").write_text("\n".join([*chair, "f 1 2 4 3", "f 5 6 8 7", "f 1 2 6 5"]), encoding="utf-8")
    by_clip, cache = ModelNames(clip=names.clip, vision_only=True, device="cpu"), tmp_path / "cache"
    both = segment_by_name(open_dataset([hall, tmp_path / "box.obj"]), cache, by_clip, labels=["wall", "seat"])
    assert {part.about["scene"]: sum(part.points.values()) for part in both.parts} == {"object": 8192, "room": 1200}
    assert both.failures == []
    again = segment_by_name(open_dataset([hall]), cache, by_clip, labels=["wall", "seat"])
    assert again.points == next(part.points for part in both.parts if part.about["scene"] == "room")


def test_what_a_2d_model_needs_is_made_once_where_that_is_asked_for(names: ModelNames, tmp_path: Path) -> None:
    shapes, by_clip = ToyShapes("val", sizes=(0, 2, 0), points=300), ModelNames(clip=names.clip, vision_only=True)
    with pytest.raises(CacheMissing, match="no features by"):
        segment_by_name(shapes, tmp_path, by_clip)
    found = segment_by_name(shapes, tmp_path, by_clip, auto=True)
    assert sum(found.points.values()) == 600
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.h5")}
    assert segment_by_name(shapes, tmp_path, by_clip, auto=True).points == found.points
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.h5")} == made
    assert segment_by_name(shapes, tmp_path, by_clip).points == found.points


def test_what_a_2d_model_needs_is_made_anew_where_superpoints_have_changed(names: ModelNames, tmp_path: Path) -> None:
    shapes, by_clip = ToyShapes("val", sizes=(0, 2, 0), points=300), ModelNames(clip=names.clip, vision_only=True)
    segment_by_name(shapes, tmp_path, by_clip, auto=True)
    cut_into_octants(shapes, tmp_path, stamp=superpoints_stamp(SuperpointConfig.of("object")))
    assert not segment_by_name(shapes, tmp_path, by_clip, auto=True).failures
    root = root_of(tmp_path, shapes)
    features, superpoints = (
        CacheReader.find(root, *each) for each in ((CLIP_FEATURES, CLIP_STAGE), (SUPERPOINTS, SUPERPOINTS_STAGE))
    )
    for key in shapes.keys:
        assert len(features.read(key)["superpoints"]) == superpoints.read(key).attributes["n_superpoints"]


def test_names_are_proposed_and_what_is_nearer_to_other_words_is_unknown(
    hall: Path, names: ModelNames, tmp_path: Path
) -> None:
    clouds, cache = open_dataset(hall), tmp_path / "cache"
    files = Files(tmp_path / "out", ["npy", "txt"])
    found = segment_by_name(clouds, cache, names, SegmentConfig(top=2), labels=["auto"], files=files)
    assert 1 <= len(found.points) <= 2
    assert "auto" not in found.points
    assert sum(found.points.values()) == 1200
    assert set(np.unique(np.load(tmp_path / "out" / "hall.labels.npy"))) == set(range(len(found.points)))
    name = next(iter(found.points))
    same = segment_by_name(clouds, cache, names, SegmentConfig(unknown="auto"), labels=[*found.points])
    assert same.points[name] > 0
    other = segment_by_name(clouds, cache, names, SegmentConfig(unknown="auto"), labels=["unicorn"])
    assert other.points.get("unknown", 0) > 600


def test_one_call_names_objects_and_writes_the_result(names: ModelNames, tmp_path: Path) -> None:
    shapes = ToyShapes("val", sizes=(0, 3, 0), points=300)
    found = classify_by_name(
        shapes, tmp_path / "cache", names, ZeroShotConfig(draws=10), out=tmp_path / "found.json", auto=True
    )
    assert len(found.answers) == 3
    assert json.loads((tmp_path / "found.json").read_text())["clouds"] == 3


def test_a_kind_of_clouds_of_which_a_checkpoint_has_seen_none_is_told(tmp_path: Path) -> None:
    told, rooms = Warnings(), ModelNames("s4token+context-scans", device="cpu")
    shapes = ToyShapes("val", sizes=(0, 1, 0), points=300)
    segment_by_name(shapes, tmp_path / "cache", rooms, auto=True, report=told)
    classify_by_name(shapes, tmp_path / "cache", rooms, ZeroShotConfig(draws=10), auto=True, report=told)
    said = "checkpoint s4token+context-scans was trained on no objects: do not rely on what it says"
    assert told.said.count(said) == 2
    told.said.clear()
    objects = ModelNames("s4token+context", device="cpu")
    classify_by_name(shapes, tmp_path / "cache", objects, ZeroShotConfig(draws=10), auto=True, report=told)
    assert not any("rely" in each for each in told.said)


def test_superpoints_and_boxes_of_a_room_in_feet_are_those_of_the_room_in_metres(
    names: ModelNames, tmp_path: Path
) -> None:
    """Two blocks above a floor whose points lie too far apart in feet for the gap within one thing."""
    draw, foot = np.random.default_rng(0), 0.3048
    floor = np.c_[draw.uniform(0, 5, (2500, 2)), np.zeros(2500)]
    things = [draw.uniform(0, [0.8, 0.8, 0.8], (700, 3)) + [x, 2, 0.5] for x in (1.0, 2.0)]
    room = np.concatenate([floor, *things])
    found, cut = {}, {}
    for name, points, scale in (("metres", room, 1.0), ("feet", room / foot, foot)):
        np.save(tmp_path / f"{name}.npy", points)
        clouds = open_dataset(tmp_path / f"{name}.npy", up="z", scene="room", unit="m")
        config = SegmentConfig(scale=scale)
        files = Files(tmp_path / name, ["npy"], boxes=["json"])
        cache = tmp_path / "cache"
        segment_by_name(clouds, cache, names, config, labels=["block"], files=files, boxes=True)
        written = json.loads((tmp_path / name / f"{name}.boxes.json").read_text())["boxes"]
        found[name] = sorted((*each["center"], *each["size"]) for each in written)
        reader = CacheReader(cache / clouds.name / "all", SUPERPOINTS, superpoints_stamp(SuperpointConfig.of("room")))
        cut[name] = reader.read(f"{name}.npy", ("labels",))["labels"]
    np.testing.assert_array_equal(cut["feet"], cut["metres"])
    np.testing.assert_allclose(np.array(found["feet"]) * foot, found["metres"], atol=1e-3)


def test_settings_that_contradict_each_other_are_refused_before_anything_is_loaded(hall: Path, tmp_path: Path) -> None:
    nobody, clouds = ModelNames("nobody", "no such CLIP"), open_dataset(hall)
    with pytest.raises(UsageError, match=r"hall.ply has no labels of its own"):
        segment_by_name(clouds, tmp_path, ModelNames(None, "no such CLIP"))
    with pytest.raises(UsageError, match="--scale must be positive"):
        segment_by_name(clouds, tmp_path, nobody, SegmentConfig(scale=0.0), labels=["wall"])
    with pytest.raises(UsageError, match="--scale and --votes are for checkpoints"):
        classify_by_name(clouds, tmp_path, ModelNames(vision_only=True), ZeroShotConfig(votes=2), labels=["hall"])
