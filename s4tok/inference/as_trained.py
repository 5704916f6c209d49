"""A checkpoint is used as it was trained: what a configuration leaves open comes from its card."""

from collections.abc import Sequence
from dataclasses import replace

from s4tok.config import CALIBRATION_SHARE, ROOM_WINDOW, Scene, SegmentConfig, SuperpointConfig
from s4tok.errors import UsageError
from s4tok.geometry.placement import require_scale
from s4tok.models.checkpoint import Means, TrainedModel
from s4tok.notes import Note, log
from s4tok.superpoints.methods import METHODS


def as_trained(config: SegmentConfig, checkpoint: TrainedModel, scene: Scene, note: Note = log) -> SegmentConfig:
    """Take what is None (points, tokens, window, attention) from the card, and note in a sentence what differs.

    Rooms are cut into columns of `ROOM_WINDOW` for a checkpoint that was trained on none.
    """
    trained = checkpoint.model.tokenizer.config
    is_known = scene == "object" or checkpoint.trained.has_rooms
    window = 0.0 if scene == "object" else checkpoint.trained.window if is_known else ROOM_WINDOW
    if config.windows == "superpoints":
        window, is_known = 0.0, False  # they have the size of what is in them
    found = replace(
        config,
        n_points=config.n_points or trained.n_points,
        n_tokens=config.n_tokens or trained.n_tokens,
        window=window if config.window is None else config.window,
        attend=checkpoint.model.attend if config.attend is None else config.attend,
    )
    used, meant = list[str](), list[str]()
    if found.n_points != trained.n_points:
        used.append(f"{found.n_points:,} points")
        meant.append(f"{trained.n_points:,}")
    if found.n_tokens != trained.n_tokens:
        used.append(f"{found.n_tokens:,} tokens")
        meant.append(f"{trained.n_tokens:,}")
    if is_known and found.window != window:
        used.append(_windows(found.window))
        meant.append(_windows(window))
    if found.attend != checkpoint.model.attend:
        used.append(_attention(found.attend))
        meant.append(_attention(checkpoint.model.attend))
    if used:
        note(f"using {_list(used)}; checkpoint {checkpoint.name} was trained with {_list(meant)}")
    return found


def calibrated(config: SegmentConfig, checkpoint: TrainedModel | None, scene: Scene) -> SegmentConfig:
    """Take from the card whether and by how much labels are calibrated, where the configuration leaves it open.

    The card's share was chosen in rooms and holds there alone.

    Raises:
        UsageError: Where labels are to be calibrated, and the checkpoint does not know its mean features.
    """
    if (
        checkpoint is not None
        and checkpoint.labeller is not None
        and (config.calibrate == "mean" or config.calibration_share)
    ):
        raise UsageError(f"checkpoint {checkpoint.name} labels by its head, and --calibrate is for zero-shot labels.")
    if checkpoint is not None and checkpoint.labeller is not None and config.unknown == "auto":
        raise UsageError(
            f"checkpoint {checkpoint.name} labels by its head, and --unknown auto is for zero-shot labels.",
            "name a probability, for example --unknown 0.5.",
        )
    by_card = 0.0 if checkpoint is None or scene == "object" else checkpoint.trained.calibration_share
    share = by_card if config.calibration_share is None else config.calibration_share
    if config.calibrate == "none" or (config.calibrate is None and not share):
        return replace(config, calibrate="none", calibration_share=0.0)
    if checkpoint is None or not checkpoint.means:
        who = "without a checkpoint there are no" if checkpoint is None else f"checkpoint {checkpoint.name} has no"
        raise UsageError(
            f"{who} mean features of training points, and --calibrate mean needs them.",
            "pass --calibrate none, or a checkpoint that was trained by this version of s4tok.",
        )
    if config.calibration_share is None:
        share = by_card or CALIBRATION_SHARE
    return replace(config, calibrate="mean", calibration_share=share)


def calibrating_means(config: SegmentConfig, checkpoint: TrainedModel | None, scene: Scene) -> Means | None:
    """Give the means that calibrate labels, which a checkpoint knows; None where labels are not calibrated."""
    return None if checkpoint is None or config.calibrate != "mean" else checkpoint.means_for(scene)


def refuse_contradictions(config: SegmentConfig) -> None:
    """Refuse settings that contradict each other.

    Raises:
        UsageError: With both of them.
    """
    if config.windows == "superpoints" and config.window is not None:
        raise UsageError("--window is the side of columns, and --windows superpoints has none.")
    if config.calibrate == "none" and config.calibration_share is not None:
        raise UsageError("--calibration-share is for --calibrate mean, and --calibrate is none.")
    require_scale(config.scale)


def superpoints_of(checkpoint: TrainedModel, scene: Scene) -> SuperpointConfig:
    """Say how clouds are cut for a checkpoint: as its card says, else by the defaults of the kind of scene."""
    known = checkpoint.trained.cut_of(scene)
    is_usable = known is not None and METHODS.get(known.method) is not None
    return known if known is not None and is_usable else SuperpointConfig.of(scene)


def _windows(size: float | None) -> str:
    return f"windows of {size:g} m" if size else "whole clouds"


def _attention(radii: float | None) -> str:
    return f"attention within {radii:g} radii" if radii else "attention everywhere"


def _list(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
