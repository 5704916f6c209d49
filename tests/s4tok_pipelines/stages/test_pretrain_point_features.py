"""Runs that read colours and normals of points, and their checkpoints on clouds with and without."""

import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.clouds import PointCloud
from s4tok.config import BackboneConfig, PointKind, RegionConfig, SegmentConfig, TokenizerConfig
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.errors import InputError
from s4tok.models.checkpoint import TrainedModel, load_trained
from s4tok.objectives.masked_regions import MaskedRegions
from s4tok.shapes import Array
from s4tok.synthetic.datasets import ToyShapes
from s4tok.tokenizers import PointFeatures
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.labelled import Labelled
from s4tok.zero_shot.prompts import load_prompts
from s4tok.zero_shot.vocabulary import Vocabulary
from s4tok_pipelines.inputs.point_features import measured
from s4tok_pipelines.inputs.training_data import TrainingData
from s4tok_pipelines.objectives import masked_regions
from s4tok_pipelines.objectives.contract import Request
from s4tok_pipelines.objectives.s4token import prepare
from s4tok_pipelines.report import Item, Report, silent
from s4tok_pipelines.stages.classify import classify
from s4tok_pipelines.stages.open_inputs import open_scorer, open_whole_features
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.stages.segment import segment
from s4tok_pipelines.training.ranks import Ranks
from tests.s4tok_pipelines.conftest import fill

BOTH: tuple[PointKind, ...] = ("rgb", "normals")


class Colored(ToyShapes):
    """Twelve shapes with normals; all but the first are coloured by where their points are."""

    def __init__(self, *, colored: bool = True, inverted: bool = False) -> None:
        super().__init__("train", sizes=(12, 0, 0), points=600)
        self.colored, self.inverted = colored, inverted

    def __getitem__(self, key: str) -> PointCloud:
        cloud = super().__getitem__(key)
        if not self.colored or "-000000-" in key:
            return cloud
        color = colors(cloud.xyz)
        return PointCloud.of(
            cloud.xyz, name=key, color=1 - color if self.inverted else color, normals=cloud.normals, labels=cloud.labels
        )


def colors(xyz: Array) -> Array:
    places: Array = ((xyz + 1) / 2).clip(0, 1)
    return places


class Said(Report):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


class Killed(Exception):
    """The end of a run, as abrupt as in a process it can be."""


