"""Which cut a checkpoint is used with: that of its training, where it can be had."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from s4tok.config import SuperpointConfig
from s4tok.errors import InputError
from s4tok.models.checkpoint import Student, load_student, save_student
from s4tok.models.trained import Trained
from s4tok.synthetic.datasets import ToyShapes
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import Stamp, Store
from s4tok_cache.stamp import differences
from s4tok_pipelines.inputs.entries import fingerprint
from s4tok_pipelines.inputs.find_superpoints import ready_superpoints
from s4tok_pipelines.layouts import SUPERPOINTS
from s4tok_pipelines.report import Report
from s4tok_pipelines.stages.superpoints import stamp_of

USUAL = SuperpointConfig.of("object")
OTHER, THIRD = (replace(USUAL, regularization=price) for price in (7.5, 9.5))
LABELS = Stamp("superpoints", {"method": "labels", "labels": "/mine"})
SEGMENTS = Stamp("superpoints", {"method": "scannet-segments"})


class Notes(Report):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(scope="module")
def plain(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Student:
    """A checkpoint whose card says nothing of superpoints, as those from before."""
    home = tmp_path_factory.mktemp("home")
    clip = FrozenClip.load(str(make_clip(home / "tiny")))
    torch.manual_seed(0)
    tokenizer = build_tokenizer(width=32, n_points=64, n_tokens=4, patch_size=4, adapter_widths=(4, 8, 8))
    save_student(home, tokenizer, {"clip": {"name": clip.name, "weights": clip.sha256}})
    return load_student(home, clip)._replace(name="X")


@pytest.fixture(scope="module")
def student(plain: Student) -> Student:
    """A checkpoint that was trained with other superpoints than the defaults, and with the defaults in rooms."""
    return plain._replace(trained=Trained(superpoints={"object": OTHER, "room": SuperpointConfig.of("room")}))


@pytest.fixture
def clouds() -> ToyShapes:
    return ToyShapes("val", sizes=(0, 2, 0), points=300)


def fill(cache: Path, clouds: ToyShapes, *cuts: SuperpointConfig | Stamp) -> list[Stamp]:
    """Leave cuts in the cache, as the stage would have."""
    stamps = [each if isinstance(each, Stamp) else stamp_of(each) for each in cuts]
    for stamp in stamps:
        with Store.resume(cache / clouds.name / clouds.split, SUPERPOINTS, stamp) as store:
            for key in clouds.keys:
                labels = (clouds[key].xyz[:, 0] > 0).astype(np.int32)
                store.write(key, {"labels": labels}, fingerprint(clouds, key), {"n_superpoints": 2})
    return stamps


def folders(cache: Path, clouds: ToyShapes) -> list[str]:
    return sorted(path.name for path in (cache / clouds.name / clouds.split).iterdir())


def test_the_cut_of_its_training_is_used_and_nothing_said(
    tmp_path: Path, clouds: ToyShapes, student: Student, plain: Student
) -> None:
    usual, other, _ = fill(tmp_path, clouds, USUAL, OTHER, LABELS)
    for make in (False, True):
        notes = Notes()
        assert ready_superpoints(clouds, tmp_path, student, make=make, report=notes).stamp == other
        assert ready_superpoints(clouds, tmp_path, plain, make=make, report=notes).stamp == usual
        assert notes.said == []


def test_another_cut_that_is_alone_is_used_and_the_settings_that_differ_are_said(
    tmp_path: Path, clouds: ToyShapes, student: Student, plain: Student
) -> None:
    [usual] = fill(tmp_path, clouds, USUAL)
    notes = Notes()
    assert ready_superpoints(clouds, tmp_path, student, report=notes).stamp == usual
    [said] = notes.said
    [difference] = differences(usual, stamp_of(OTHER))
    assert difference in said
    assert "checkpoint X was trained with superpoints cut otherwise" in said
    [third] = fill(tmp_path / "b", clouds, THIRD)
    assert ready_superpoints(clouds, tmp_path / "b", plain, report=notes).stamp == third
    assert notes.said == [said]  # a card that does not tell contradicts nothing


def test_with_make_the_cut_of_its_training_is_made_once_beside_another(
    tmp_path: Path, clouds: ToyShapes, student: Student
) -> None:
    [usual] = fill(tmp_path, clouds, USUAL)
    notes = Notes()
    for _ in range(2):
        assert ready_superpoints(clouds, tmp_path, student, make=True, report=notes).stamp == stamp_of(OTHER)
    [said] = notes.said
    assert said.startswith("cutting toy-shapes as for the training of checkpoint X; there is another cut: ")
    assert usual.folder in said
    assert folders(tmp_path, clouds) == sorted([usual.folder, stamp_of(OTHER).folder])


@pytest.mark.parametrize("ready", [LABELS, SEGMENTS])
def test_superpoints_of_somebodys_choice_are_used_as_they_are(
    tmp_path: Path, clouds: ToyShapes, student: Student, plain: Student, ready: Stamp
) -> None:
    fill(tmp_path, clouds, ready)
    notes = Notes()
    for who in (student, plain):
        assert ready_superpoints(clouds, tmp_path, who, make=True, report=notes).stamp == ready
    [said] = notes.said
    assert f"method {ready.parameters['method']}, not cut-pursuit" in said
    assert folders(tmp_path, clouds) == [ready.folder]


def test_several_cuts_none_of_which_fits_are_listed(
    tmp_path: Path, clouds: ToyShapes, student: Student, plain: Student
) -> None:
    usual, third = fill(tmp_path, clouds, USUAL, THIRD)
    with pytest.raises(InputError, match="2 results of superpoints, and none is cut as for the training of") as caught:
        ready_superpoints(clouds, tmp_path, student)
    for stamp in (usual, third):
        assert stamp.folder in str(caught.value)
    assert "regularization 9.5, not 7.5" in str(caught.value)
    assert "pass --auto, which cuts clouds as for the training of X" in caught.value.hint
    fill(tmp_path / "b", clouds, OTHER, THIRD)
    with pytest.raises(InputError, match="none is cut with the defaults for objects"):
        ready_superpoints(clouds, tmp_path / "b", plain, make=True)


def test_ready_labels_of_training_are_matched_by_ready_labels_from_anywhere_and_never_made(
    tmp_path: Path, clouds: ToyShapes, plain: Student
) -> None:
    card = {"superpoints": {"object": {"method": "labels", "labels": "/theirs"}}}
    student, notes = plain._replace(trained=Trained.of(card)), Notes()
    made = ready_superpoints(clouds, tmp_path, student, make=True, report=notes).stamp
    assert made == stamp_of(USUAL)
    assert "method cut-pursuit, not labels" in notes.said[0]
    fill(tmp_path, clouds, LABELS)
    assert ready_superpoints(clouds, tmp_path, student).stamp == LABELS
    fill(tmp_path, clouds, Stamp("superpoints", {"method": "labels", "labels": "/yours"}))
    with pytest.raises(InputError, match="more than one is cut as for the training of checkpoint X") as caught:
        ready_superpoints(clouds, tmp_path, student)
    assert "of /mine" in str(caught.value)
    assert "of /yours" in str(caught.value)


def test_without_any_it_says_what_makes_them(
    tmp_path: Path, clouds: ToyShapes, student: Student, plain: Student
) -> None:
    with pytest.raises(InputError, match="has no superpoints") as caught:
        ready_superpoints(clouds, tmp_path, plain)
    assert caught.value.hint == "run s4tok superpoints on the same SOURCE with --split val, or pass --auto."
    with pytest.raises(InputError, match="has no superpoints") as caught:
        ready_superpoints(clouds, tmp_path, student)
    assert caught.value.hint == "pass --auto, which cuts clouds as for the training of X."
