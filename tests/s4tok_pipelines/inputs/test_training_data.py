import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from s4tok.clouds import PointCloud
from s4tok.config import PretrainConfig, RunConfig, SuperpointConfig, VisionConfig
from s4tok.datasets import open_dataset
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.geometry.walls import turn_of_walls, turned_about
from s4tok.objectives.s4token import S4Token
from s4tok.objectives.training_clouds import Batch
from s4tok.synthetic.datasets import ToyShapes
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import CacheMismatch, CacheMissing, CacheReader, Stamp, Store
from s4tok_pipelines.inputs import training_data
from s4tok_pipelines.inputs.entries import fingerprint, fingerprints, root_of
from s4tok_pipelines.inputs.features import superpoints_under
from s4tok_pipelines.inputs.training_data import Source, TrainingData
from s4tok_pipelines.inputs.training_inputs import held_out, training_features, usable
from s4tok_pipelines.inputs.training_samples import training_samples
from s4tok_pipelines.layouts import CLIP_FEATURES, SUPERPOINTS
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stamps import superpoints_stamp
from tests.notes import Warnings
from tests.octants import cut_into_octants


class Rooms(CloudDataset):
    """Empty rooms of 6 by 5 by 3 metres, z up; one is of another size than its superpoints."""

    name, split, scene, up = "rooms", "train", "room", "z"

    def __init__(self) -> None:
        self.keys = ["a", "b", "broken"]

    def __getitem__(self, key: str) -> PointCloud:
        points = np.random.default_rng(self.keys.index(key)).uniform(size=(3000, 3)) * [6, 5, 3]
        return PointCloud.of(points[: 2999 if key == "broken" else 3000])

    def origin(self, key: str) -> Origin:
        return Origin(key, 3000)


class Askew(Rooms):
    """Rooms of two walls, turned about the vertical by 25 degrees."""

    def __getitem__(self, key: str) -> PointCloud:
        points = np.random.default_rng(self.keys.index(key)).uniform(size=(3000, 3)) * [6, 5, 3]
        points[::2, 0], points[1::2, 1] = 0, 0
        return PointCloud.of(turned_about(points, np.radians(25), "z"))


class Noted(Report):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def open_data(world: Any, config: PretrainConfig) -> TrainingData:
    clip = FrozenClip.load(world.clip)
    features = training_features(world.train, world.cache, clip, world.config())
    samples = training_samples(world.train, world.train.keys, superpoints_under(features), config, 150)
    source = Source(world.train.name, "object", list(world.train.keys), samples, features, config)
    return TrainingData([source], config)


def batch_of(data: TrainingData, numbers: Sequence[int], epoch: int | str) -> Batch:
    batch: Batch = S4Token.collate(None, data.entries(numbers, epoch))  # type: ignore[arg-type]
    return batch


def test_a_batch_holds_each_cloud_in_the_sample_whose_turn_it_is(world: Any) -> None:
    data = open_data(world, PretrainConfig(draws=2))
    first, second, third = (batch_of(data, [3, 1], epoch) for epoch in range(3))
    assert torch.equal(first.points, third.points)
    assert not torch.equal(first.points, second.points)
    assert not torch.equal(first.seeds, third.seeds)
    assert data.keys == list(world.train.keys)
    assert torch.equal(batch_of(data, [1], 0).seeds, first.seeds[1:])
    lengths = first.local_targets.norm(dim=2)
    torch.testing.assert_close(lengths[first.is_seen], torch.ones(int(first.is_seen.sum())))
    assert not lengths[~first.is_seen].any()
    torch.testing.assert_close(first.global_targets.norm(dim=1), torch.ones(2))


def test_what_memory_holds_is_what_is_read_each_time(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read, held = (open_data(world, PretrainConfig(draws=2)) for _ in range(2))
    assert held.hold()
    monkeypatch.setattr(training_data, "_free_memory", lambda: 1000.0)
    assert not read.hold()
    one, other = (batch_of(each, [0, 5, 7], 1) for each in (read, held))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None)


def test_mixed_clouds_hold_several_objects_and_have_no_target_of_the_whole(world: Any) -> None:
    plain, mixed = (open_data(world, PretrainConfig(draws=2, mix=share)) for share in (0.0, 1.0))
    one, other = (batch_of(each, [0, 5, 7, 9], 1) for each in (plain, mixed))
    assert not other.global_targets.any()
    assert (other.is_seen.sum(1) > one.is_seen.sum(1)).all()
    assert torch.equal(one.seeds, other.seeds)
    again = batch_of(mixed, [9, 0], 1)  # of each cloud's own key, whatever is beside it
    assert torch.equal(again.points[1][again.is_point[1]], other.points[0][other.is_point[0]])
    assert not torch.equal(batch_of(mixed, [0], 3).points, batch_of(mixed, [0], 1).points)
    half = batch_of(open_data(world, PretrainConfig(draws=2, mix=0.5)), range(20), 0)
    assert 0 < half.global_targets.any(1).sum() < 20


