"""The stage segment on small objects and rooms; all weights are random, and being right does not matter."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch.nn import functional

from s4tok.clouds import PointCloud
from s4tok.config import Scene, SegmentConfig, SuperpointConfig
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.datasets.formats.ply import read_ply
from s4tok.errors import InputError
from s4tok.metrics.labels import part_counts, part_scores
from s4tok.models.checkpoint import Means, TrainedModel, load_trained, save_trained
from s4tok.models.model import Model
from s4tok.models.trained import Trained
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.randomness import seed_of
from s4tok.rendering.palette import colors_of_names, paint
from s4tok.shapes import Array
from s4tok.synthetic.datasets import ToyShapes
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.box_figures import BoxTally
from s4tok.zero_shot.encoded_windows import Looking
from s4tok.zero_shot.labelled import Labelled
from s4tok.zero_shot.point_scores import score_points
from s4tok.zero_shot.prompts import load_prompts
from s4tok.zero_shot.vocabulary import Vocabulary
from s4tok_cache import CacheReader, Fingerprint, Stamp, Store
from s4tok_cache.errors import CacheMissing
from s4tok_pipelines.inputs.entries import fingerprint
from s4tok_pipelines.layouts import CLIP_FEATURES, SUPERPOINTS
from s4tok_pipelines.report import Item, Report, silent
from s4tok_pipelines.stages.open_inputs import open_scorer
from s4tok_pipelines.stages.segment import Files, Segmented, segment
from s4tok_pipelines.stamps import CLIP_STAGE

PROMPTS = load_prompts("clip")
ROOMS = SegmentConfig(n_points=300, n_tokens=20, window=2.5, smallest_window=20, draws=20)
ALL_OPEN = SegmentConfig()
CORNER = np.array([453_000.25, 5_411_000.5, 220.125])  # of the rooms, on a map


class Rooms(CloudDataset):
    """Three rooms of 5 x 4 x 2 metres far from the origin: floor, walls, and a block in the middle."""

    name, split = "rooms", "val"
    scene: Scene = "room"
    up: Literal["x", "y", "z"] = "z"
    classes = ("floor", "wall", "block")
    keys: Sequence[str] = ("a", "b", "c")

    def __init__(self, broken: str = "", labelled: bool = True) -> None:
        self.broken, self.labelled = broken, labelled

    def __getitem__(self, key: str) -> PointCloud:
        if self.broken in (key, "all"):
            raise InputError(f"{key} is broken.")
        xyz, labels = room(Rooms.keys.index(key))
        color = np.random.default_rng(1).integers(0, 255, xyz.shape).astype(np.uint8)
        return PointCloud.of(xyz + CORNER, name=key, color=color, labels=labels if self.labelled else None)

    def origin(self, key: str) -> Origin:
        return Origin(key, 900)


def room(seed: int) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    xyz = draw.uniform(0, (5, 4, 2), (900, 3)).round(3)
    labels = np.repeat([0, 1, 2], 300)
    xyz[:300, 2], xyz[300:600, 0] = 0, 5
    xyz[600:] = xyz[600:] / 4 + (2, 1.5, 0)
    labels[::50] = -1
    return xyz, labels


class BoxedRooms(Rooms):
    box_classes = ("block",)

    def __getitem__(self, key: str) -> PointCloud:
        cloud = super().__getitem__(key)
        block = cloud.xyz[600:]
        low, high = block.min(axis=0), block.max(axis=0)
        return replace(cloud, boxes=OrientedBoxes.of([0], [(low + high) / 2], [high - low]))


class Shapes(ToyShapes):
    def __init__(self) -> None:
        super().__init__("val", sizes=(0, 5, 0), points=400)


@pytest.fixture(scope="module")
def clip(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> FrozenClip:
    return FrozenClip.load(str(make_clip(tmp_path_factory.mktemp("models") / "tiny")))


@pytest.fixture(scope="module")
def checkpoint(clip: FrozenClip, tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    torch.manual_seed(3)
    tokenizer = build_tokenizer(width=32, n_points=200, n_tokens=12, patch_size=8, adapter_widths=(8, 8, 8))
    place = tmp_path_factory.mktemp("checkpoint")
    save_trained(place, tokenizer, {"clip": {"name": clip.name, "weights": clip.sha256}, "steps": 0})
    return load_trained(place, clip)


CUT = Stamp("superpoints")


def cut(cache: Path, clouds: CloudDataset) -> None:
    """Superpoints as another stage would have left them: the eight octants of each cloud."""
    with Store.resume(cache / clouds.name / clouds.split, SUPERPOINTS, CUT) as store:
        for key in clouds.keys:
            labels = octants(clouds[key])
            origin = clouds.origin(key)
            fingerprint = Fingerprint(origin.path, origin.size, origin.mtime_ns)
            store.write(key, {"labels": labels}, fingerprint, {"n_superpoints": int(labels.max()) + 1})


def octants(cloud: PointCloud) -> Array:
    octant = (cloud.xyz > 0) @ np.array([1, 2, 4])
    labels: Array = np.unique(octant, return_inverse=True)[1].astype(np.int32)
    return labels


@pytest.fixture
def named(clip: FrozenClip, checkpoint: TrainedModel, tmp_path: Path) -> Callable[..., Segmented]:
    """Run the stage in a cache of the test's own."""

    def run(clouds: CloudDataset, config: SegmentConfig = ALL_OPEN, **options: Any) -> Segmented:
        if options.pop("ready", True):
            cut(tmp_path / "cache", type(clouds)())
        who = options.pop("checkpoint", checkpoint)
        how = {name: options.pop(name) for name in ("files", "boxes", "watch", "report") if name in options}
        words = Vocabulary(clouds, clip, PROMPTS, options.pop("labels", ()), options.pop("category", None))
        report = how.get("report", silent)
        scorer = open_scorer(clouds, tmp_path / "cache", clip, who, config, report=report, **options)
        return segment(clouds, scorer, words, **how)

    return run


