"""A trained tokenizer on disk, beside a card that says how it came to be, and back from there with its transformer."""

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.backbones.plain_transformer import PlainEncoder
from s4tok.config import EncoderConfig, Scene
from s4tok.dependencies import first_line, load
from s4tok.errors import InputError, MissingError, UsageError
from s4tok.models.checkpoint_files import CARD, PAGE, WEIGHTS, file_of, find_checkpoint, read_card
from s4tok.models.labeller import Labeller
from s4tok.models.model import Model
from s4tok.models.model_card import model_card
from s4tok.models.point_encoder_files import PROJECTION, load_encoder, named, save_plain
from s4tok.models.tensor_files import write_tensors
from s4tok.models.trained import Trained, room_words_learned_by, tokenizer_config
from s4tok.shapes import Float
from s4tok.tokenizers import NO_FEATURES, PointFeatures, Tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.network import sha256_of_weights

POINT_FEATURES = "point_features"  # in the card of a tokenizer that reads some
MEANS = "means."  # before the names of what is beside the tokenizer's weights in their file
HEAD = "head.weight"  # as above, where the targets were of another width than the CLIP
LABELLER, ENCODER = "labeller.", "encoder."  # as above, of a fine-tuned one: its head, and the transformer if trained


class Means(NamedTuple):
    """Mean features of the training points, each feature of unit length before the mean, in the targets' space.

    They calibrate labels without any label: a label that is near to the mean is near to every point.
    """

    features: Float[Tensor, " c"]  # of the checkpoint's own features
    targets: Float[Tensor, " c"]  # of what the vision model gave the same points

    @property
    def sha256(self) -> str:
        """Hash the numbers of both."""
        return hashlib.sha256(torch.cat(self).float().cpu().numpy().tobytes()).hexdigest()


class TrainedModel(NamedTuple):
    """A trained tokenizer in front of the transformer it was trained for; nothing of it changes any more."""

    model: Model
    card: Mapping[str, Any]  # its settings, its CLIP, the command, the steps and seconds, the caches
    name: str  # as the user named it
    means: Mapping[str, Means] = MappingProxyType({})  # of each kind of scene; older checkpoints have none
    trained: Trained = Trained()  # as the card says
    labeller: Labeller | None = None  # the head of a fine-tuned one
    projection: nn.Sequential | None = None  # of a plain transformer into the space of what was distilled into it

    @property
    def sha256(self) -> str:
        """Hash what was trained and is used: the tokenizer, and of head, labeller and transformer what there is."""
        tokenizer, encoder = self.model.tokenizer, self.model.encoder
        more = [self.model.head, None if self.labeller is None else self.labeller.head]
        more.append(encoder if has_own_encoder(self.model) else None)
        used = [each for each in more if each is not None]
        return sha256_of_weights(nn.ModuleList([tokenizer, *used]) if used else tokenizer)

    @property
    def learned_words(self) -> list[str]:
        """List the words near which labelled points of rooms have taught its features to lie."""
        return room_words_learned_by(self.card)

    def means_for(self, scene: Scene) -> Means | None:
        """Give the means of a kind of scene, or of the other where it was trained on that alone; None for neither."""
        return self.means.get(scene) or next(iter(self.means.values()), None)


class Stored(NamedTuple):
    """The tensors of a checkpoint."""

    tokenizer: dict[str, Tensor]
    means: Mapping[str, Means]  # of each kind of scene it was trained on
    head: nn.Linear | None
    labeller: dict[str, Tensor]  # of a fine-tuned one
    encoder: dict[str, Tensor]  # of one whose transformer was trained too


def save_trained(
    folder: Path,
    tokenizer: Tokenizer,
    card: Mapping[str, Any],
    means: Mapping[str, Means] = MappingProxyType({}),
    head: nn.Linear | None = None,
    more: Mapping[str, Tensor] = MappingProxyType({}),
) -> None:
    """Write a tokenizer into a folder that is there, with its card, and the means of its training points by scene.

    Beside them lie the head, where there is one, and the card says so, and what `more` holds by its whole name. The
    card must hold the CLIP's identity under "clip". The files are whole when this returns and not before: whoever
    cannot live with half of them writes into a folder of another name, and renames it.
    """
    tensors: dict[str, Tensor] = {**tokenizer.state_dict(), **more}
    for scene, each in means.items():
        tensors |= {f"{MEANS}{scene}.{name}": tensor.float() for name, tensor in each._asdict().items()}
    about = {"tokenizer": asdict(tokenizer.config), "n_features": tokenizer.n_features, **card}
    if head is not None:
        tensors[HEAD] = head.weight
        about["head"] = {"from": head.in_features, "to": head.out_features}
    write_tensors(folder / WEIGHTS, tensors)
    if tokenizer.point_features.kinds:
        about[POINT_FEATURES] = asdict(tokenizer.point_features)
    (folder / CARD).write_text(json.dumps(about, indent=2, default=str) + "\n", encoding="utf-8")
    (folder / PAGE).write_text(model_card(about), encoding="utf-8")


def save_loaded(folder: Path, checkpoint: TrainedModel) -> None:
    """Write a checkpoint that was loaded, and its card, into a folder, which is made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    model = checkpoint.model
    more = named(LABELLER, None if checkpoint.labeller is None else checkpoint.labeller.head)
    if isinstance(model.encoder, PlainEncoder):
        more |= named(PROJECTION, checkpoint.projection)
        save_plain(folder, model.tokenizer, model.encoder.transformer, checkpoint.card, more)
        return
    if has_own_encoder(model):
        more |= named(ENCODER, model.encoder)
    save_trained(folder, model.tokenizer, checkpoint.card, checkpoint.means, model.head, more)


def has_own_encoder(model: Model) -> bool:
    """Tell whether the transformer is its own: a plain one, or a copy of CLIP's that was trained."""
    return model.clip is None or model.encoder.visual is not model.clip.model.visual


