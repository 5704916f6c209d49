"""Which cut a checkpoint is used with: that of its training, where it can be had."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from s4tok.config import Scene, SuperpointConfig
from s4tok.datasets import open_dataset
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.trained import Trained
from s4tok.synthetic.datasets import ToyShapes
from s4tok_cache import CacheMismatch, CacheMissing, Stamp
from s4tok_cache.stamp import differences
from s4tok_pipelines.inputs.find_superpoints import open_superpoints, ready_superpoints
from s4tok_pipelines.stamps import superpoints_stamp
from tests.notes import Notes
from tests.octants import cut_into_octants

USUAL = SuperpointConfig.of("object")
OTHER, THIRD = (replace(USUAL, regularization=price) for price in (7.5, 9.5))
LABELS = Stamp("superpoints", {"method": "labels", "labels": "/mine"})
SEGMENTS = Stamp("superpoints", {"method": "scannet-segments"})


@pytest.fixture(scope="module")
def other_cut(checkpoint: TrainedModel) -> TrainedModel:
    """A checkpoint that was trained with other superpoints than the defaults, and with the defaults in rooms."""
    return checkpoint._replace(trained=Trained(superpoints={"object": OTHER, "room": SuperpointConfig.of("room")}))


@pytest.fixture
def clouds() -> ToyShapes:
    return ToyShapes("val", sizes=(0, 2, 0), points=300)


def fill(cache: Path, clouds: CloudDataset, *cuts: SuperpointConfig | Stamp) -> list[Stamp]:
    """Leave cuts in the cache, as the stage would have."""
    stamps = [each if isinstance(each, Stamp) else superpoints_stamp(each) for each in cuts]
    for stamp in stamps:
        cut_into_octants(clouds, cache, stamp=stamp)
    return stamps


def test_the_cut_of_its_training_is_used_and_nothing_said(
    tmp_path: Path, clouds: ToyShapes, other_cut: TrainedModel, checkpoint: TrainedModel
) -> None:
    usual, other, _ = fill(tmp_path, clouds, USUAL, OTHER, LABELS)
    notes = Notes()
    assert ready_superpoints(clouds, tmp_path, other_cut, notes).stamp == other
    assert ready_superpoints(clouds, tmp_path, checkpoint, notes).stamp == usual
    assert notes.said == []


def test_another_cut_that_is_alone_is_used_and_the_settings_that_differ_are_said(
    tmp_path: Path, clouds: ToyShapes, other_cut: TrainedModel, checkpoint: TrainedModel
) -> None:
    [usual] = fill(tmp_path, clouds, USUAL)
    notes = Notes()
    assert ready_superpoints(clouds, tmp_path, other_cut, notes).stamp == usual
    [said] = notes.said
    [difference] = differences(usual, superpoints_stamp(OTHER))
    assert difference in said
    assert "checkpoint X was trained with superpoints cut otherwise" in said
    [third] = fill(tmp_path / "b", clouds, THIRD)
    assert ready_superpoints(clouds, tmp_path / "b", checkpoint, notes).stamp == third
    assert notes.said == [said]  # a card that does not tell contradicts nothing


@pytest.mark.parametrize("ready", [LABELS, SEGMENTS])
def test_superpoints_of_somebodys_choice_are_used_as_they_are(
    tmp_path: Path, clouds: ToyShapes, other_cut: TrainedModel, checkpoint: TrainedModel, ready: Stamp
) -> None:
    fill(tmp_path, clouds, ready)
    notes = Notes()
    for who in (other_cut, checkpoint):
        assert ready_superpoints(clouds, tmp_path, who, notes).stamp == ready
    [said] = notes.said
    assert f"method {ready.parameters['method']}, not greedy" in said


def test_several_cuts_none_of_which_fits_are_listed(
    tmp_path: Path, clouds: ToyShapes, other_cut: TrainedModel, checkpoint: TrainedModel
) -> None:
    usual, third = fill(tmp_path, clouds, USUAL, THIRD)
    with pytest.raises(InputError, match="2 results of superpoints, and none is cut as for the training of") as caught:
        ready_superpoints(clouds, tmp_path, other_cut)
    for stamp in (usual, third):
        assert stamp.folder in str(caught.value)
    assert "regularization 9.5, not 7.5" in str(caught.value)
    assert "pass --auto, which cuts clouds as for the training of X" in caught.value.hint
    fill(tmp_path / "b", clouds, OTHER, THIRD)
    with pytest.raises(InputError, match="none is cut with the defaults for objects"):
        ready_superpoints(clouds, tmp_path / "b", checkpoint)


def test_several_cuts_of_which_none_was_asked_for_are_told_apart_by_name(tmp_path: Path, clouds: ToyShapes) -> None:
    cuts = fill(tmp_path, clouds, USUAL, SuperpointConfig.of("object", "cut-pursuit"))
    with pytest.raises(CacheMismatch, match=r"has 2 results of superpoints, which differ: .*method") as caught:
        open_superpoints(clouds, tmp_path)
    folders = ", ".join(sorted(cut.folder for cut in cuts))
    assert (
        caught.value.hint == f"say --superpoints default or cut-pursuit, or remove those that are not meant: {folders}."
    )
    fill(tmp_path / "others", clouds, OTHER, THIRD)
    with pytest.raises(CacheMismatch) as caught:
        open_superpoints(clouds, tmp_path / "others")
    assert caught.value.hint.startswith("remove those that are not meant: superpoints-")


def test_the_cut_of_a_folders_objects_is_none_of_its_rooms(tmp_path: Path, checkpoint: TrainedModel) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).uniform(size=(300, 3)))
    kinds: tuple[Scene, Scene] = ("object", "room")
    objects, rooms = (open_dataset(tmp_path / "a.npy", scene=kind) for kind in kinds)
    (usual,) = fill(tmp_path, objects, USUAL)
    assert ready_superpoints(objects, tmp_path, checkpoint, Notes()).stamp == usual
    with pytest.raises(InputError, match="has no superpoints"):
        ready_superpoints(rooms, tmp_path, checkpoint, Notes())


def test_ready_labels_of_training_are_matched_by_ready_labels_from_anywhere(
    tmp_path: Path, clouds: ToyShapes, checkpoint: TrainedModel
) -> None:
    card = {"superpoints": {"object": {"method": "labels", "labels": "/theirs"}}}
    other_cut, notes = checkpoint._replace(trained=Trained.of(card)), Notes()
    [usual] = fill(tmp_path / "a", clouds, USUAL)
    assert ready_superpoints(clouds, tmp_path / "a", other_cut, notes).stamp == usual
    assert "method greedy, not labels" in notes.said[0]
    fill(tmp_path, clouds, LABELS)
    assert ready_superpoints(clouds, tmp_path, other_cut).stamp == LABELS
    fill(tmp_path, clouds, Stamp("superpoints", {"method": "labels", "labels": "/yours"}))
    with pytest.raises(InputError, match="more than one is cut as for the training of checkpoint X") as caught:
        ready_superpoints(clouds, tmp_path, other_cut)
    assert "of /mine" in str(caught.value)
    assert "of /yours" in str(caught.value)


def test_without_any_it_says_what_makes_them(
    tmp_path: Path, clouds: ToyShapes, other_cut: TrainedModel, checkpoint: TrainedModel
) -> None:
    with pytest.raises(InputError, match="has no superpoints") as caught:
        ready_superpoints(clouds, tmp_path, checkpoint)
    assert caught.value.hint == f"run `s4tok superpoints toy-shapes --split val --cache {tmp_path}`, or pass --auto."
    with pytest.raises(InputError, match="has no superpoints") as caught:
        ready_superpoints(clouds, tmp_path, other_cut)
    assert caught.value.hint == "pass --auto, which cuts clouds as for the training of X."
    printed = checkpoint._replace(trained=Trained(superpoints={"object": SuperpointConfig.of("object", "paper")}))
    with pytest.raises(InputError, match="has no superpoints") as caught:
        ready_superpoints(clouds, tmp_path, printed)
    assert f"`s4tok superpoints toy-shapes --split val --cache {tmp_path} --preset paper`" in caught.value.hint
    rooms = checkpoint._replace(trained=Trained(superpoints={"room": SuperpointConfig.of("room", "cut-pursuit")}))
    with pytest.raises(InputError, match="has no superpoints") as caught:
        ready_superpoints(clouds, tmp_path, rooms)  # objects, which it was not trained on
    assert f"`s4tok superpoints toy-shapes --split val --cache {tmp_path} --preset cut-pursuit`" in caught.value.hint
    fill(tmp_path / "b", clouds, OTHER, THIRD)
    with pytest.raises(InputError, match="none is cut with the defaults for objects, by cut-pursuit as for the"):
        ready_superpoints(clouds, tmp_path / "b", rooms)
    clouds.name = "scan-of-mine"  # only what s4tok makes is known by name
    with pytest.raises(CacheMissing, match="has no superpoints") as missing:
        open_superpoints(clouds, tmp_path)
    assert missing.value.hint == f"run `s4tok superpoints SOURCE --split val --cache {tmp_path}`, or pass --auto."
