from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from s4tok.clouds import PointCloud
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.errors import UsageError
from s4tok.models.checkpoint_files import read_card
from s4tok.shapes import Array, Int
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_pipelines.objectives.contract import Request
from s4tok_pipelines.objectives.distilled_data import open_data
from s4tok_pipelines.objectives.learned_labels import LearnedLabels, learned_labels
from s4tok_pipelines.report import silent
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.training.ranks import from_environment
from s4tok_pipelines.training.run_folder import read_metrics
from tests.notes import Notes
from tests.s4tok_pipelines.conftest import fill
from tests.s4tok_pipelines.objectives.test_masked_regions import StopsAfter


class Rooms(CloudDataset):
    """Boxes of points whose lower half is floor, whose upper half is wall; a tenth has no label."""

    name, split, scene, up = "rooms", "train", "room", "z"

    def __init__(self, classes: tuple[str, ...] = ("wall", "xqzvord", "floor"), names: tuple[str, ...] = ()) -> None:
        self.keys, self.classes, self.names = ["a", "b", "c", "d"], classes, names

    def __getitem__(self, key: str) -> PointCloud:
        points = np.random.default_rng(self.keys.index(key)).uniform(-1, 1, size=(400, 3))
        labels = np.where(points[:, 2] < 0, 2, 0)
        labels[::10] = -1
        return PointCloud.of(points, labels=labels)

    def named(self, key: str) -> Int[Array, " n"] | None:
        return np.where(self[key].xyz[:, 0] < 0, 0, -1) if self.names else None  # the left half is a chair

    def origin(self, key: str) -> Origin:
        return Origin(key, 400)

    def category(self, key: str) -> int:
        return self.keys.index(key)


def rows_of(found: LearnedLabels) -> dict[str, list[list[int]]]:
    return {name: [rows.tolist() for rows in both] for name, both in found.texts.items()}


@pytest.fixture(scope="module")
def rooms(world: Any) -> Rooms:
    found = Rooms()
    fill(world.cache, found, FrozenClip.load(world.clip))  # type: ignore[arg-type]
    return found


def test_classes_that_the_model_knows_are_texts_and_others_are_told(world: Any) -> None:
    mini, said = FrozenClip.load("mini"), Notes()
    config = world.config(label_weight=1.0)
    halls = Rooms(("floor", "chair"), ("lamp", "chair"))
    halls.name = "halls"
    found = learned_labels([world.train, Rooms(), halls], config, mini, "cpu", said)
    assert found is not None
    assert rows_of(found) == {"rooms": [[0, -1, 1]], "halls": [[2, 3], [4, 5]]}
    assert found.words == {"rooms": ["wall", "floor"], "halls": ["floor", "chair", "lamp"]}
    assert [int(each) for each in found.loss.vocabularies] == [0, 0, 1, 1, 2, 2]
    assert found.loss.texts.shape == (6, mini.width)
    assert found.loss.texts.norm(dim=1).tolist() == pytest.approx([1] * 6, abs=1e-5)
    torch.testing.assert_close(found.loss.texts[3], found.loss.texts[5])
    assert len(said.said) == 1
    assert said.said[0].startswith('"xqzvord" is not a word mini knows')
    assert "that class of rooms is left out of --label-weight" in said.said[0]
    with pytest.raises(UsageError, match="knows no name of a class of rooms"):
        learned_labels([Rooms(("xqzvord",))], config, mini, "cpu", silent)


def test_labels_are_asked_for_and_there_have_to_be_some(world: Any) -> None:
    clip = FrozenClip.load(world.clip)
    assert learned_labels([Rooms()], world.config(), clip, "cpu", silent) is None
    with pytest.raises(UsageError, match="no dataset here has any"):
        pretrain(world.train, world.cache, world.config(label_weight=1.0))
    with pytest.raises(UsageError, match="--loss assign learns from no label"):
        pretrain(world.train, world.cache, world.config(label_weight=1.0, loss="assign"))


def test_texts_of_another_model_than_that_of_the_features_are_refused(world: Any) -> None:
    clip = FrozenClip.load(world.clip)
    found = learned_labels([Rooms()], world.config(label_weight=1.0), clip, "cpu", silent)
    assert found is not None
    found.require({"model": clip.name, "weights": clip.sha256})
    with pytest.raises(UsageError, match="the features are by weights 000"):
        found.require({"model": clip.name, "weights": "0" * 64})