Named = Callable[..., Segmented]


class Stopping(Report):
    """Stop after the first cloud."""

    def steps(self, items: Iterable[Item], text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        for number, item in enumerate(items):
            if number == 1:
                raise KeyboardInterrupt
            yield item


def labels_in(folder: Path, key: str) -> Array:
    labels: Array = np.load(folder / f"{key}.labels.npy")
    return labels


def test_what_a_cloud_is_named_depends_on_the_seed_and_its_key_alone(named: Named, tmp_path: Path) -> None:
    named(Rooms(), ROOMS, files=Files(tmp_path / "all"))
    some = Rooms()
    some.keys = ("b",)
    named(some, ROOMS, files=Files(tmp_path / "one"))
    np.testing.assert_array_equal(labels_in(tmp_path / "one", "b"), labels_in(tmp_path / "all", "b"))
    scores = [np.load(tmp_path / folder / "b.scores.npy") for folder in ("one", "all")]
    np.testing.assert_array_equal(*scores)
    named(some, replace(ROOMS, seed=1), files=Files(tmp_path / "other"))
    assert (np.load(tmp_path / "other" / "b.scores.npy") != scores[0]).any()


def test_a_room_keeps_its_points_its_place_on_the_map_and_their_order(named: Named, tmp_path: Path) -> None:
    found = named(Rooms(), ROOMS, files=Files(tmp_path, html=True))
    for key in Rooms.keys:
        cloud = Rooms()[key]
        labels = labels_in(tmp_path, key)
        ply = read_ply(tmp_path / f"{key}.labels.ply")
        np.testing.assert_array_equal(ply.points, cloud.original_xyz())
        assert np.abs(ply.points - CORNER - room(Rooms.keys.index(key))[0]).max() < 1e-6
        assert ply.labels is not None
        assert ply.color is not None
        np.testing.assert_array_equal(ply.labels, labels)
        np.testing.assert_array_equal(ply.color, paint(labels, colors_of_names(Rooms.classes)))
        np.testing.assert_array_equal(np.loadtxt(tmp_path / f"{key}.labels.txt", dtype=int), labels)
        scores = np.load(tmp_path / f"{key}.scores.npy")
        assert (scores.shape, scores.dtype) == ((900, 3), np.float16)
        assert (scores.astype(float)[np.arange(900), labels] >= scores.max(axis=1) - 1e-3).all()
        legend = json.loads((tmp_path / f"{key}.legend.json").read_text())
        assert [row["name"] for row in legend] == ["floor", "wall", "block", "unknown"]
        assert [row["points"] for row in legend] == [*np.bincount(labels, minlength=3), 0]
        assert "<canvas" in (tmp_path / f"{key}.html").read_text()
    assert sum(found.points.values()) == 2700
    assert not list(tmp_path.glob(".*.partial"))


def test_a_run_that_was_stopped_leaves_whole_files_and_can_be_run_again(named: Named, tmp_path: Path) -> None:
    named(Rooms(), ROOMS, files=Files(tmp_path / "whole", ["npy", "ply"]))
    with pytest.raises(KeyboardInterrupt):
        named(Rooms(), ROOMS, files=Files(tmp_path / "halved", ["npy", "ply"]), report=Stopping())
    assert sorted(path.name for path in (tmp_path / "halved").iterdir()) == [
        f"a.{ending}" for ending in ("labels.npy", "labels.ply", "legend.json")
    ]
    named(Rooms(), ROOMS, files=Files(tmp_path / "halved", ["npy", "ply"]))
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / "halved" / path.name).read_bytes()


