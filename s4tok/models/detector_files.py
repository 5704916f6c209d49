"""A detector on disk, beside a card that says how it came to be, and back from there."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from s4tok.config import DEFAULT_DETECTOR, DETECTOR_FOLDER, BackboneConfig, DetectorConfig
from s4tok.dependencies import first_line, load
from s4tok.errors import InputError, MissingError, UsageError
from s4tok.models.checkpoint import has_own_encoder, own_encoder
from s4tok.models.checkpoint_files import CARD, DETECTOR, PAGE, WEIGHTS, find_checkpoint
from s4tok.models.detector import OWN_ENCODERS, ClipSceneEncoder, Detector, PlainSceneEncoder, SceneEncoder
from s4tok.models.model import Model
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.tensor_files import write_tensors
from s4tok.models.trained import Trained, tokenizer_config, without_lists
from s4tok.tokenizers import Tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.network import sha256_of_weights

CLIPS_OWN = "encoder.model.encoder."  # before the names of a transformer's tensors, which lie with the CLIP


class LoadedDetector(NamedTuple):
    """A trained detector; nothing of it changes any more."""

    detector: Detector
    card: Mapping[str, Any]
    name: str  # as the user named it

    @property
    def trained(self) -> Trained:
        """Give what the card says of superpoints."""
        return Trained.of(self.card)

    @property
    def sha256(self) -> str:
        """Hash what was trained."""
        return sha256_of_weights(self.detector)


def save_detector(folder: Path, detector: Detector, card: Mapping[str, Any]) -> None:
    """Write a detector into a folder that is there, with its card; a CLIP's own transformer is left out."""
    about = {**card, DETECTOR: facts_of(detector)}
    write_tensors(folder / WEIGHTS, _kept(detector))
    (folder / CARD).write_text(json.dumps(about, indent=2, default=str) + "\n", encoding="utf-8")
    (folder / PAGE).write_text(_page(about), encoding="utf-8")


def load_detector(where: str | Path, device: str = "cpu", clip: str | None = None) -> LoadedDetector:
    """Load a trained detector: a folder of `save_detector`, or a run folder of `s4tok finetune --task detection`.

    Raises:
        UsageError: For a name there is not, and for a checkpoint that finds no boxes.
        InputError: For a folder that holds none, or a damaged one.
    """
    folder = find_checkpoint(where)
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        about = card.get(DETECTOR)
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{folder / CARD} is no card of a detector: {first_line(error)}.") from error
    if about is None:
        raise UsageError(
            f"{where} was not trained to find boxes.",
            f"s4tok finetune SOURCE --task detection trains a detector, and {DEFAULT_DETECTOR} comes with s4tok.",
        )
    try:
        config = DetectorConfig(**without_lists(about["config"]))
        encoder = _encoder(config, about, card.get("clip", {}), clip, device)
        detector = Detector(encoder, config, about["classes"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / CARD} is no card of a detector: {error!r}.") from error
    try:
        tensors = load("safetensors.torch").load_file(folder / WEIGHTS)
        if tensors.keys() != _kept(detector).keys():
            raise ValueError("its tensors are not those of its card")
        detector.load_state_dict(tensors, strict=False)
    except (MissingError, UsageError):
        raise
    except Exception as error:  # safetensors has an error of its own for every kind of damage
        raise InputError(f"{folder / WEIGHTS} cannot be loaded: {first_line(error)}.") from error
    detector.to(torch.device(device)).eval().requires_grad_(False)
    return LoadedDetector(detector, card, DEFAULT_DETECTOR if folder == DETECTOR_FOLDER else str(where))


def facts_of(detector: Detector) -> dict[str, Any]:
    """Say all that a detector is built from but its CLIP, as plain names and values."""
    facts: dict[str, Any] = {"classes": list(detector.classes), "config": asdict(detector.config)}
    encoder = detector.encoder
    if isinstance(encoder, PlainSceneEncoder):
        facts["backbone"] = asdict(encoder.encoder.backbone.config)
    if isinstance(encoder, ClipSceneEncoder):
        facts |= {"attend": encoder.model.attend, "own_transformer": has_own_encoder(encoder.model)}
    if detector.tokenizer is not None:
        facts["tokenizer"] = asdict(detector.tokenizer.config)
    return facts


def _encoder(
    config: DetectorConfig, about: Mapping[str, Any], card: Mapping[str, Any], clip: str | None, device: str
) -> SceneEncoder:
    if config.encoder in OWN_ENCODERS:
        return OWN_ENCODERS[config.encoder](config)
    tokenizer = tokenizer_config(about)
    if config.encoder == "plain":
        return PlainSceneEncoder(PointEncoder(tokenizer, BackboneConfig(**about["backbone"])))
    frozen = FrozenClip.load(clip or str(card["name"]), None, device)
    if frozen.sha256 != card["weights"]:
        raise UsageError(
            f"it was trained for the CLIP {card['name']} (weights {card['weights'][:12]}), and this is {frozen.name} "
            f"(weights {frozen.sha256[:12]}).",
            "pass --clip with the folder or file it was trained with.",
        )
    own = own_encoder(frozen) if about["own_transformer"] else None
    made = Tokenizer(tokenizer, width=int(frozen.model.visual.proj.shape[0]))  # type: ignore[union-attr, index]
    return ClipSceneEncoder(Model(made, frozen, about["attend"], None, own))


def _kept(detector: Detector) -> dict[str, Tensor]:
    encoder, state = detector.encoder, detector.state_dict()
    if isinstance(encoder, ClipSceneEncoder) and not has_own_encoder(encoder.model):
        return {name: each for name, each in state.items() if not name.startswith(CLIPS_OWN)}
    return dict(state)


def _page(about: Mapping[str, Any]) -> str:
    """Say the first facts of the card to people."""
    detector = about[DETECTOR]
    config = detector["config"]
    facts = {
        "finds": ", ".join(detector["classes"]),
        "encoder": config["encoder"],
        "sampled as": f"{config['n_points']} points, {config['n_tokens']} tokens, {config['queries']} queries",
        "command": f"`{about['command']}`" if "command" in about else "not recorded",
        "s4tok": about.get("s4tok", "not recorded"),
    }
    rows = "".join(f"| {name} | {fact} |\n" for name, fact in facts.items())
    return f"# An s4tok detector\n\n| | |\n|---|---|\n{rows}"