def test_each_superpoint_has_the_text_of_its_most_frequent_class(world: Any, rooms: Rooms) -> None:
    request = Request((rooms,), (), world.cache, world.config(held_out=0.0), None, 1, "cpu", from_environment(), silent)
    data = open_data(request, FrozenClip.load(world.clip), {"rooms": [np.array([5, -1, 7])]}).data
    for entry in data.entries(range(len(data.keys)), 0):
        assert entry.labels is not None
        for number, (label,) in enumerate(entry.labels):
            height = entry.points[entry.superpoints == number, 1]  # y is up now
            assert label == (7 if np.mean(height < 0) > 0.5 else 5)
    rooms.names = ("chair",)
    more = open_data(request, FrozenClip.load(world.clip), {"rooms": [np.array([5, -1, 7]), np.array([9])]}).data
    rooms.names = ()
    both = (more.entries(range(len(data.keys)), 0), data.entries(range(len(data.keys)), 0))
    for entry, before in zip(*both, strict=True):
        assert entry.labels is not None
        assert before.labels is not None
        np.testing.assert_array_equal(entry.labels[:, :1], before.labels)
        for number, name in enumerate(entry.labels[:, 1]):
            is_left = entry.points[entry.superpoints == number, 0] < 0
            assert name == (9 if is_left.mean() > 0.5 else -1)
    plain = open_data(request, FrozenClip.load(world.clip)).data
    assert plain.entries([0], 0)[0].labels is None


def test_a_superpoint_whose_most_frequent_class_has_no_text_learns_that_of_no_other(
    world: Any, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Request((rooms,), (), world.cache, world.config(held_out=0.0), None, 1, "cpu", from_environment(), silent)
    data = open_data(request, FrozenClip.load(world.clip), {"rooms": [np.array([-1, -1, 7])]}).data
    (source,) = data.sources
    clouds = {key: source.read(key) for key in data.keys}
    monkeypatch.setattr(source, "read", lambda key: clouds[key]._replace(superpoints=0 * clouds[key].superpoints))
    for key, entry in zip(data.keys, data.entries(range(len(data.keys)), 0), strict=True):
        walls, floors = (np.count_nonzero(clouds[key].learned[0][0] == label) for label in (0, 2))
        assert min(walls, floors) > 0
        assert entry.labels is not None
        np.testing.assert_array_equal(entry.labels, [[7 if floors > walls else -1]])


def test_a_stopped_run_that_learns_labels_ends_with_the_bits_of_one_that_was_not(
    world: Any, rooms: Rooms, tmp_path: Path
) -> None:
    config = world.config(
        label_weight=1.0, mix=0.5, window=0.5, windows=2, epochs=1, loss="distill", distill_pass="full"
    )
    pretrain(world.train, world.cache, config, also=[rooms], out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        pretrain(
            world.train, world.cache, config, also=[rooms], out=tmp_path / "part", save_every=0.0, report=StopsAfter(4)
        )
    pretrain(world.train, world.cache, config, also=[rooms], out=tmp_path / "part", resume=True, workers=2)
    for name in ("model.safetensors", "training.safetensors"):
        whole, part = (tmp_path / each / "ckpt" / "last" / name for each in ("whole", "part"))
        assert whole.read_bytes() == part.read_bytes()


def test_objects_and_labelled_rooms_are_learned_together(world: Any, rooms: Rooms, tmp_path: Path) -> None:
    config = world.config(label_weight=1.0, epochs=3, loss="distill", distill_pass="full")
    pretrain(world.train, world.cache, config, also=[rooms], out=tmp_path / "run")
    steps = [row for row in read_metrics(tmp_path / "run" / "metrics.jsonl") if row["kind"] == "step"]
    assert all(row["labels"] >= 0 for row in steps)
    losses = [row["labels"] for row in steps if row["labels"]]  # a step without a room has none
    assert np.mean(losses[-4:]) < 0.7 * np.mean(losses[:4])
    card = read_card(tmp_path / "run" / "ckpt" / "best")
    assert card["learned_labels"] == {"rooms": list(rooms.classes)}
    page = (tmp_path / "run" / "ckpt" / "best" / "README.md").read_text(encoding="utf-8")
    assert "| labels learned of | rooms |" in page
    pretrain(world.train, world.cache, config, also=[rooms], out=tmp_path / "run", resume=True)  # it is done
    again = replace(config, training=replace(config.training, label_weight=2.0))
    with pytest.raises(UsageError, match="label_weight"):
        pretrain(world.train, world.cache, again, also=[rooms], out=tmp_path / "run", resume=True)
    then = world.config(epochs=1, loss="distill", distill_pass="full")
    pretrain(world.train, world.cache, replace(then, checkpoint=str(tmp_path / "run")), out=tmp_path / "then")
    assert read_card(tmp_path / "then" / "ckpt" / "best")["learned_labels"] == card["learned_labels"]
