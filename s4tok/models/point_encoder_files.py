"""A tokenizer and its plain transformer on disk, beside a card that says how they came to be, and back from there."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from s4tok.backbones.plain_transformer import PlainTransformer
from s4tok.config import BackboneConfig
from s4tok.dependencies import first_line, load
from s4tok.errors import InputError, MissingError
from s4tok.models.checkpoint_files import CARD, DETECTOR, PAGE, WEIGHTS, file_of, find_checkpoint
from s4tok.models.model_card import model_card
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.tensor_files import write_tensors
from s4tok.models.trained import tokenizer_config
from s4tok.tokenizers import NO_FEATURES, PointFeatures, Tokenizer
from s4tok.vision.network import sha256_of_weights

ENCODER, PROJECTION = "encoder.", "projection."  # before the names of tensors


class LoadedEncoder(NamedTuple):
    """A trained encoder; nothing of it changes any more."""

    encoder: PointEncoder
    projection: nn.Sequential | None  # into the space of the 2D model that was distilled, where one was
    card: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Hash what was trained."""
        return sha256_of_weights(self.encoder)


def save_point_encoder(
    folder: Path, encoder: PointEncoder, card: Mapping[str, Any], projection: nn.Module | None = None
) -> None:
    """Write an encoder into a folder that is there, with its card, and a projection where there is one."""
    save_plain(folder, encoder.tokenizer, encoder.backbone, card, named(PROJECTION, projection))


def save_plain(
    folder: Path,
    tokenizer: Tokenizer,
    transformer: PlainTransformer,
    card: Mapping[str, Any],
    more: Mapping[str, Tensor] = MappingProxyType({}),
) -> None:
    """Write a tokenizer and a plain transformer, their card, and what `more` holds by its whole name."""
    tensors = {**named(f"{ENCODER}tokenizer.", tokenizer), **named(f"{ENCODER}backbone.", transformer), **more}
    about = {**card, "tokenizer": asdict(tokenizer.config), "backbone": asdict(transformer.config)}
    if tokenizer.point_features.kinds:
        about["point_features"] = asdict(tokenizer.point_features)
    write_tensors(folder / WEIGHTS, tensors)
    (folder / CARD).write_text(json.dumps(about, indent=2, default=str) + "\n", encoding="utf-8")
    page = model_card(about) if "labels" in about else _page(about)
    (folder / PAGE).write_text(page, encoding="utf-8")


def named(prefix: str, part: nn.Module | None) -> dict[str, Tensor]:
    """Give the tensors of a part, each by its whole name; none of a part that is not there."""
    return {} if part is None else {f"{prefix}{name}": tensor for name, tensor in part.state_dict().items()}


def load_encoder(where: str | Path, device: str = "cpu") -> LoadedEncoder:
    """Load a trained encoder: a folder of `save_point_encoder`, or a run folder of `s4tok pretrain`.

    Raises:
        UsageError: For a name there is not.
        InputError: For a folder that holds none, or a damaged one.
    """
    folder = find_checkpoint(where)
    try:
        card = json.loads(file_of(folder, CARD).read_text(encoding="utf-8"))
        if DETECTOR in card:
            raise ValueError("it was trained to find boxes, and is for s4tok detect")
        if "backbone" not in card:
            raise ValueError("it is a tokenizer for a frozen CLIP, and has no transformer of its own")
        read = PointFeatures.of(card["point_features"]) if "point_features" in card else NO_FEATURES
        encoder = PointEncoder(tokenizer_config(card), BackboneConfig(**card["backbone"]), read)
        tensors = load("safetensors.torch").load_file(file_of(folder, WEIGHTS))
        encoder.load_state_dict(_part(tensors, ENCODER))
        projection = _projection(_part(tensors, PROJECTION))
    except MissingError:
        raise
    except Exception as error:  # safetensors has an error of its own for every kind of damage
        raise InputError(f"{folder} holds no encoder that can be loaded: {first_line(error)}.") from error
    for part in (encoder, projection):
        if part is not None:
            part.to(torch.device(device)).eval().requires_grad_(False)
    return LoadedEncoder(encoder, projection, card)


def _part(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}


def _projection(tensors: Mapping[str, torch.Tensor]) -> nn.Sequential | None:
    if not tensors:
        return None
    hidden, width = tensors["0.weight"].shape
    made = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, len(tensors["2.weight"])))
    made.load_state_dict(dict(tensors))
    return made


def _page(about: Mapping[str, Any]) -> str:
    """Say the first facts of the card to people."""
    tokenizer, backbone = about["tokenizer"], about["backbone"]
    facts = {
        "objective": about.get("objective", "not recorded"),
        "tokenizer": tokenizer["tokenizer"],
        "sampled as": f"{tokenizer['n_points']} points, {tokenizer['n_tokens']} tokens of {tokenizer['patch_size']}",
        "transformer": f"{backbone['layers']} layers of {backbone['width']}",
        "command": f"`{about['command']}`" if "command" in about else "not recorded",
        "s4tok": about.get("s4tok", "not recorded"),
    }
    rows = "".join(f"| {name} | {fact} |\n" for name, fact in facts.items())
    return f"# An s4tok encoder: {tokenizer['tokenizer']}\n\n| | |\n|---|---|\n{rows}"
