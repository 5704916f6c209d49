"""The calls of a Python user; a checkpoint of random weights, being right does not matter, but for the shipped one."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree

import s4tok
from s4tok.config import SegmentConfig, SuperpointConfig, ZeroShotConfig
from s4tok.errors import UsageError
from s4tok.geometry.walls import turned_about
from s4tok.inference.loading import Checkpoint
from s4tok.models.checkpoint import TrainedModel, load_trained, save_trained
from s4tok.shapes import Array
from s4tok.tokenizers import PointFeatures, Tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.classifier import classifier
from s4tok.zero_shot.point_scores import score_points
from s4tok.zero_shot.vocabulary import label_vectors

WORDS = ["seat", "back", "leg"]


def cloud(n_points: int, side: float = 1.0, seed: int = 0) -> Array:
    """The surface of a box, somewhere on a map."""
    xyz = np.random.default_rng(seed).uniform(0, side, (n_points, 3))
    xyz[np.arange(n_points), np.arange(n_points) % 3] = side * (np.arange(n_points) % 2)
    xyz += [453_000.25, 5_411_000.5, 220.125]
    return xyz


THREE = [cloud(300), cloud(900, seed=1), cloud(1500, side=4.0, seed=2)]  # two objects and a room


@pytest.fixture(scope="session")
def random(checkpoint: TrainedModel) -> Checkpoint:
    return Checkpoint(checkpoint)


def test_points_and_words_are_enough() -> None:
    found = s4tok.segment(np.random.default_rng(0).random((5000, 3)), WORDS)
    assert found.labels.shape == (5000,)
    assert (found.names, found.checkpoint, found.scene) == (("seat", "back", "leg"), "universal2+labels", "object")
    assert set(found.words) <= set(WORDS)


def test_clouds_in_a_list_give_what_each_gives_alone(random: Checkpoint) -> None:
    for together, one in zip(s4tok.embed(THREE, random), THREE, strict=True):
        alone = s4tok.embed(one, random).arrays(each_point=True)
        for name, values in together.arrays(each_point=True).items():
            np.testing.assert_array_equal(values, alone[name])
    for segmented, one in zip(s4tok.segment(THREE, WORDS, random), THREE, strict=True):
        np.testing.assert_array_equal(segmented.scores, s4tok.segment(one, WORDS, random).scores)
    for classified, one in zip(s4tok.classify(THREE, WORDS, random), THREE, strict=True):
        np.testing.assert_array_equal(classified.scores, s4tok.classify(one, WORDS, random).scores)
    for labels, one in zip(s4tok.partition(THREE), THREE, strict=True):
        np.testing.assert_array_equal(labels, s4tok.partition(one))
    assert [each.scene for each in s4tok.segment(THREE, WORDS, random)] == ["object", "object", "room"]


@pytest.mark.parametrize("points", [THREE[1], THREE[2]], ids=["object", "room"])
def test_embedded_points_have_the_cosines_by_which_they_are_labelled(random: Checkpoint, points: Array) -> None:
    config = SegmentConfig(votes=2, window=2.5, smallest_window=20)
    found = s4tok.embed(points, random, config=config, up="z")
    labelled = s4tok.segment(points, WORDS, random, config=config, up="z")
    words = label_vectors(WORDS, random.texts, random.prompts, scene="room" if points is THREE[2] else "object").numpy()
    np.testing.assert_allclose(found.points @ words.T, labelled.scores, atol=1e-5)
    pooled = s4tok.segment(points, WORDS, random, config=replace(config, pool=True), up="z")
    np.testing.assert_allclose((found.of_superpoints() @ words.T)[found.superpoints], pooled.scores, atol=1e-5)


def test_the_whole_has_the_cosines_by_which_it_is_classified(random: Checkpoint) -> None:
    words = classifier(random.texts, [random.prompts.of_object(name) for name in WORDS]).numpy()
    found = s4tok.classify(THREE[1], WORDS, random, up="z")
    np.testing.assert_allclose(s4tok.embed(THREE[1], random, up="z").whole @ words.T, found.scores, atol=1e-5)
    assert found.label == WORDS[int(np.argmax(found.scores))]


def test_a_room_is_turned_for_its_walls_to_lie_along_the_axes(
    random: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = np.random.default_rng(0).uniform(0, [4, 3, 2.5], (3000, 3))
    points[:1000, 2], points[1000:2000, 0] = 0, 0
    slanted, seen = turned_about(points, 0.5, "z"), list[Array]()

    def listen(model: Any, xyz: Array, *rest: Any, **more: Any) -> Array:
        seen.append(xyz)
        return score_points(model, xyz, *rest, **more)

    monkeypatch.setattr("s4tok.inference.cloud_encoder.score_points", listen)
    for config in (SegmentConfig(), SegmentConfig(align=False)):
        s4tok.segment(slanted, WORDS, random, config=config, up="z", unit="m", scene="room")
    s4tok.segment(slanted, WORDS, random, up="z", scene="object")
    across = [np.sort(np.ptp(xyz, axis=0)) for xyz in seen]
    np.testing.assert_allclose(across[0], [2.5, 3, 4], atol=0.06)
    np.testing.assert_allclose(across[1], np.sort(np.ptp(slanted, axis=0)), atol=0.01)
    np.testing.assert_allclose(across[2] / across[2][2], across[1] / across[1][2], atol=0.01)
    found = s4tok.embed(slanted, random, up="z", unit="m", scene="room")
    assert KDTree(slanted).query(found.centers)[0].max() < 1e-6


def test_a_room_in_feet_gives_what_it_gives_in_metres_in_its_own_unit(random: Checkpoint) -> None:
    metres, foot = THREE[2], 0.3048
    feet, config = metres / foot, SegmentConfig(scale=foot)
    want, found = (
        s4tok.segment(points, WORDS, random, config=how, up="z", scene="room")
        for points, how in ((metres, SegmentConfig()), (feet, config))
    )
    np.testing.assert_array_equal(found.superpoints, want.superpoints)
    np.testing.assert_array_equal(found.scores, want.scores)
    cut = s4tok.partition(feet, scene="room", scale=foot)
    np.testing.assert_array_equal(cut, s4tok.partition(metres, scene="room"))
    assert len(np.unique(cut)) != len(np.unique(s4tok.partition(feet, scene="room")))
    in_metres, in_feet = (
        s4tok.embed(points, random, config=how, up="z", scene="room")
        for points, how in ((metres, SegmentConfig()), (feet, config))
    )
    np.testing.assert_array_equal(in_feet.tokens, in_metres.tokens)
    np.testing.assert_array_equal(in_feet.whole, in_metres.whole)
    np.testing.assert_allclose(in_feet.centers * foot, in_metres.centers, atol=1e-6)
    with pytest.raises(UsageError, match="--scale must be positive"):
        s4tok.partition(feet, scale=-1.0)


def test_an_object_has_one_size_whatever_its_numbers_are_multiplied_by(random: Checkpoint) -> None:
    found, want = (s4tok.segment(THREE[1], WORDS, random, config=SegmentConfig(scale=x), up="z", scene="object")
                   for x in (0.001, 1.0))  # fmt: skip
    np.testing.assert_array_equal(found.scores, want.scores)
    one, other = (s4tok.classify(THREE[1], WORDS, random, config=ZeroShotConfig(scale=x), up="z") for x in (0.001, 1.0))
    np.testing.assert_array_equal(one.scores, other.scores)


@pytest.mark.parametrize(("points", "up"), [(THREE[0], "x"), (THREE[2], "z")], ids=["object", "room"])
def test_tokens_stand_on_points_of_the_cloud_wherever_it_lies(random: Checkpoint, points: Array, up: str) -> None:
    found = s4tok.embed(points, random, up=up)
    apart = np.linalg.norm(np.asarray(found.centers)[:, None] - points, axis=2).min(axis=1)
    assert apart.max() < 1e-5
    assert len(found.tokens) == len(found.centers) > 8


def test_tensors_give_tensors_and_a_point_cloud_arrays(random: Checkpoint) -> None:
    points = torch.from_numpy(THREE[0]).requires_grad_()
    segmented, cut = s4tok.segment(points, WORDS, random), s4tok.partition(points)
    assert isinstance(segmented.labels, torch.Tensor)
    assert isinstance(cut, torch.Tensor)
    np.testing.assert_array_equal(segmented.labels, s4tok.segment(THREE[0], WORDS, random).labels)
    assert isinstance(s4tok.embed(points, random).whole, torch.Tensor)
    assert isinstance(s4tok.embed(s4tok.PointCloud.of(THREE[0]), random).whole, np.ndarray)
    assert s4tok.embed(points.bfloat16() - points.bfloat16().mean(0), random).of_superpoints().shape[1] == 24


def test_superpoints_of_ones_own_are_used(random: Checkpoint) -> None:
    mine = np.array([70, 5, 12])[np.arange(300) % 3]
    found = s4tok.segment(THREE[0], WORDS, random, superpoints=mine, config=SegmentConfig(pool=True))
    np.testing.assert_array_equal(found.superpoints, np.arange(300) % 3)
    assert all(len(set(np.asarray(found.labels)[mine == each])) == 1 for each in (70, 5, 12))


def test_clouds_are_cut_as_for_the_checkpoints_training(random: Checkpoint) -> None:
    grid = SuperpointConfig(method="grid", grid_cells=8)
    trained = replace(random.trained_model.trained, superpoints={"object": grid})
    cut = s4tok.embed(THREE[1], Checkpoint(random.trained_model._replace(trained=trained))).superpoints
    np.testing.assert_array_equal(cut, s4tok.partition(THREE[1], grid))
    assert (cut.shape, int(cut.max())) != (cut.shape, int(s4tok.embed(THREE[1], random).superpoints.max()))


def test_colours_are_read_where_a_checkpoint_wants_them_and_missed_aloud(
    make_clip: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = FrozenClip.load(str(make_clip(tmp_path / "tiny")))
    torch.manual_seed(0)
    config = replace(s4tok.build_tokenizer(width=32).config, n_points=200, n_tokens=12, patch_size=8)
    read = PointFeatures(("rgb",), (0.5,) * 3, (0.2,) * 3)
    tokenizer = Tokenizer(config, width=32, point_features=read)
    (tmp_path / "colours").mkdir()
    save_trained(tmp_path / "colours", tokenizer, {"clip": {"name": clip.name, "weights": clip.sha256}})
    reader = Checkpoint(load_trained(tmp_path / "colours", clip))
    red, green = (np.tile(np.array(color, np.uint8), (300, 1)) for color in ((255, 0, 0), (0, 255, 0)))
    with caplog.at_level(logging.INFO, "s4tok"):
        reds, greens = s4tok.embed([THREE[0], THREE[0]], reader, color=[red, green])
        assert not caplog.messages
        bare = s4tok.embed(THREE[0], reader)
        assert "has no colours, which checkpoint" in caplog.text
    assert np.abs(np.asarray(reds.whole) - greens.whole).max() > 1e-3
    assert np.abs(np.asarray(reds.whole) - bare.whole).max() > 1e-3