def own_encoder(clip: FrozenClip) -> FrozenEncoder:
    """Copy a CLIP's transformer, in float32, so that it can be trained and the CLIP stays what it is."""
    return FrozenEncoder(copy.deepcopy(clip.model.visual), dtype=torch.float32)  # type: ignore[arg-type]


def load_trained(where: str | Path, clip: FrozenClip | None, device: str = "cpu") -> TrainedModel:
    """Load a trained tokenizer: a folder of `save_trained`, a run folder of `s4tok pretrain`, or a shipped name.

    `clip` is the one it was trained for; None for a checkpoint with a plain transformer.

    Raises:
        UsageError: For a name there is not, and for a tokenizer that was trained for another CLIP, or for none.
        MissingError: For a shipped one that this copy of s4tok came without.
        InputError: For a folder that holds none, or a damaged one.
    """
    folder = find_checkpoint(where)
    card = read_card(folder)
    if "backbone" in card:
        return _with_plain_transformer(where, folder, card, clip, device)
    assert clip is not None
    _require_same(card["clip"], clip, str(where))
    try:
        config = tokenizer_config(card)
        read = PointFeatures.of(card[POINT_FEATURES]) if POINT_FEATURES in card else NO_FEATURES
        width = int(clip.model.visual.proj.shape[0])  # type: ignore[union-attr, index]
        tokenizer = Tokenizer(config, width=width, n_features=card["n_features"], point_features=read)
        stored = read_weights(folder)
        weights, means, head = stored.tokenizer, stored.means, stored.head
        tokenizer.load_state_dict(weights)
        labeller = _labeller(card, width, stored, device)
        encoder = None
        if stored.encoder:
            encoder = own_encoder(clip)
            encoder.load_state_dict(stored.encoder)
        if head is not None and head.in_features != clip.width:
            raise ValueError(f"its head takes {head.in_features} numbers, and {clip.name} has {clip.width}")
        width = clip.width if head is None else head.out_features
        for each in means.values():
            if each.features.shape != (width,):
                raise ValueError(f"its means have {each.features.numel()} numbers, and its features {width}")
    except MissingError:
        raise
    except Exception as error:  # safetensors has an error of its own for every kind of damage
        raise InputError(f"{file_of(folder, WEIGHTS)} cannot be loaded: {first_line(error)}.") from error
    attend = card.get("encoder", {}).get("attend", EncoderConfig.attend)
    model = Model(tokenizer, clip, attend, head, encoder).to(torch.device(device))
    return TrainedModel(model.eval().requires_grad_(False), card, str(where), means, Trained.of(card), labeller)


def _with_plain_transformer(
    where: str | Path, folder: Path, card: Mapping[str, Any], clip: FrozenClip | None, device: str
) -> TrainedModel:
    """Load a checkpoint of the SAM-guided system, or one that was fine-tuned from there."""
    if clip is not None:
        raise UsageError(
            f"{where} was trained without a CLIP: it has a transformer of its own.",
            "leave out --clip, and --pretrained.",
        )
    loaded = load_encoder(folder, device)
    model = loaded.encoder.model
    try:
        labeller = _labeller(card, model.tokenizer.width, read_weights(folder), device)
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise InputError(f"{file_of(folder, WEIGHTS)} cannot be loaded: {first_line(error)}.") from error
    return TrainedModel(
        model.eval().requires_grad_(False), card, str(where), trained=Trained.of(card), labeller=labeller,
        projection=loaded.projection,
    )  # fmt: skip


def _labeller(card: Mapping[str, Any], width: int, stored: Stored, device: str) -> Labeller | None:
    """Build the head of a fine-tuned checkpoint, and load its weights."""
    if "labels" not in card:
        return None
    labeller = Labeller.of_card(card["labels"], width)
    labeller.head.load_state_dict(stored.labeller)
    labeller.head.to(torch.device(device)).eval().requires_grad_(False)
    return labeller


def read_weights(folder: Path) -> Stored:
    """Read a tokenizer's weights, and what lies beside them."""
    tensors: dict[str, Tensor] = load("safetensors.torch").load_file(file_of(folder, WEIGHTS))
    beside: dict[str, dict[str, Tensor]] = {}
    for name in [name for name in tensors if name.startswith(MEANS)]:
        scene, field = name.removeprefix(MEANS).split(".")
        beside.setdefault(scene, {})[field] = tensors.pop(name)
    means = {scene: Means(**fields) for scene, fields in beside.items()}
    labeller, encoder = _taken(tensors, LABELLER), _taken(tensors, ENCODER)
    weight, head = tensors.pop(HEAD, None), None
    if weight is not None:
        head = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        head.load_state_dict({"weight": weight})
    return Stored(tensors, means, head, labeller, encoder)


def _taken(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Take the tensors out whose names begin so."""
    return {name.removeprefix(prefix): tensors.pop(name) for name in list(tensors) if name.startswith(prefix)}


def _require_same(trained_for: Mapping[str, str], clip: FrozenClip, where: str) -> None:
    if trained_for["weights"] == clip.sha256:
        return
    raise UsageError(
        f"{where} was trained for the CLIP {trained_for['name']} (weights {trained_for['weights'][:12]}), "
        f"and this is {clip.name} (weights {clip.sha256[:12]}).",
        f"pass --clip {trained_for['name']}, or the folder or file it was trained with.",
    )