def test_figures_of_rooms_are_those_of_one_confusion_matrix(named: Named, tmp_path: Path) -> None:
    found = named(Rooms(), ROOMS, files=Files(tmp_path, ["npy"]))
    counts = np.zeros((3, 3), int)
    for number, key in enumerate(Rooms.keys):
        for truth, answer in zip(room(number)[1], labels_in(tmp_path, key), strict=True):
            if truth >= 0:
                counts[truth, answer] += 1
    facts = found.facts()
    np.testing.assert_array_equal(facts["confusion"], np.pad(counts, ((0, 0), (0, 1))))
    iou = [counts[c, c] / (counts[c].sum() + counts[:, c].sum() - counts[c, c]) for c in range(3)]
    assert facts["miou"] == pytest.approx(np.mean(iou))
    assert facts["accuracy"] == pytest.approx(counts.trace() / counts.sum())
    low, high = facts["miou_interval"]
    assert low <= facts["miou"] <= high


def test_figures_of_parts_are_those_of_answers_within_the_category(named: Named, tmp_path: Path) -> None:
    clouds = Shapes()
    found = named(clouds, SegmentConfig(draws=20), files=Files(tmp_path, ["npy"]))
    counts, categories = [], []
    for key in clouds.keys:
        category = clouds.category(key)
        members = np.array(clouds.parts[clouds.categories[category]])
        truth = clouds[key].labels
        assert truth is not None
        counts.append(part_counts(truth, members[labels_in(tmp_path, key)], len(clouds.classes)))
        categories.append(category)
    expected = part_scores(np.stack(counts), np.array(categories), list(clouds.parts.values()))
    facts = found.facts()
    assert (facts["miou_i"], facts["miou_c"], facts["miou_part"]) == expected[:3]
    assert facts["per_category"]["airplane"] == {"miou_i": expected.by_category[0], "objects": 1}
    assert facts["per_part"]["airplane: wing"] == expected.by_part[clouds.classes.index("wing")]
    assert {"airplane: wing", "bed: mattress"} <= facts["points"].keys()


@pytest.fixture(scope="module")
def with_means(checkpoint: TrainedModel) -> TrainedModel:
    """The same checkpoint, and means of features that would be known after training."""
    features, targets = 0.2 * torch.randn(2, 24, generator=torch.Generator().manual_seed(4))
    means = {"room": Means(features, targets), "object": Means(targets, features)}
    return checkpoint._replace(means=means, trained=Trained(calibration_share=0.5))


def test_calibration_subtracts_a_share_of_each_labels_mean_cosine(
    named: Named, clip: FrozenClip, checkpoint: TrainedModel, with_means: TrainedModel
) -> None:
    seen: dict[str, list[Labelled]] = {"none": [], "mean": []}
    before = named(Rooms(), ROOMS, watch=seen["none"].append).facts()
    found = named(Rooms(), ROOMS, checkpoint=with_means, watch=seen["mean"].append).facts()
    means = with_means.means["room"]
    words = Vocabulary(Rooms(), clip, PROMPTS).of("a").vectors
    subtracted = 0.5 * (words @ means.features).numpy()
    for raw, calibrated in zip(seen["none"], seen["mean"], strict=True):
        np.testing.assert_allclose(calibrated.scores, raw.scores - subtracted, atol=1e-6)
        np.testing.assert_array_equal(calibrated.answers, calibrated.scores.argmax(axis=1))
        assert calibrated.uncalibrated is not None
        np.testing.assert_array_equal(calibrated.uncalibrated, raw.answers)
    assert found["uncalibrated"] == {"miou": before["miou"], "macc": before["macc"]}
    assert found["miou"] != before["miou"]
    assert (found["calibrate"], found["calibration_share"]) == ("mean", 0.5)
    assert found["calibrated_by"] == {"checkpoint": with_means.name, "means": means.sha256}
    assert (before["calibrate"], before["calibration_share"], before["calibrated_by"]) == ("none", 0.0, None)
    assert "uncalibrated" not in before
    none = replace(ROOMS, calibrate="none")
    assert named(Rooms(), none, checkpoint=with_means).facts()["confusion"].tolist() == before["confusion"].tolist()


