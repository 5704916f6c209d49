import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import s4tok
from s4tok.clouds import PointCloud
from s4tok.config import DetectConfig, DetectionPreset, FinetuneRecipe, HeadConfig, detection_recipe
from s4tok.datasets import open_dataset
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.errors import InputError, UsageError
from s4tok.geometry.boxes import corners
from s4tok.oriented_boxes import OrientedBoxes
from s4tok_pipelines.prefetch import NAME
from s4tok_pipelines.report import Report
from s4tok_pipelines.stages.by_name import detect_by_name
from s4tok_pipelines.stages.detect import BoxFiles
from s4tok_pipelines.stages.finetune import finetune
from s4tok_pipelines.training.run_folder import read_metrics


class Stop(Exception):
    """What a run is stopped by."""


class Stopping(Report):
    """Stops a run in its third step."""

    def steps(self, items: Any, text: str, total: int | None = None, done: int = 0) -> Iterator[Any]:
        for number, item in enumerate(items):
            if text == "Training" and number == 2:
                raise Stop
            yield item


class Blocks(CloudDataset):
    """Rooms of a floor and of blocks that stand on it, made in no time: many, few or none of them."""

    name, scene, up = "blocks", "room", "z"
    box_classes: Sequence[str] = ("low", "high")

    def __init__(self, split: str = "train", counts: Sequence[int] = (3, 5, 4, 2)) -> None:
        self.split, self.counts = split, counts
        self.keys = tuple(f"{split}-{number}" for number in range(len(counts)))

    def origin(self, key: str) -> Origin:
        return Origin(f"{self.name}/{key}/{self.counts}", 1)

    def __getitem__(self, key: str) -> PointCloud:
        number = self.keys.index(key)
        draw = np.random.default_rng(number)
        count = self.counts[number]
        labels = draw.integers(0, 2, count)
        sizes = np.column_stack([draw.uniform(0.4, 0.9, (count, 2)), np.where(labels == 0, 0.4, 1.2)])
        centers = np.column_stack([draw.uniform(0.5, 3.5, (count, 2)), sizes[:, 2] / 2])
        floor = np.column_stack([draw.uniform(0, 4, (400, 2)), np.zeros(400)])
        boxes = OrientedBoxes.of(labels, centers, sizes, draw.uniform(-3, 3, count))
        points = [floor]
        for row in boxes.rows():
            within = draw.uniform(0, 1, (60, 3))
            first, second, _, fourth = corners(torch.from_numpy(row)).numpy()
            flat = first + within[:, :1] * (second - first) + within[:, 1:2] * (fourth - first)
            points.append(np.column_stack([flat, within[:, 2] * row[5]]))
        return PointCloud.of(np.concatenate(points), name=key, boxes=boxes)