class Dies(Report):
    def steps(self, items: Any, text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        for number, item in enumerate(items):
            if text == "Training" and number == 7:
                raise Killed
            yield item


@pytest.fixture(scope="module")
def cache(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Superpoints and features of the coloured shapes, in a cache of their own."""
    folder = tmp_path_factory.mktemp("colored")
    fill(folder, Colored(), FrozenClip.load(world.clip))
    return folder


@pytest.fixture(scope="module")
def recipe(world: Any) -> Callable[..., Any]:
    def make(kinds: tuple[PointKind, ...] = BOTH, **training: Any) -> Any:
        return replace(world.config(epochs=2, **training), point_features=kinds)

    return make


@pytest.fixture(scope="module")
def checkpoints(
    world: Any, cache: Path, recipe: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A run that reads both, and one that reads neither."""
    folder = tmp_path_factory.mktemp("runs")
    for name, kinds in (("both", BOTH), ("neither", ())):
        pretrain(Colored(), cache, recipe(kinds), out=folder / name)
    return {name: folder / name for name in ("both", "neither")}


def test_a_checkpoint_says_what_it_reads_with_the_mean_and_deviation_of_its_training_clouds(
    checkpoints: dict[str, Path], cache: Path
) -> None:
    card = json.loads((checkpoints["both"] / "ckpt" / "last" / "config.json").read_text())
    assert (card["n_features"], card["point_features"]["kinds"]) == (8, ["rgb", "normals"])
    clouds = Colored()
    held = tomllib.loads((checkpoints["both"] / "config.toml").read_text())
    assert held["point_features"] == {"kinds": ["rgb", "normals"]}
    normals = np.concatenate(
        [cloud.normals for cloud in map(clouds.__getitem__, clouds.keys) if cloud.normals is not None]
    )
    np.testing.assert_allclose(card["point_features"]["mean"][:3], 0.5, atol=0.1)
    np.testing.assert_allclose(card["point_features"]["deviation"][3:], normals.std(axis=0), atol=0.08)
    assert (
        "| reads of points | coordinates, rgb, normals |" in (checkpoints["both"] / "ckpt/last/README.md").read_text()
    )
    other = json.loads((checkpoints["neither"] / "ckpt" / "last" / "config.json").read_text())
    assert (other["n_features"], "point_features" in other) == (0, False)
    assert "point_features" not in (checkpoints["neither"] / "config.toml").read_text()


def test_features_lie_with_their_points_in_samples_that_are_those_of_a_run_without(
    world: Any, cache: Path, recipe: Callable[..., Any]
) -> None:
    data = []
    for kinds in (BOTH, ()):
        request = Request([Colored()], [], cache, recipe(kinds), None, 1, "cpu", Ranks(), silent)
        opened = prepare(request).data
        assert isinstance(opened, TrainingData)
        data.append(opened)
    assert data[0].keys == data[1].keys
    for with_features, without in zip(*(each.entries(range(len(each.keys)), 1) for each in data), strict=True):
        assert np.array_equal(with_features.points, without.points)
        assert np.array_equal(with_features.superpoints, without.superpoints)
        assert without.features is None
        assert with_features.features is not None
        if with_features.features[:, 3].any():
            np.testing.assert_allclose(with_features.features[:, :3], colors(with_features.points), atol=2e-3)
        np.testing.assert_allclose(np.linalg.norm(with_features.features[:, 4:7], axis=1), 1, atol=2e-3)


def test_a_run_with_features_that_died_ends_with_the_bits_of_one_that_did_not(
    cache: Path, recipe: Callable[..., Any], tmp_path: Path
) -> None:
    config = recipe(mix=0.5, scale_range=(0.7, 1.4), batch=2)
    pretrain(Colored(), cache, config, out=tmp_path / "whole")
    with pytest.raises(Killed):
        pretrain(Colored(), cache, config, out=tmp_path / "part", report=Dies())
    pretrain(Colored(), cache, config, out=tmp_path / "part", resume=True)
    files = ("model.safetensors", "training.safetensors")
    whole, part = (
        [(tmp_path / name / "ckpt" / "last" / file).read_bytes() for file in files] for name in ("whole", "part")
    )
    assert whole == part
    cards = [json.loads((tmp_path / name / "ckpt/last/config.json").read_text()) for name in ("whole", "part")]
    assert cards[0]["point_features"] == cards[1]["point_features"]


def test_stage_2_reads_points_in_the_units_of_its_teacher(
    cache: Path, recipe: Callable[..., Any], tmp_path: Path
) -> None:
    tokenizer = TokenizerConfig("region", n_points=150, n_tokens=8, patch_size=16, adapter_widths=(8, 16, 16))
    first = replace(
        recipe(), objective="region_distillation", tokenizer=tokenizer,
        backbone=BackboneConfig(width=24, layers=1, heads=2), regions=RegionConfig(groups=4),
    )  # fmt: skip
    few = Colored()
    few.keys = few.keys[:5]
    pretrain(few, cache, first, out=tmp_path / "first")
    for regions in (RegionConfig(groups=4), RegionConfig(groups=4, start="teacher", distil=True)):
        then = replace(first, objective="masked_regions", teacher=str(tmp_path / "first"), regions=regions)
        ready = masked_regions.prepare(Request([Colored()], [], cache, then, None, 1, "cpu", Ranks(), silent))
        model, data = ready.objective, ready.data
        assert isinstance(model, MaskedRegions)
        assert isinstance(data, TrainingData)
        assert model.teacher is not None
        known = model.teacher.tokenizer.point_features
        assert model.encoder.tokenizer.point_features == known
        assert known != measured(PointFeatures(BOTH), data.sources)


def scores_of(checkpoint: TrainedModel, clip: FrozenClip, clouds: CloudDataset, cache: Path, report: Report) -> Array:
    seen: list[Labelled] = []
    config = SegmentConfig(n_points=150, draws=10)
    scorer = open_scorer(clouds, cache, clip, checkpoint, config, report=report)
    segment(clouds, scorer, Vocabulary(clouds, clip, load_prompts("clip")), watch=seen.append, report=report)
    return np.concatenate([each.scores.ravel() for each in seen])


@pytest.mark.parametrize("name", ["both", "neither"])
def test_colours_change_what_a_checkpoint_that_reads_them_says_and_their_lack_is_noted_once(
    checkpoints: dict[str, Path], world: Any, cache: Path, name: str
) -> None:
    clip = FrozenClip.load(world.clip)
    checkpoint, reads = load_trained(checkpoints[name], clip), name == "both"
    said = [Said() for _ in range(3)]
    clouds = (Colored(), Colored(inverted=True), Colored(colored=False))
    for each in clouds:
        each.keys = each.keys[1:4]
    found = [scores_of(checkpoint, clip, each, cache, report) for each, report in zip(clouds, said, strict=True)]
    assert np.array_equal(found[0], found[1]) != reads
    assert np.array_equal(found[0], found[2]) != reads
    notes = [[note for note in each.notes if "colours" in note] for each in said]
    key = clouds[0].keys[0]
    expected = f"{key} has no colours, which checkpoint {checkpoints[name]} was trained with: they count as unknown"
    assert [len(each) for each in notes] == [0, 0, int(reads)]
    assert all(note.startswith(expected) for note in notes[2])
    whole = [
        classify(
            each, open_whole_features(each, cache, clip, checkpoint, report=report), clip, load_prompts("clip")
        ).answers
        for each, report in zip(clouds, said, strict=True)
    ]
    assert (whole[0] == whole[1]) != reads
    assert len([note for note in said[2].notes if "colours" in note]) == 2 * reads


def test_a_source_without_any_is_refused_and_one_that_lacks_some_is_told(
    cache: Path, recipe: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no cloud of toy-shapes has colours, which the tokenizer reads"):
        pretrain(Colored(colored=False), cache, recipe(("rgb",)), out=tmp_path / "none")
    said = Said()
    pretrain(Colored(), cache, recipe(("rgb",)), out=tmp_path / "some", report=said)
    assert [note for note in said.notes if "colours" in note] == [
        "1 of 11 clouds have no colours, which count as unknown"
    ]


class Bare(ToyShapes):
    """Shapes of which nothing but normals is known, under another name."""

    name = "bare"

    def __init__(self) -> None:
        super().__init__("train", sizes=(4, 0, 0), points=600)

    def origin(self, key: str) -> Origin:
        return Origin(key, 600)


def test_two_sources_of_which_each_has_another_kind_train_together(
    world: Any, cache: Path, recipe: Callable[..., Any], tmp_path: Path
) -> None:
    fill(cache, Bare(), FrozenClip.load(world.clip))
    said = Said()
    pretrain(Colored(), cache, recipe(), also=[Bare()], out=tmp_path / "run", report=said)
    assert any(note.endswith("clouds have no colours, which count as unknown") for note in said.notes)
    with pytest.raises(InputError, match="no cloud to train on has colours"):
        pretrain(Bare(), cache, recipe(), out=tmp_path / "half")
    with pytest.raises(InputError, match="no cloud of bare has colours"):
        pretrain(Colored(), cache, recipe(("rgb",)), also=[Bare()], out=tmp_path / "other")