def test_a_checkpoint_of_objects_alone_is_calibrated_by_their_mean_in_rooms_too(
    named: Named, with_means: TrainedModel
) -> None:
    of_objects = with_means._replace(means={"object": with_means.means["room"]})
    found, expected = (named(Rooms(), ROOMS, checkpoint=who).facts() for who in (of_objects, with_means))
    assert found["confusion"].tolist() == expected["confusion"].tolist()
    assert found["calibrated_by"]["means"] == with_means.means["room"].sha256


def test_one_scan_with_labels_of_its_own_is_calibrated_as_among_others(
    named: Named, with_means: TrainedModel, tmp_path: Path
) -> None:
    some, labels = Rooms(labelled=False), ["sofa", "lamp", "a door"]
    named(some, ROOMS, checkpoint=with_means, labels=labels, files=Files(tmp_path / "all"))
    some.keys = ("b",)
    named(some, ROOMS, checkpoint=with_means, labels=labels, files=Files(tmp_path / "one"))
    scores = [np.load(tmp_path / folder / "b.scores.npy") for folder in ("one", "all")]
    np.testing.assert_array_equal(*scores)
    assert (scores[0].astype(float)[np.arange(900), labels_in(tmp_path / "one", "b")] >= scores[0].max(1) - 1e-3).all()
    legend = json.loads((tmp_path / "one" / "b.legend.json").read_text())
    assert all(isinstance(row["subtracted"], float) for row in legend[:3])
    named(some, replace(ROOMS, calibrate="none"), checkpoint=with_means, labels=labels, files=Files(tmp_path / "raw"))
    raw = np.load(tmp_path / "raw" / "b.scores.npy").astype(float)
    np.testing.assert_allclose(scores[0] + np.array([row["subtracted"] for row in legend[:3]]), raw, atol=2e-3)
    assert "subtracted" not in json.loads((tmp_path / "raw" / "b.legend.json").read_text())[0]


def test_parts_are_measured_without_calibration_too_and_doubt_is_about_the_cosine(
    named: Named, with_means: TrainedModel
) -> None:
    before, config = named(Shapes(), SegmentConfig(draws=20)).facts(), SegmentConfig(draws=20, calibration_share=2.0)
    found = named(Shapes(), config, checkpoint=with_means).facts()
    assert found["uncalibrated"] == {name: before[name] for name in ("miou_i", "miou_c", "miou_part")}
    seen: list[Labelled] = []
    median = found["best_cosine"]["50%"]
    named(Shapes(), replace(config, unknown=median), checkpoint=with_means, watch=seen.append)
    shares = []
    for done in seen:
        assert done.subtracted is not None
        best = done.scores.argmax(axis=1)
        cosines = done.scores[np.arange(len(best)), best] + done.subtracted[best]
        np.testing.assert_array_equal(done.answers, np.where(cosines >= median, best, -1))
        shares.append((done.answers < 0).mean())
    assert np.mean(shares) == pytest.approx(0.5, abs=0.02)


def test_the_2d_baseline_says_of_each_superpoint_what_clip_saw_there(
    named: Named, clip: FrozenClip, with_means: TrainedModel, tmp_path: Path
) -> None:
    clouds, features = Rooms(), np.random.default_rng(0).normal(size=(8, 24)).astype(np.float16)
    with pytest.raises(CacheMissing, match="no features by tiny") as caught:
        named(clouds, checkpoint=None)
    assert "extract-features" in caught.value.hint
    stamp = Stamp(CLIP_STAGE, {**clip.identity, "dense": "last"}, 1, (CUT,))
    root = tmp_path / "cache" / "rooms" / "val"
    superpoints = CacheReader(root, SUPERPOINTS, CUT)
    with Store.resume(root, CLIP_FEATURES, stamp) as store:
        for key in clouds.keys:
            entry: dict[str, Array] = {
                "superpoints": features,
                "visible": np.ones(8, np.int32),
                "views": np.zeros((1, 24), np.float16),
            }
            store.write(key, entry, fingerprint(clouds, key, superpoints))
    found = named(clouds, checkpoint=None, files=Files(tmp_path, ["npy"]))
    words = Vocabulary(clouds, clip, PROMPTS).of("a").vectors
    best = (functional.normalize(torch.from_numpy(features).float(), dim=-1) @ words.T).argmax(dim=1).numpy()
    for key in clouds.keys:
        np.testing.assert_array_equal(labels_in(tmp_path, key), best[octants(clouds[key])])
    assert found.about["checkpoint"] is None
    named(clouds, checkpoint=None, calibrated_by=with_means, files=Files(tmp_path / "calibrated", ["npy"]))
    scores = functional.normalize(torch.from_numpy(features).float(), dim=-1) @ words.T
    best = (scores - 0.5 * (words @ with_means.means["room"].targets)).argmax(dim=1).numpy()
    for key in clouds.keys:
        np.testing.assert_array_equal(labels_in(tmp_path / "calibrated", key), best[octants(clouds[key])])