def small(preset: DetectionPreset = "toy", **training: Any) -> FinetuneRecipe:
    """Give a preset with everything small, and two steps an epoch."""
    recipe = detection_recipe(preset)
    detector = replace(
        recipe.detector, n_points=300, n_tokens=24, neighbors=8, adapter_widths=(8, 8, 16), encoder_layers=1,
        encoder_hidden=8, width=16, heads=2, decoder_layers=2, decoder_hidden=16, queries=10,
    )  # fmt: skip
    given = {"batch": 2, "epochs": 2, "repeats": 1, **training}
    return replace(recipe, detector=detector, training=replace(recipe.training, **given))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def run(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "boxes"
    finetune(Blocks(), cache, small(), validation=[Blocks("val", (3, 0))], out=out)
    return out


def test_a_run_validates_by_ap25_and_its_card_says_what_it_finds(run: Path) -> None:
    validations = [row for row in read_metrics(run / "metrics.jsonl") if row["kind"] == "validation"]
    assert [row["step"] for row in validations] == [0, 2, 4]
    assert {"ap25", "ap50", "giou", "class"} <= validations[0].keys()
    card = json.loads((run / "ckpt" / "best" / "config.json").read_text())
    assert card["detector"]["classes"] == ["low", "high"]
    assert (card["begun_with"], card["dataset"]["clouds"]) == ({"name": "none"}, 4)
    assert "An s4tok detector" in (run / "ckpt" / "best" / "README.md").read_text()


def test_a_run_that_was_stopped_goes_on_to_the_bit(run: Path, cache: Path, tmp_path: Path) -> None:
    recipe, out = small(), tmp_path / "again"
    data, held = Blocks(), [Blocks("val", (3, 0))]
    recipe = replace(recipe, detector=replace(recipe.detector, dropout=0.1, head_dropout=0.3))

    whole = finetune(data, cache, recipe, validation=held, out=tmp_path / "whole")
    with pytest.raises(Stop):
        finetune(data, cache, recipe, validation=held, out=out, report=Stopping())
    assert not [each for each in threading.enumerate() if each.name == NAME]  # it could keep the process from ending
    finetune(data, cache, recipe, validation=held, out=out, resume=True)
    ours, theirs = (folder / "ckpt" / "last" / "model.safetensors" for folder in (whole.out, out))
    assert ours.read_bytes() == theirs.read_bytes()


def test_boxes_of_a_dataset_are_measured_on_several_samples_and_found_again(run: Path, cache: Path) -> None:
    config = DetectConfig(score=0.0, seeds=3)
    first, second = (detect_by_name(Blocks("val", (3, 2)), cache, str(run), config) for _ in range(2))
    facts = first.facts()
    assert {"ap25", "ap50", "ap25_deviation", "ap50_deviation", "per_class"} <= facts.keys()
    assert sum(facts["boxes"].values()) > 0
    for name, value in second.facts().items():
        assert name == "seconds" or value == facts[name], name


@pytest.mark.parametrize("count", [70, 0])
def test_a_scene_of_seventy_things_and_one_of_none_are_trained_on_and_measured(
    count: int, cache: Path, tmp_path: Path
) -> None:
    many = Blocks(f"of-{count}", (count, count, 1))
    out = finetune(many, cache, small(epochs=1, held_out=0.0), out=tmp_path / "run").out
    alone = Blocks(f"of-{count}", (count,))
    facts = detect_by_name(alone, cache, str(out), DetectConfig(score=0.0)).facts()
    assert np.isfinite(facts["ap25"]) == (count > 0)


def test_boxes_of_an_own_file_are_in_its_axes_and_unit(run: Path, cache: Path, tmp_path: Path) -> None:
    cloud = Blocks()["train-1"]
    in_metres = cloud.xyz.astype(np.float64) + [10, 20, 0]
    np.save(tmp_path / "metres.npy", in_metres)
    np.save(tmp_path / "feet.npy", np.column_stack([in_metres[:, 0], in_metres[:, 2], -in_metres[:, 1]]) * 100)
    config, found = DetectConfig(score=0.0), dict[str, Any]()
    for name, up, unit in (("metres", "z", "m"), ("feet", "y", "cm")):
        own = open_dataset([tmp_path / f"{name}.npy"], up=up, unit=unit, scene="room")
        detect_by_name(own, cache, str(run), config, files=BoxFiles(tmp_path / "out", ["json", "csv"]))
        found[name] = json.loads((tmp_path / "out" / f"{name}.boxes.json").read_text())
    assert (found["metres"]["up"], found["feet"]["up"]) == ("z", "y")
    assert len(found["metres"]["boxes"]) == len(found["feet"]["boxes"]) > 0
    for one, other in zip(found["metres"]["boxes"], found["feet"]["boxes"], strict=True):
        assert one["label"] == other["label"]
        x, y, z = one["center"]
        np.testing.assert_allclose(other["center"], [100 * x, 100 * z, -100 * y], atol=1)
        np.testing.assert_allclose(other["size"], 100 * np.array(one["size"]), atol=1)
        assert abs(np.angle(np.exp(1j * (one["yaw"] - other["yaw"])))) < 0.01
        assert 0 < one["score"] <= 1
    low, high = in_metres.min(axis=0), in_metres.max(axis=0)
    centers = np.array([each["center"] for each in found["metres"]["boxes"]])
    assert ((centers > low - 0.6) & (centers < high + 0.6)).all()
    assert json.loads((tmp_path / "out" / "result.json").read_text())["checkpoint"]["name"] == str(run)


def test_boxes_of_an_own_file_in_feet_are_those_of_metres_in_feet(run: Path, cache: Path, tmp_path: Path) -> None:
    metres, foot, config = Blocks()["train-1"].xyz.astype(np.float64), 0.3048, DetectConfig(score=0.0)
    np.save(tmp_path / "feet.npy", metres / foot)
    own = open_dataset([tmp_path / "feet.npy"], up="z", scale=foot)
    facts = detect_by_name(own, cache, str(run), config, files=BoxFiles(tmp_path, ["json"])).facts()
    assert (facts["unit"], facts["scale"]) == ("m", foot)
    written = json.loads((tmp_path / "feet.boxes.json").read_text())["boxes"]
    found = s4tok.detect(metres / foot, run, config=config, up="z", scale=foot)
    assert found.records() == written
    wanted = s4tok.detect(metres, run, config=config, up="z", unit="m")
    np.testing.assert_allclose(np.asarray(found.sizes) * foot, wanted.sizes, atol=1e-4)
    np.testing.assert_allclose(np.asarray(found.centers) * foot, wanted.centers, atol=1e-4)
    assert found.words == wanted.words


def test_python_finds_the_boxes_that_the_command_line_writes(run: Path, cache: Path, tmp_path: Path) -> None:
    points = 100 * Blocks()["train-1"].xyz.astype(np.float64)
    np.save(tmp_path / "own.npy", points)
    config = DetectConfig(score=0.0)
    own = open_dataset([tmp_path / "own.npy"], up="z", unit="cm")
    detect_by_name(own, cache, str(run), config, files=BoxFiles(tmp_path, ["json"]))
    written = json.loads((tmp_path / "own.boxes.json").read_text())["boxes"]
    found = s4tok.detect(points, run, config=config, up="z", unit="cm")
    assert found.records() == written
    assert found.words == [each["label"] for each in written]
    several = s4tok.detect([torch.from_numpy(points)], s4tok.load_detector(run), config=config, up="z", unit="cm")
    assert isinstance(several[0].centers, torch.Tensor)
    assert several[0].records() == written
    found.save(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text())["boxes"] == written
    with pytest.raises(UsageError, match="the scene is said to be an object"):
        s4tok.detect(points, run, scene="object")


def test_a_cloud_of_one_point_is_refused_in_one_sentence(run: Path, cache: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros((1, 3)))
    with pytest.raises(InputError, match="a cloud needs at least 2 points"):
        detect_by_name(open_dataset([tmp_path / "one.npy"]), cache, str(run))
    np.save(tmp_path / "two.npy", np.array([[0.0, 0, 0], [1, 1, 1]]))
    assert detect_by_name(open_dataset([tmp_path / "two.npy"]), cache, str(run)).facts()["clouds"] == 1


def test_groupfrees_decoder_is_trained_stopped_and_found_again(cache: Path, tmp_path: Path) -> None:
    recipe, data, held = small(), Blocks(), [Blocks("val", (3, 0))]
    recipe = replace(recipe, detector=replace(recipe.detector, decoder="groupfree", dropout=0.1))
    whole = finetune(data, cache, recipe, validation=held, out=tmp_path / "whole").out
    with pytest.raises(Stop):
        finetune(data, cache, recipe, validation=held, out=tmp_path / "again", report=Stopping())
    again = finetune(data, cache, recipe, validation=held, out=tmp_path / "again", resume=True).out
    ours, theirs = (folder / "ckpt" / "last" / "model.safetensors" for folder in (whole, again))
    assert ours.read_bytes() == theirs.read_bytes()
    steps = [row for row in read_metrics(whole / "metrics.jsonl") if row["kind"] == "step"]
    assert {"queries", "objectness", "center", "recognised"} <= steps[0].keys()
    found = detect_by_name(Blocks("val", (3, 2)), cache, str(whole), DetectConfig(score=0.0, seeds=2)).facts()
    assert sum(found["boxes"].values()) > 0
    typical = load_file(ours)["head.typical"]
    boxes = np.concatenate([data[key].boxes.sizes for key in data.keys])  # type: ignore[union-attr]
    assert typical.shape == (2, 3)
    assert (typical <= boxes.max(axis=0).max() + 1e-6).all()
    assert typical[1, 2] == pytest.approx(1.2, rel=1e-5)  # the height of all that is high


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["scannet", "sunrgbd", "ablation", "groupfree-scannet", "groupfree-sunrgbd"])
def test_full_size_presets_run_a_step_from_end_to_end(preset: DetectionPreset, cache: Path, tmp_path: Path) -> None:
    """The widths, layers and queries of the full size; points and tokens are as many as a test has time for."""
    recipe = detection_recipe(preset)
    passes = {"ablation": 90, "groupfree-scannet": 400, "groupfree-sunrgbd": 600}.get(preset, 1080)
    assert recipe.training.epochs * recipe.training.repeats == passes
    recipe = replace(recipe, training=replace(recipe.training, epochs=1, repeats=1, batch=2, held_out=0.0))
    data = Blocks(f"full-{preset}", (3, 4))
    outcome = finetune(data, cache, recipe, out=tmp_path / "run")
    assert outcome.figures["steps"] == 1
    found = detect_by_name(Blocks(f"full-{preset}", (3,)), cache, str(outcome.out), DetectConfig(seeds=1))
    assert np.isfinite(found.facts()["ap25"])


def test_what_cannot_be_trained_or_found_is_refused_in_one_sentence(run: Path, world: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="toy-shapes has no boxes"):
        finetune(world.train, world.cache, small(), out=tmp_path / "run")
    with pytest.raises(UsageError, match="--smoothing is for labels of points"):
        finetune(Blocks(), world.cache, small(smoothing=0.1), out=tmp_path / "run")
    with pytest.raises(UsageError, match="--head-start is for labels of points"):
        finetune(Blocks(), world.cache, replace(small(), head=HeadConfig(head_start="words")), out=tmp_path / "run")
    np.save(tmp_path / "own.npy", np.random.default_rng(0).normal(size=(50, 3)))
    with pytest.raises(UsageError, match="boxes of your own files are not known"):
        finetune(open_dataset([tmp_path / "own.npy"]), world.cache, small(), out=tmp_path / "run")
    with pytest.raises(UsageError, match="was not trained to find boxes"):
        detect_by_name(Blocks(), world.cache, "universal")