def test_several_datasets_are_one(world: Any) -> None:
    config = PretrainConfig(draws=2)
    alone = open_data(world, config)
    room = replace(alone.sources[0], name="rooms", scene="room")
    both = TrainingData([alone.sources[0], room], config)
    assert both.keys == [f"{name}/{key}" for name in ("toy-shapes", "rooms") for key in world.train.keys]
    n_keys = len(alone.keys)
    batch, single = batch_of(both, [2, n_keys + 2], 0), batch_of(alone, [2], 0)
    assert batch.is_room is not None
    assert batch.is_room.tolist() == [False, True]
    for cloud in range(2):
        assert torch.equal(batch.points[cloud][batch.is_point[cloud]], single.points[0])
    assert len(set(batch.seeds.tolist()) | set(single.seeds.tolist())) == 3
    assert both.hold()


def test_rooms_are_seen_through_columns_of_their_own(tmp_path: Path) -> None:
    rooms, config = Rooms(), PretrainConfig(draws=2, window=1.5, windows=3)
    with Store.resume(root_of(tmp_path, rooms), SUPERPOINTS, Stamp("superpoints")) as store:
        for key, origin in fingerprints(rooms).items():
            store.write(key, {"labels": np.zeros(3000, np.int32)}, origin, {"n_superpoints": 1})
    cut, said = CacheReader(root_of(tmp_path, rooms), SUPERPOINTS, Stamp("superpoints")), Warnings()
    samples = training_samples(rooms, rooms.keys, cut, config, 100, report=said)
    assert samples.keys() == ["a", "b"]
    assert said.said == ["broken: it has 2999 points and its superpoints are of 3000; s4tok superpoints --overwrite."]
    points = samples.read("a")["points"]
    assert points.shape == (6, 100, 3)
    extent = np.ptp(points, axis=1)
    assert (extent[:, [0, 2]] <= 1.5).all()
    assert (extent[:, 1] > 2).all()  # y is up now, and a column as high as its room
    apart = [np.abs(points[0] - points[row]).max() for row in range(6)]
    assert min(apart[1:]) > 0


def test_rooms_are_turned_for_training_as_for_labelling(tmp_path: Path) -> None:
    rooms, stamp = Askew(), Stamp("superpoints")
    with Store.resume(root_of(tmp_path, rooms), SUPERPOINTS, stamp) as store:
        for key, origin in fingerprints(rooms).items():
            store.write(key, {"labels": np.zeros(3000, np.int32)}, origin, {"n_superpoints": 1})
    cut = CacheReader(root_of(tmp_path, rooms), SUPERPOINTS, stamp)
    (points,) = training_samples(rooms, ["a"], cut, PretrainConfig(draws=1), 1000).read("a")["points"]
    assert turn_of_walls(rooms["a"].xyz, "z") != 0
    assert turn_of_walls(points, "y") == 0


def test_superpoints_of_a_cloud_before_it_changed_are_not_sampled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).uniform(size=(50, 3)))
    clouds, stamp, said = open_dataset(tmp_path / "a.npy"), Stamp("superpoints"), Warnings()
    cut_into_octants(clouds, tmp_path)
    np.save(tmp_path / "a.npy", np.random.default_rng(1).uniform(size=(50, 3)))
    cut, config = CacheReader(root_of(tmp_path, clouds), SUPERPOINTS, stamp), PretrainConfig(draws=1)
    training_samples(clouds, clouds.keys, cut, config, 20, report=said)
    assert said.said == ["a.npy: its superpoints were made before it changed; run s4tok superpoints."]


def test_clouds_to_validate_on_are_chosen_by_their_names_alone() -> None:
    keys = [f"cloud-{number}" for number in range(400)]
    chosen = held_out(keys, 0.1)
    assert len(chosen) == 40
    assert held_out(keys[::-1], 0.1) == chosen
    assert len(set(held_out(keys[100:], 0.1)) & set(chosen)) >= 25
    assert len(held_out(keys[:3], 0.0)) == 1
    assert held_out(keys[:1], 0.0) == []


