from dataclasses import replace
from typing import Any

import pytest
import torch

from s4tok.config import CALIBRATION_SHARE, ROOM_WINDOW, Scene, SegmentConfig, SuperpointConfig
from s4tok.errors import UsageError
from s4tok.inference.as_trained import as_trained, calibrated
from s4tok.models.checkpoint import Means, TrainedModel
from s4tok.models.model import Model
from s4tok.models.trained import Trained
from tests.notes import Notes

ROOM = {"room": SuperpointConfig.of("room")}


@pytest.mark.parametrize(
    ("trained", "scene", "window"),
    [
        (Trained(), "object", 0.0),
        (Trained(), "room", ROOM_WINDOW),  # trained on objects, or so old that the card does not tell
        (Trained(superpoints={"object": SuperpointConfig()}), "room", ROOM_WINDOW),
        (Trained(window=3.0), "room", 3.0),
        (Trained(window=3.0), "object", 0.0),  # only rooms are cut into windows
        (Trained(superpoints=ROOM), "room", 0.0),  # trained on whole rooms
    ],
)
def test_what_is_left_open_is_as_the_checkpoint_was_trained(
    checkpoint: TrainedModel, trained: Trained, scene: Scene, window: float
) -> None:
    notes = Notes()
    found = as_trained(SegmentConfig(votes=3), checkpoint._replace(trained=trained), scene, notes.note)
    assert found == SegmentConfig(n_points=1024, n_tokens=32, window=window, attend=0.0, votes=3)
    assert notes.said == []


@pytest.mark.parametrize(
    ("given", "scene", "says"),
    [
        ({"n_points": 8192, "n_tokens": 512}, "room",
         "using 8,192 points and 512 tokens; checkpoint X was trained with 1,024 and 32"),
        ({"n_tokens": 64}, "object", "using 64 tokens; checkpoint X was trained with 32"),
        ({"n_points": 2048, "n_tokens": 64, "window": 1.5}, "room",
         "using 2,048 points, 64 tokens and windows of 1.5 m; "
         "checkpoint X was trained with 1,024, 32 and windows of 3 m"),
        ({"attend": 3.0}, "object",
         "using attention within 3 radii; checkpoint X was trained with attention everywhere"),
        ({"window": 0.0}, "room", "using whole clouds; checkpoint X was trained with windows of 3 m"),
        ({"window": 2.0}, "object", "using windows of 2 m; checkpoint X was trained with whole clouds"),
    ],
)  # fmt: skip
def test_what_differs_from_the_card_is_said_in_one_note(
    checkpoint: TrainedModel, given: dict[str, Any], scene: Scene, says: str
) -> None:
    notes, asked = Notes(), replace(SegmentConfig(), **given)
    found = as_trained(asked, checkpoint._replace(trained=Trained(window=3.0)), scene, notes.note)
    assert notes.said == [says]
    assert {name: getattr(found, name) for name in given} == given
    again = Notes()
    nothing: Any = dict.fromkeys(given)
    as_trained(replace(found, **nothing), checkpoint._replace(trained=Trained(window=3.0)), scene, again.note)
    assert again.said == []


def test_attention_is_as_trained_unless_it_is_asked_for(checkpoint: TrainedModel) -> None:
    near = checkpoint._replace(model=Model(checkpoint.model.tokenizer, checkpoint.model.clip, 2.5))
    notes = Notes()
    assert as_trained(SegmentConfig(), near, "object", notes.note).attend == 2.5
    assert notes.said == []
    assert as_trained(SegmentConfig(attend=0.0), near, "object", notes.note).attend == 0
    assert notes.said == ["using attention everywhere; checkpoint X was trained with attention within 2.5 radii"]


def test_windows_from_superpoints_have_no_side_and_contradict_nothing(checkpoint: TrainedModel) -> None:
    notes = Notes()
    found = as_trained(
        SegmentConfig(windows="superpoints"), checkpoint._replace(trained=Trained(window=3.0)), "room", notes.note
    )
    assert (found.window, notes.said) == (0.0, [])


MEANS = Means(torch.zeros(24), torch.zeros(24))


@pytest.mark.parametrize(
    ("card", "given", "found"),
    [
        (0.0, {}, ("none", 0.0)),
        (0.3, {}, ("mean", 0.3)),
        (0.3, {"calibrate": "none"}, ("none", 0.0)),
        (0.0, {"calibrate": "mean"}, ("mean", CALIBRATION_SHARE)),
        (0.3, {"calibrate": "mean"}, ("mean", 0.3)),
        (0.3, {"calibrate": "mean", "calibration_share": 0.9}, ("mean", 0.9)),
        (0.0, {"calibration_share": 0.9}, ("mean", 0.9)),
        (0.3, {"calibration_share": 0.0}, ("none", 0.0)),
    ],
)
def test_whether_labels_are_calibrated_is_asked_for_or_on_the_card(
    checkpoint: TrainedModel, card: float, given: dict[str, Any], found: tuple[str, float]
) -> None:
    by = checkpoint._replace(means={"room": MEANS}, trained=Trained(calibration_share=card))
    config = calibrated(SegmentConfig(**given), by, "room")
    assert (config.calibrate, config.calibration_share) == found
    assert calibrated(config, by, "room") == config


def test_a_cards_share_holds_in_rooms_alone(checkpoint: TrainedModel) -> None:
    by = checkpoint._replace(means={"object": MEANS, "room": MEANS}, trained=Trained(calibration_share=0.3))
    assert calibrated(SegmentConfig(), by, "object").calibrate == "none"
    assert calibrated(SegmentConfig(calibrate="mean"), by, "object").calibration_share == CALIBRATION_SHARE


def test_calibration_without_means_is_one_sentence(checkpoint: TrainedModel) -> None:
    assert calibrated(SegmentConfig(), None, "room").calibrate == "none"
    with pytest.raises(UsageError, match="checkpoint X has no mean features of training points, and --calibrate mean"):
        calibrated(SegmentConfig(calibrate="mean"), checkpoint, "room")
    with pytest.raises(UsageError, match="checkpoint X has no mean features"):
        calibrated(SegmentConfig(), checkpoint._replace(trained=Trained(calibration_share=0.5)), "room")
    with pytest.raises(UsageError, match="without a checkpoint there are no mean features"):
        calibrated(SegmentConfig(calibrate="mean"), None, "room")


def test_a_window_in_a_room_contradicts_no_checkpoint_that_has_never_met_one(checkpoint: TrainedModel) -> None:
    notes = Notes()
    assert as_trained(SegmentConfig(window=1.2), checkpoint, "room", notes.note).window == 1.2
    assert notes.said == []