def test_votes_are_the_mean_of_what_so_many_samples_say(
    named: Named, clip: FrozenClip, checkpoint: TrainedModel
) -> None:
    seen: list[Array] = []
    for votes in (1, 3):
        named(Shapes(), SegmentConfig(votes=votes, draws=20), watch=lambda done: seen.append(done.scores))
    shapes, words = Shapes(), Vocabulary(Shapes(), clip, PROMPTS)
    key, looking = shapes.keys[0], Looking(checkpoint.model.tokenizer.config.n_points, 0.0, 0.0, 256)
    each = [
        score_points(
            checkpoint.model, shapes[key].xyz, octants(shapes[key]), words.of(key).vectors, looking,
            seed=seed_of(0, key, vote), up=shapes.up,
        )
        for vote in range(3)
    ]  # fmt: skip
    np.testing.assert_array_equal(seen[0], each[0])
    np.testing.assert_allclose(seen[len(shapes.keys)], np.mean(each, axis=0), atol=1e-6)
    assert (each[0] != each[1]).any()


def test_points_of_a_superpoint_agree_when_pooled_and_doubtful_ones_lose_their_name(
    named: Named, tmp_path: Path
) -> None:
    named(Rooms(), replace(ROOMS, pool=True), files=Files(tmp_path, ["npy", "scores"]))
    labels, scores = labels_in(tmp_path, "a"), np.load(tmp_path / "a.scores.npy").max(axis=1)
    superpoints = octants(Rooms()["a"])
    assert all(len(set(labels[superpoints == each])) == 1 for each in np.unique(superpoints))
    threshold = float(np.median(np.unique(scores)))
    found = named(Rooms(), replace(ROOMS, pool=True, unknown=threshold), files=Files(tmp_path, ["npy"]))
    doubtful = labels_in(tmp_path, "a") < 0
    assert 0 < doubtful.sum() < 900
    assert (doubtful <= (scores <= threshold + 1e-3)).all()
    assert found.points["unknown"] > 0


def test_a_room_is_encoded_as_the_checkpoint_was_trained_and_the_result_says_how(
    named: Named, checkpoint: TrainedModel, tmp_path: Path
) -> None:
    of_rooms = checkpoint._replace(trained=Trained(window=2.5))
    small: Any = {"smallest_window": 20, "draws": 20}
    found = named(Rooms(), SegmentConfig(**small), checkpoint=of_rooms, files=Files(tmp_path / "open", ["npy"]))
    given = SegmentConfig(n_points=200, n_tokens=12, window=2.5, **small)
    named(Rooms(), given, files=Files(tmp_path / "given", ["npy"]))
    settings = {name: found.about[name] for name in ("n_points", "n_tokens", "window")}
    assert settings == {"n_points": 200, "n_tokens": 12, "window": 2.5}
    for key in Rooms.keys:
        np.testing.assert_array_equal(labels_in(tmp_path / "open", key), labels_in(tmp_path / "given", key))


def test_attention_is_limited_as_asked_for_or_as_trained(
    named: Named, checkpoint: TrainedModel, tmp_path: Path
) -> None:
    near = checkpoint._replace(model=Model(checkpoint.model.tokenizer, checkpoint.model.clip, 1.5).eval())
    runs: dict[str, tuple[TrainedModel, float | None]] = {
        "asked": (checkpoint, 1.5), "trained": (near, None), "everywhere": (near, 0.0), "open": (checkpoint, None),
    }  # fmt: skip
    scores = {}
    for name, (who, attend) in runs.items():
        found = named(Rooms(), replace(ROOMS, attend=attend), checkpoint=who, files=Files(tmp_path / name, ["scores"]))
        assert found.about["attend"] == (1.5 if name in ("asked", "trained") else 0.0)
        scores[name] = np.load(tmp_path / name / "a.scores.npy")
    np.testing.assert_array_equal(scores["asked"], scores["trained"])
    np.testing.assert_array_equal(scores["everywhere"], scores["open"])
    assert (scores["asked"] != scores["open"]).any()