def test_features_over_the_presets_superpoints_are_taken_and_others_are_told(
    tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    shapes, clip, said = (
        ToyShapes("train", sizes=(2, 0, 0), points=300),
        FrozenClip.load(str(make_clip(tmp_path / "tiny"))),
        Noted(),
    )
    root, config = root_of(tmp_path, shapes), RunConfig(clip=VisionConfig(model="tiny"))
    cuts = {preset: superpoints_stamp(SuperpointConfig.of("object", preset)) for preset in ("default", "paper")}

    def add(preset: str) -> Stamp:
        seen = Stamp("extract-clip", clip.identity, 1, (cuts[preset],))
        with Store.resume(root, SUPERPOINTS, cuts[preset]), Store.resume(root, CLIP_FEATURES, seen):
            return seen

    with pytest.raises(CacheMissing, match="no features by tiny"):
        training_features(shapes, tmp_path, clip, config)
    printed = add("paper")
    assert training_features(shapes, tmp_path, clip, config, said).stamp == printed
    assert len(said.notes) == 1
    assert "superpoints cut otherwise than the preset default: " in said.notes[0]
    assert "smoothness" not in said.notes[0]  # the same in both
    usual = add("default")
    assert training_features(shapes, tmp_path, clip, config, said).stamp == usual
    assert training_features(shapes, tmp_path, clip, replace(config, superpoints="paper"), said).stamp == printed
    assert len(said.notes) == 1


def test_features_and_samples_of_superpoints_that_have_changed_are_not_trained_on(world: Any, tmp_path: Path) -> None:
    shutil.copytree(world.cache, tmp_path / "cache")
    changed = replace(world, cache=tmp_path / "cache")
    shapes, clip, config = world.train, FrozenClip.load(world.clip), world.config()
    stamp = Stamp("superpoints")

    def opened() -> list[str]:
        features = training_features(shapes, changed.cache, clip, config)
        return usable(shapes, superpoints_under(features), features, config, silent)

    assert opened() == list(shapes.keys)
    before = open_data(changed, config.training)
    few = shapes.keys[:2]
    cut_into_octants(shapes, changed.cache, few, stamp, weights=(1, 2, 4))  # as they were
    assert opened() == list(shapes.keys)
    cut_into_octants(shapes, changed.cache, few, stamp, weights=(4, 2, 1))
    with pytest.raises(CacheMismatch, match=r"2 of 22 clouds have features in .* their superpoints changed") as error:
        opened()
    assert "s4tok extract-clip toy-shapes --split train" in error.value.hint
    after = open_data(changed, config.training)
    for number, key in enumerate(shapes.keys):
        one, other = (each.sources[0].samples.read(key)["original"] for each in (before, after))
        assert np.array_equal(one, other) == (number >= len(few))
    features = training_features(shapes, changed.cache, clip, config)
    superpoints = superpoints_under(features)
    with Store.resume(features.root, CLIP_FEATURES, features.stamp) as store:
        for key in few:  # the other stage has tried, and could not
            store.fail(key, "it is broken", fingerprint(shapes, key, superpoints))
    said = Warnings()
    assert usable(shapes, superpoints, features, config, said) == list(shapes.keys[2:])
    assert said.said == [
        f"2 clouds have no features, because their extraction failed, and are left out: {few[0]}, {few[1]}. "
        f"Of {few[0]}: it is broken"
    ]


def test_features_that_clouds_lack_are_asked_for_by_command(world: Any) -> None:
    more, clip, config = ToyShapes("train", sizes=(23, 4, 0), points=600), FrozenClip.load(world.clip), world.config()
    features = training_features(world.train, world.cache, clip, config)
    with pytest.raises(CacheMissing, match="lacks an entry") as error:
        usable(more, superpoints_under(features), features, config, silent)
    assert f"run `s4tok extract-clip toy-shapes --split train --cache {world.cache} --clip" in error.value.hint
    assert "--auto" in error.value.hint


def test_targets_are_kept_where_memory_has_room_and_give_the_same_batches(world: Any) -> None:
    kept, read = (open_data(world, PretrainConfig(draws=2)) for _ in range(2))
    assert kept.hold()
    source = kept.sources[0]
    for epoch in (0, 1, 2, 3, "validation"):
        of_kept, of_read = batch_of(kept, [3, 1, 0], epoch), batch_of(read, [3, 1, 0], epoch)
        for one, other in zip(list[Any](of_kept), list[Any](of_read), strict=True):
            assert one is other or torch.equal(one, other)
    assert len(source._targets) == 6
    assert read.sources[0]._targets == {}
    assert source.keep_targets(10.0) == 10.0
    assert not source._keeps_targets
