"""What --auto makes, and what it leaves alone."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from s4tok.config import SuperpointConfig, ViewConfig
from s4tok.errors import InputError
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.trained import Trained
from s4tok.synthetic.datasets import ToyScans, ToyShapes
from s4tok_cache import CacheReader, Stamp
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.layouts import SUPERPOINTS
from s4tok_pipelines.stages.auto import make_superpoints, make_views, superpoints_for, usual_superpoints
from s4tok_pipelines.stamps import is_as, superpoints_stamp, views_stamp
from tests.notes import Notes
from tests.octants import cut_into_octants

USUAL, OTHER = SuperpointConfig.of("object"), SuperpointConfig(regularization=7.5)
LABELS = Stamp("superpoints", {"method": "labels", "labels": "/mine"})
SEGMENTS = Stamp("superpoints", {"method": "scannet-segments"})


class Warnings(Notes):
    """Listen for warnings too."""

    warn = Notes.note


@pytest.fixture
def clouds() -> ToyShapes:
    return ToyShapes("val", sizes=(0, 2, 0), points=300)


@pytest.fixture(scope="module")
def other_cut(checkpoint: TrainedModel) -> TrainedModel:
    """A checkpoint that was trained with other superpoints than the defaults."""
    return checkpoint._replace(trained=Trained(superpoints={"object": OTHER}))


def folders(cache: Path, clouds: ToyShapes) -> set[str]:
    return {path.name for path in root_of(cache, clouds).iterdir()}


def test_the_usual_superpoints_are_made_unless_there_are_others(tmp_path: Path, clouds: ToyShapes) -> None:
    usual = superpoints_stamp(USUAL)
    cut_into_octants(clouds, tmp_path, clouds.keys[:1], usual)  # as a stopped run leaves
    make_superpoints(clouds, tmp_path)
    assert len(CacheReader(root_of(tmp_path, clouds), SUPERPOINTS, usual)) == 2
    cut_into_octants(clouds, tmp_path / "b", stamp=LABELS)
    make_superpoints(clouds, tmp_path / "b")
    assert folders(tmp_path / "b", clouds) == {LABELS.folder}
    make_superpoints(clouds, tmp_path / "b", OTHER)  # asked for by name
    assert folders(tmp_path / "b", clouds) == {LABELS.folder, superpoints_stamp(OTHER).folder}
    cut_into_octants(clouds, tmp_path / "b", clouds.keys[:1], usual)
    make_superpoints(clouds, tmp_path / "b")  # which somebody has begun
    assert len(CacheReader(root_of(tmp_path / "b", clouds), SUPERPOINTS, usual)) == 2
    assert usual_superpoints(clouds, tmp_path / "b") == USUAL
    assert usual_superpoints(clouds, tmp_path / "b", "paper") is None
    cut_into_octants(clouds, tmp_path / "c", clouds.keys[:1], superpoints_stamp(OTHER))
    make_superpoints(clouds, tmp_path / "c")  # clouds that the only other cut lacks are cut alike
    assert folders(tmp_path / "c", clouds) == {superpoints_stamp(OTHER).folder}
    assert len(CacheReader(root_of(tmp_path / "c", clouds), SUPERPOINTS, superpoints_stamp(OTHER))) == 2


def test_a_cache_from_when_cut_pursuit_was_the_default_stays_with_it(tmp_path: Path, clouds: ToyShapes) -> None:
    before = SuperpointConfig.of("object", "cut-pursuit")
    for stamp in (LABELS, superpoints_stamp(before)):
        cut_into_octants(clouds, tmp_path, stamp=stamp)
    assert usual_superpoints(clouds, tmp_path) == before
    cut_into_octants(clouds, tmp_path, stamp=superpoints_stamp(USUAL))
    assert usual_superpoints(clouds, tmp_path) == USUAL


def test_the_usual_views_are_drawn_unless_there_are_others_with_this_axis_up(tmp_path: Path, clouds: ToyShapes) -> None:
    small, usual = ViewConfig(size=32), views_stamp(ViewConfig(), clouds.up)
    make_views(clouds, tmp_path, small)
    make_views(clouds, tmp_path)
    assert folders(tmp_path, clouds) == {views_stamp(small, clouds.up).folder}
    clouds.up = "z"  # type: ignore[assignment]
    make_views(clouds, tmp_path)
    assert folders(tmp_path, clouds) == {
        views_stamp(small, usual.parameters["up"]).folder, views_stamp(ViewConfig(), "z").folder
    }  # fmt: skip


def test_the_cut_of_a_checkpoints_training_is_made_once_beside_another(
    tmp_path: Path, clouds: ToyShapes, other_cut: TrainedModel
) -> None:
    usual = superpoints_stamp(USUAL)
    cut_into_octants(clouds, tmp_path, stamp=usual)
    notes = Notes()
    for _ in range(2):
        assert superpoints_for(other_cut, clouds, tmp_path, report=notes).stamp == superpoints_stamp(OTHER)
    [said] = notes.said
    assert said.startswith("cutting toy-shapes as for the training of checkpoint X; there is another cut: ")
    assert usual.folder in said
    assert folders(tmp_path, clouds) == {usual.folder, superpoints_stamp(OTHER).folder}


def test_a_checkpoint_whose_card_tells_no_cut_gets_the_usual_one_unless_there_is_another(
    tmp_path: Path, clouds: ToyShapes, checkpoint: TrainedModel
) -> None:
    superpoints_for(checkpoint, clouds, tmp_path)
    assert folders(tmp_path, clouds) == {superpoints_stamp(USUAL).folder}
    other = superpoints_stamp(replace(USUAL, regularization=9.5))
    cut_into_octants(clouds, tmp_path / "b", stamp=other)
    superpoints_for(checkpoint, clouds, tmp_path / "b")
    assert folders(tmp_path / "b", clouds) == {other.folder}


def test_without_pycut_pursuit_clouds_are_cut_by_greedy_merging_and_told(
    tmp_path: Path, clouds: ToyShapes, checkpoint: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pycut_pursuit.cp_d0_dist", None)
    trained, notes = replace(OTHER, method="cut-pursuit"), Warnings()
    theirs = checkpoint._replace(trained=Trained(superpoints={"object": trained}))
    assert superpoints_for(theirs, clouds, tmp_path, report=notes).stamp == superpoints_stamp(OTHER)
    [said] = notes.said
    assert said.endswith("by cut-pursuit, which cannot be imported: toy-shapes is cut by greedy")


@pytest.mark.parametrize("ready", [LABELS, SEGMENTS])
def test_nothing_is_made_beside_superpoints_of_somebodys_choice(
    tmp_path: Path, clouds: ToyShapes, other_cut: TrainedModel, checkpoint: TrainedModel, ready: Stamp
) -> None:
    cut_into_octants(clouds, tmp_path, stamp=ready)
    for who in (other_cut, checkpoint):
        superpoints_for(who, clouds, tmp_path)
    assert folders(tmp_path, clouds) == {ready.folder}


def test_the_cut_of_a_checkpoints_training_is_made_beside_several_others_whatever_they_are(
    tmp_path: Path, clouds: ToyShapes, other_cut: TrainedModel
) -> None:
    for stamp in (LABELS, superpoints_stamp(USUAL)):
        cut_into_octants(clouds, tmp_path, stamp=stamp)
    assert superpoints_for(other_cut, clouds, tmp_path).stamp == superpoints_stamp(OTHER)


@pytest.mark.parametrize(("ready", "option"), [(LABELS, "labels --labels /mine"), (SEGMENTS, "scannet-segments")])
def test_labels_that_some_clouds_lack_are_asked_for_by_the_command_that_takes_them(
    tmp_path: Path, clouds: ToyShapes, other_cut: TrainedModel, ready: Stamp, option: str
) -> None:
    cut_into_octants(clouds, tmp_path, clouds.keys[:1], ready)
    with pytest.raises(InputError, match="1 of 2 clouds have no superpoints") as error:
        superpoints_for(other_cut, clouds, tmp_path)
    assert error.value.hint == f"run `s4tok superpoints toy-shapes --split val --cache {tmp_path} --method {option}`."


def test_regions_of_masks_that_are_partly_there_are_completed_or_another_cut_is_made_beside(
    tmp_path: Path, checkpoint: TrainedModel
) -> None:
    first, scans = (ToyScans(sizes=(count, 0, 0), frames=20, voxel=0.06) for count in (1, 2))
    regions, cut = SuperpointConfig("masks"), SuperpointConfig("grid")
    make_superpoints(first, tmp_path, regions)
    of_rooms, of_frames = (checkpoint._replace(trained=Trained(superpoints={"room": each})) for each in (cut, regions))
    assert superpoints_for(of_rooms, scans, tmp_path).stamp == superpoints_stamp(cut)
    for who in (checkpoint, of_frames):
        cache = tmp_path / who.trained.superpoints.get("room", cut).method
        make_superpoints(first, cache, regions)
        found = superpoints_for(who, scans, cache)
        assert found.keys() == list(scans.keys)
        assert is_as(found.stamp, regions)
    shutil.rmtree(cache / "toy-scans-frames")
    assert is_as(superpoints_for(of_frames, scans, cache).stamp, regions)
    assert not (cache / "toy-scans-frames").exists()


def test_ready_labels_of_a_training_are_never_made(tmp_path: Path, clouds: ToyShapes, checkpoint: TrainedModel) -> None:
    card = {"superpoints": {"object": {"method": "labels", "labels": "/theirs"}}}
    superpoints_for(checkpoint._replace(trained=Trained.of(card)), clouds, tmp_path)
    assert folders(tmp_path, clouds) == {superpoints_stamp(USUAL).folder}