def test_a_room_can_be_cut_into_windows_by_its_superpoints(named: Named, tmp_path: Path) -> None:
    config = replace(ROOMS, window=None, windows="superpoints", gap=0.5, large=3.0)
    found = named(Rooms(), config, files=Files(tmp_path, ["scores"]))
    assert (found.about["windows"], found.about["gap"], found.about["window"]) == ("superpoints", 0.5, 0.0)
    scores = np.load(tmp_path / "a.scores.npy")
    assert np.isfinite(scores).all()
    assert (scores != 0).all()


def test_clouds_are_cut_as_for_the_checkpoints_training(named: Named, checkpoint: TrainedModel) -> None:
    grid = SuperpointConfig(method="grid", grid_cells=5)
    of_rooms = checkpoint._replace(trained=Trained(superpoints={"room": grid}))
    found = named(Rooms(), ROOMS, checkpoint=of_rooms, ready=False, auto=True)
    [settings] = found.about["superpoints"].values()
    assert (settings["method"], settings["grid_cells"]) == ("grid", 5)


def test_own_words_are_given_and_nothing_is_held_against_them(named: Named) -> None:
    found = named(Rooms(), ROOMS, labels=["sofa", "lamp"])
    assert found.figures is None
    assert set(found.points) == {"sofa", "lamp"}
    assert "miou" not in found.facts()
    assert named(Rooms(labelled=False), ROOMS).figures is None


def test_a_scale_is_undone_by_nothing_but_the_windows(named: Named, tmp_path: Path) -> None:
    """The tokenizer measures in its own radius, so a whole room ten times as large has the same labels."""
    for scale in (1.0, 8.0):
        named(Rooms(), replace(ROOMS, window=0.0, scale=scale), files=Files(tmp_path / str(scale), ["npy"]))
    np.testing.assert_array_equal(labels_in(tmp_path / "1.0", "a"), labels_in(tmp_path / "8.0", "a"))


def test_boxes_are_written_where_the_points_lie_and_held_against_the_true_ones(named: Named, tmp_path: Path) -> None:
    seen: list[Labelled] = []
    rooms = BoxedRooms()
    files = Files(tmp_path, ["npy"], boxes=["json", "ply"])
    found = named(rooms, ROOMS, files=files, boxes=BoxTally(rooms), watch=seen.append)
    facts = found.facts()
    assert facts["ap25_of_true_labels"] > 0.9
    assert facts["boxes_per_class"]["block"]["boxes"] == len(rooms)
    assert 0 <= facts["ap50"] <= facts["ap25"] <= 1
    for key, done in zip(rooms.keys, seen, strict=True):
        written = json.loads((tmp_path / f"{key}.boxes.json").read_text())
        assert done.boxes is not None
        assert len(written["boxes"]) == len(done.boxes)
        for box in written["boxes"]:
            assert box["label"] == "block"
            away = np.array(box["center"]) - CORNER
            assert (away > -0.1).all()
            assert (away < (5.1, 4.1, 2.1)).all()
        assert (tmp_path / f"{key}.boxes.ply").read_text().startswith("ply\n")
    assert "ap25" not in named(rooms, ROOMS).facts()


def test_a_broken_cloud_is_a_failure_and_not_the_end(named: Named) -> None:
    found = named(Rooms(broken="b"), ROOMS)
    assert [(failure.key, failure.reason) for failure in found.failures] == [("b", "b is broken.")]
    assert found.clouds == 2
    with pytest.raises(InputError, match="none of 3 clouds can be segmented: a is broken"):
        named(Rooms(broken="all"), ROOMS)


def test_without_superpoints_it_says_what_makes_them(named: Named) -> None:
    with pytest.raises(InputError, match="no superpoints") as caught:
        named(Rooms(), ROOMS, ready=False)
    assert "--auto" in caught.value.hint
    assert named(Rooms(), ROOMS, ready=False, auto=True).clouds == 3
