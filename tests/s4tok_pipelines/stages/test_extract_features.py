"""The stages render-views and extract-clip, on a dataset of a few boxes and a room that fit on this page."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch.nn import functional

from s4tok.clouds import PointCloud
from s4tok.config import Scene, ViewConfig, VirtualConfig, VisionConfig
from s4tok.datasets.dataset import CloudDataset, Frame, Mesh, Origin
from s4tok.errors import InputError, MissingError
from s4tok.shapes import Array
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.table import load_vision_model
from s4tok_cache import CacheReader, Entry
from s4tok_cache.errors import CacheMismatch, CacheMissing
from s4tok_pipelines.inputs.features import features_in
from s4tok_pipelines.layouts import CLIP_FEATURES, SUPERPOINTS, VIEWS
from s4tok_pipelines.report import Item, Report
from s4tok_pipelines.stages.extract_features import extract_features
from s4tok_pipelines.stages.render_views import render_views
from tests.octants import cut_into_octants

SMALL = ViewConfig(size=48, projection="classification")  # its grid is a fiftieth of the other's
KEYS = ("a/1", "a/2", "b/3", "b/4", "b/5")


class Boxes(CloudDataset):
    """Five boxes of different sizes; one of them can be made to be broken."""

    name, split = "boxes", "test"
    scene: Scene = "object"
    up: Literal["x", "y", "z"] = "z"
    keys: Sequence[str] = KEYS

    def __init__(self, broken: str = "", changed: str = "") -> None:
        self.broken, self.changed = broken, changed

    def __getitem__(self, key: str) -> PointCloud:
        if key == self.broken:
            raise InputError(f"{key} is broken.")
        rng = np.random.default_rng(KEYS.index(key))
        points = rng.uniform(-1, 1, (300, 3))
        points[np.arange(300), rng.integers(0, 3, 300)] = 1
        return PointCloud.of(points * (1, 2, 3 + KEYS.index(key)), name=key)

    def origin(self, key: str) -> Origin:
        return Origin(key, 300, int(key == self.changed))


class Room(Boxes):
    """One room seen by three frames, of which one has lost its pose."""

    name = "room"
    scene: Scene = "room"
    keys: Sequence[str] = ("r",)

    def __getitem__(self, key: str) -> PointCloud:
        rng = np.random.default_rng(0)
        return PointCloud.of(np.c_[rng.uniform(-1, 1, (500, 2)), np.full(500, 2.0)] + (100, 200, 3), name=key)

    def frames(self, key: str, step: int = 1) -> Iterator[Frame]:
        for number in range(3):
            pose = np.eye(4)
            pose[:3, 3] = (100 + 0.3 * number, 200, 3)
            if number == 1:
                pose[:] = -np.inf
            k = np.array([[60.0, 0, 39.5], [0, 60, 29.5], [0, 0, 1]])
            color = np.random.default_rng(number).integers(0, 256, (60, 80, 3)).astype(np.uint8)
            yield Frame(str(number), color, np.full((60, 80), 2.0, np.float32), k, k, pose)


class Stopping(Report):
    """Stop the run after a number of entries, as a signal does."""

    def __init__(self, after: int) -> None:
        self.after = after

    def steps(self, items: Iterable[Item], text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        for number, item in enumerate(items):
            if number == self.after:
                raise KeyboardInterrupt
            yield item


class Listening(Report):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    warn = note


@pytest.fixture(scope="module")
def tiny(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> VisionConfig:
    return VisionConfig(model=str(make_clip(tmp_path_factory.mktemp("models") / "tiny")))


def entries(cache: Path, clouds: CloudDataset, layout: Any, stage: str) -> dict[str, Entry]:
    reader = CacheReader.find(cache / clouds.name / clouds.split, layout, stage)
    return {key: reader[key] for key in reader}


def same(one: dict[str, Entry], other: dict[str, Entry]) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[key][name], other[key][name]) for key in one for name in one[key].arrays
    )


def test_views_hold_where_each_visible_point_is_and_which_point_each_pixel_shows(tmp_path: Path) -> None:
    outcome = render_views(Boxes(), tmp_path, SMALL)
    assert (outcome.made, outcome.present, outcome.failures) == (5, 0, [])
    for entry in entries(tmp_path, Boxes(), VIEWS, "render-views").values():
        images, drawn, pixels = entry["images"], entry["drawn"], entry["pixels"].astype(int)
        assert images.shape == (10, 48, 48, 1)
        visible = pixels[..., 0] >= 0
        assert visible.any(axis=1).all()
        for view in range(10):
            rows, columns = pixels[view, visible[view]].T
            assert (images[view, rows, columns, 0] < 1).all()
            shown = drawn[view, rows, columns]
            assert (pixels[view, shown] == pixels[view, visible[view]]).all()
        assert (drawn >= 0).sum() <= visible.sum()


class Turned(Boxes):
    """The same boxes with their axes turned so that y is up."""

    name = "turned"
    up: Literal["x", "y", "z"] = "y"

    def __getitem__(self, key: str) -> PointCloud:
        x, y, z = super().__getitem__(key).original_xyz().T
        return PointCloud.of(np.stack([x, z, -y], axis=1), name=key)


def test_up_is_up_in_every_dataset(tmp_path: Path) -> None:
    render_views(Boxes(), tmp_path, SMALL)
    render_views(Turned(), tmp_path, SMALL)
    one, other = (entries(tmp_path, clouds, VIEWS, "render-views") for clouds in (Boxes(), Turned()))
    for key in KEYS:
        differ = np.abs(one[key]["images"].astype(float) - other[key]["images"].astype(float)) > 0.01
        assert differ.mean() < 0.01  # a point on a cell's border may cross it


def test_a_stopped_run_goes_on_where_it_was_and_ends_the_same(tmp_path: Path, tiny: VisionConfig) -> None:
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    for cache in (whole, halved):
        cut_into_octants(Boxes(), cache)
    render_views(Boxes(), whole, SMALL)
    extract_features(Boxes(), whole, tiny)
    with pytest.raises(KeyboardInterrupt):
        render_views(Boxes(), halved, SMALL, report=Stopping(2))
    outcome = render_views(Boxes(), halved, SMALL)
    assert (outcome.made, outcome.present) == (3, 2)
    with pytest.raises(KeyboardInterrupt):
        extract_features(Boxes(), halved, tiny, report=Stopping(3))
    outcome = extract_features(Boxes(), halved, tiny)
    assert 0 < outcome.made < 5
    assert outcome.made + outcome.present == 5
    for layout, stage in ((VIEWS, "render-views"), (CLIP_FEATURES, "extract-clip")):
        assert same(entries(whole, Boxes(), layout, stage), entries(halved, Boxes(), layout, stage))
    assert extract_features(Boxes(), halved, tiny).made == 0


def test_features_of_superpoints_that_have_changed_are_made_anew(tmp_path: Path, tiny: VisionConfig) -> None:
    cut_into_octants(Boxes(), tmp_path)
    render_views(Boxes(), tmp_path, SMALL)
    extract_features(Boxes(), tmp_path, tiny)
    cut_into_octants(Boxes(), tmp_path)  # the same once more
    assert extract_features(Boxes(), tmp_path, tiny).made == 0
    cut_into_octants(Boxes(), tmp_path, ["a/2", "b/3"], weights=(4, 2, 1))
    outcome = extract_features(Boxes(), tmp_path, tiny)
    assert (outcome.made, outcome.present) == (2, 3)
    fresh = tmp_path / "fresh"
    cut_into_octants(Boxes(), fresh)
    cut_into_octants(Boxes(), fresh, ["a/2", "b/3"], weights=(4, 2, 1))
    render_views(Boxes(), fresh, SMALL)
    extract_features(Boxes(), fresh, tiny)
    stage = CLIP_FEATURES, "extract-clip"
    assert same(entries(tmp_path, Boxes(), *stage), entries(fresh, Boxes(), *stage))


def test_features_are_those_of_the_points_a_slow_reader_finds(tmp_path: Path, tiny: VisionConfig) -> None:
    cut_into_octants(Boxes(), tmp_path)
    render_views(Boxes(), tmp_path, SMALL)
    extract_features(Boxes(), tmp_path, tiny)
    clip = FrozenClip.load(tiny.model)
    views = entries(tmp_path, Boxes(), VIEWS, "render-views")["a/2"]
    labels = entries(tmp_path, Boxes(), SUPERPOINTS, "superpoints")["a/2"]["labels"]
    found = entries(tmp_path, Boxes(), CLIP_FEATURES, "extract-clip")["a/2"]
    images = torch.from_numpy(views["images"].astype(np.float32)).permute(0, 3, 1, 2)
    seen = clip.encode(images)
    np.testing.assert_allclose(found["views"], seen.whole, atol=1e-3)
    maps = functional.interpolate(seen.patches.permute(0, 3, 1, 2), (48, 48), mode="bilinear", align_corners=False)
    total, pairs = np.zeros((labels.max() + 1, 24)), np.zeros(labels.max() + 1, int)
    for view, pixels in enumerate(views["pixels"].astype(int)):
        for point, (row, column) in enumerate(pixels):
            if row >= 0:
                total[labels[point]] += maps[view, :, row, column].numpy()
                pairs[labels[point]] += 1
    np.testing.assert_array_equal(found["visible"], pairs)
    unit = total / np.linalg.norm(total, axis=1, keepdims=True)
    np.testing.assert_allclose(found["superpoints"], unit, atol=2e-3)


def test_a_room_is_seen_through_its_own_frames(tmp_path: Path, tiny: VisionConfig) -> None:
    cut_into_octants(Room(), tmp_path)
    listener = Listening()
    outcome = extract_features(Room(), tmp_path, tiny, ViewConfig(size=48, image="color", border=2), report=listener)
    assert outcome.figures == {"images": 4, "frames_without_pose": 1}  # two windows each
    assert any("1 frames have no pose" in said for said in listener.said)
    entry = entries(tmp_path, Room(), CLIP_FEATURES, "extract-clip")["r"]
    assert entry["views"].shape == (4, 24)
    assert (entry["visible"] > 0).all()
    small = tmp_path / "small"
    cut_into_octants(Room(), small)
    extract_features(Room(), small, tiny, ViewConfig(size=48, image="color", border=2), batch=2)
    other = entries(small, Room(), CLIP_FEATURES, "extract-clip")["r"]
    np.testing.assert_array_equal(entry["visible"], other["visible"])
    np.testing.assert_allclose(entry["superpoints"], other["superpoints"], atol=2e-3)


class Rooms(Room):
    """A room, and one without frames."""

    keys: Sequence[str] = ("r", "bare")

    def frames(self, key: str, step: int = 1) -> Iterator[Frame]:
        return iter(()) if key == "bare" else super().frames(key, step)


@pytest.mark.parametrize("is_given", [False, True], ids=["looked at there", "read there"])
def test_frames_in_processes_give_the_same_bytes_and_the_same_figures(
    tmp_path: Path, tiny: VisionConfig, is_given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("inputs.views", "stages.extract_features"):
        monkeypatch.setattr(f"s4tok_pipelines.{module}.cores", lambda: 1)  # a second process would only take time
    model = load_vision_model(tiny, "cpu", "dense") if is_given else tiny
    outcomes = []
    for workers in (1, 0):
        cache = tmp_path / str(workers)
        cut_into_octants(Rooms(), cache)
        small = ViewConfig(size=48, image="color", border=2)
        outcomes.append(extract_features(Rooms(), cache, model, small, batch=2, workers=workers))
    here, elsewhere = outcomes
    assert (here.made, here.figures) == (elsewhere.made, elsewhere.figures) == (1, elsewhere.figures)
    assert here.figures["frames_without_pose"] == 1
    assert here.failures == elsewhere.failures
    assert [failure.key for failure in here.failures] == ["bare"]
    found = [entries(tmp_path / each, Rooms(), CLIP_FEATURES, "extract-clip") for each in "10"]
    assert same(*found)


@pytest.mark.slow
def test_views_of_objects_are_looked_at_on_several_devices_with_the_same_bytes(
    tmp_path: Path, tiny: VisionConfig
) -> None:
    for devices in (("cpu",), ("cpu", "cpu")):
        cache, broken = tmp_path / str(len(devices)), Boxes(broken="a/2")
        cut_into_octants(Boxes(), cache)
        render_views(broken, cache, SMALL)
        outcome = extract_features(Boxes(), cache, tiny, devices=devices)
        assert [failure.key for failure in outcome.failures] == ["a/2"]
    found = [entries(tmp_path / each, Boxes(), CLIP_FEATURES, "extract-clip") for each in "12"]
    assert len(found[0]) == 4
    assert same(*found)


def test_objects_without_frames_fail_one_by_one_when_frames_are_asked_for(tmp_path: Path, tiny: VisionConfig) -> None:
    cut_into_octants(Boxes(), tmp_path)
    outcome = extract_features(Boxes(), tmp_path, tiny, frames=True)
    assert [failure.key for failure in outcome.failures] == list(KEYS)
    assert "--no-frames" in outcome.failures[0].reason


def test_a_cloud_without_images_is_seen_by_virtual_cameras_under_a_stamp_of_their_own(
    tmp_path: Path, tiny: VisionConfig
) -> None:
    cut_into_octants(Room(), tmp_path)
    views, few = ViewConfig(size=48, image="color", border=2), VirtualConfig(places=1, around=3, above=2, size=64)
    seen = extract_features(Room(), tmp_path, tiny, views)
    outcome = extract_features(Room(), tmp_path, tiny, views, virtual=few)
    assert (outcome.made, outcome.failures, outcome.out == seen.out) == (1, [], False)
    entry = features_in(outcome.out).read("r")
    assert len(entry["views"]) == outcome.figures["images"]
    assert entry["visible"].any()
    assert features_in(outcome.out).stamp.parameters["virtual"]["around"] == 3
    assert "virtual" not in features_in(seen.out).stamp.parameters
    assert extract_features(Room(), tmp_path, tiny, views, virtual=few).made == 0


def test_a_broken_cloud_is_a_failed_entry_and_not_the_end(tmp_path: Path, tiny: VisionConfig) -> None:
    clouds = Boxes(broken="a/2")
    outcome = render_views(clouds, tmp_path, SMALL)
    assert (outcome.made, [(each.key, each.reason) for each in outcome.failures]) == (4, [("a/2", "a/2 is broken.")])
    cut_into_octants(Boxes(), tmp_path)
    outcome = extract_features(clouds, tmp_path, tiny)
    assert (outcome.made, [each.key for each in outcome.failures]) == (4, ["a/2"])
    assert "s4tok render-views" in outcome.failures[0].reason
    mended = render_views(Boxes(), tmp_path, SMALL)
    assert (mended.made, mended.present) == (1, 4)
    assert extract_features(Boxes(), tmp_path, tiny).made == 1


def test_features_are_not_made_from_views_older_than_the_cloud(tmp_path: Path, tiny: VisionConfig) -> None:
    cut_into_octants(Boxes(), tmp_path)
    render_views(Boxes(), tmp_path, SMALL)
    outcome = extract_features(Boxes(changed="b/3"), tmp_path, tiny)
    assert [failure.key for failure in outcome.failures] == ["b/3"]
    assert "before it changed" in outcome.failures[0].reason


def test_without_superpoints_or_views_it_says_which_command_makes_them(tmp_path: Path, tiny: VisionConfig) -> None:
    with pytest.raises(CacheMissing) as caught:
        extract_features(Boxes(), tmp_path, tiny)
    assert "s4tok superpoints" in caught.value.hint
    cut_into_octants(Boxes(), tmp_path)
    with pytest.raises(CacheMissing) as caught:
        extract_features(Boxes(), tmp_path, tiny)
    assert "s4tok render-views" in caught.value.hint


def test_two_models_or_two_kinds_of_views_never_share_a_cache(
    tmp_path: Path, tiny: VisionConfig, make_clip: Callable[..., Path]
) -> None:
    cut_into_octants(Boxes(), tmp_path)
    render_views(Boxes(), tmp_path, SMALL)
    first = extract_features(Boxes(), tmp_path, tiny)
    softer = VisionConfig(model=str(make_clip(tmp_path / "softer", interpolation="bilinear")))
    dense = VisionConfig(model=tiny.model, dense="maskclip")
    released = replace(SMALL, projection_compat="pclipv2")
    render_views(Boxes(), tmp_path, released)
    with pytest.raises(CacheMismatch, match="projection_compat"):
        extract_features(Boxes(), tmp_path, tiny)
    outs = {
        first.out,
        *(extract_features(Boxes(), tmp_path, config, SMALL).out for config in (softer, dense)),
        extract_features(Boxes(), tmp_path, tiny, released).out,
    }
    assert len(outs) == 4


def test_the_same_clouds_with_another_axis_up_have_views_and_features_of_their_own(
    tmp_path: Path, tiny: VisionConfig
) -> None:
    upright, lying = Boxes(), Boxes()
    lying.up = "y"
    cut_into_octants(upright, tmp_path)
    render_views(upright, tmp_path, SMALL)
    with pytest.raises(CacheMismatch, match="none made with up y"):
        extract_features(lying, tmp_path, tiny)
    assert render_views(lying, tmp_path, SMALL).made == 5
    assert extract_features(upright, tmp_path, tiny).made == extract_features(lying, tmp_path, tiny).made == 5


def test_weights_that_are_out_of_reach_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_into_octants(Boxes(), tmp_path)
    render_views(Boxes(), tmp_path, SMALL)
    monkeypatch.setattr("s4tok.vision.weights.reachable", lambda: False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="cannot be reached"):
        extract_features(Boxes(), tmp_path)


def test_sheets_are_drawn_of_what_the_cache_holds(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    render_views(Boxes(), tmp_path / "cache", SMALL, preview=tmp_path / "sheets")
    files = sorted(tmp_path.glob("sheets/*.png"))
    assert [file.stem for file in files] == [key.replace("/", "_") for key in KEYS]
    with image.open(files[0]) as sheet:
        assert sheet.size == (5 * 48, 2 * 48)
        assert len(np.unique(np.asarray(sheet))) > 20


def test_points_are_coloured_by_the_prompt_that_fits_them_best(tmp_path: Path, tiny: VisionConfig) -> None:
    image = pytest.importorskip("PIL.Image")
    cut_into_octants(Boxes(), tmp_path)
    render_views(Boxes(), tmp_path, SMALL)
    extract_features(Boxes(), tmp_path, tiny, preview=tmp_path / "sheets", prompts=["a leg", "a wheel"])
    with image.open(tmp_path / "sheets" / "a_2.png") as sheet:
        colors = {tuple(color) for color in np.asarray(sheet).reshape(-1, 3)}
    entry = entries(tmp_path, Boxes(), CLIP_FEATURES, "extract-clip")["a/2"]
    texts = FrozenClip.load(tiny.model).text(["a leg", "a wheel"])
    best = (torch.from_numpy(entry["superpoints"].astype(np.float32)) @ texts.T).argmax(dim=1)
    assert len(colors) == 1 + len(set(best.tolist()))  # and white around them
    listener = Listening()
    extract_features(Boxes(), tmp_path, tiny, preview=tmp_path / "none", report=listener)
    assert any("pass --prompt" in said for said in listener.said)


def test_where_no_mesh_can_be_drawn_points_are_and_the_cache_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s4tok_pipelines.probes import Probe

    monkeypatch.delenv("PYOPENGL_PLATFORM", raising=False)
    monkeypatch.setattr(
        "s4tok_pipelines.stages.render_views.offscreen",
        lambda platform: Probe(platform, "problem", "no such library"),
    )
    listener = Listening()
    render_views(Boxes(), tmp_path, replace(SMALL, image="shaded"), report=listener)
    assert any("points of the surface are drawn instead" in said for said in listener.said)
    reader = CacheReader.find(tmp_path / "boxes" / "test", VIEWS, "render-views")
    assert reader.stamp.parameters["image"] == "depth"


class Meshes(Boxes):
    """Boxes with the mesh they are sampled from, and one without."""

    def mesh(self, key: str) -> Mesh | None:
        if key == "b/5":
            return None
        trimesh = pytest.importorskip("trimesh")
        box = trimesh.creation.box(bounds=[[-1, -1, -1], [1, 1, 1]])
        vertices: Array = np.asarray(box.vertices) * (1, 2, 3 + KEYS.index(key))
        return Mesh(vertices, np.asarray(box.faces))


def test_meshes_are_drawn_shaded_and_a_cloud_without_one_fails(tmp_path: Path) -> None:
    from s4tok_pipelines.stages.doctor import egl

    if egl().state != "ok":
        pytest.skip(f"no rendering without a screen here: {egl().found}")
    outcome = render_views(Meshes(), tmp_path, replace(SMALL, image="shaded"))
    assert [failure.key for failure in outcome.failures] == ["b/5"]
    assert "no mesh" in outcome.failures[0].reason
    for entry in entries(tmp_path, Meshes(), VIEWS, "render-views").values():
        assert entry["images"].shape == (10, 48, 48, 3)
        seen = (entry["pixels"][..., 0] >= 0).any(axis=0)
        assert seen.mean() > 0.9  # ten directions see every side but for what lies in the plane of sight
