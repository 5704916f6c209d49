"""Checkpoints by name, folder or hub address, with all that labels anything by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from s4tok.config import DEFAULT_CHECKPOINT, Scene, SuperpointConfig, VisionConfig
from s4tok.device import pick_device
from s4tok.errors import UsageError
from s4tok.inference.as_trained import superpoints_of
from s4tok.models.checkpoint import TrainedModel, load_trained, save_loaded
from s4tok.models.checkpoint_files import find_checkpoint, read_card, shipped_checkpoints
from s4tok.models.model import Model
from s4tok.models.text_space import text_model
from s4tok.models.trained import learned_since
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.prompts import Prompts, load_prompts, set_for


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained tokenizer in front of its transformer, and the texts and prompts that label by it."""

    trained_model: TrainedModel
    text: VisionConfig | None = None  # where its texts lie, for a model that is not found by the card's name
    chosen_prompts: Prompts | None = None  # those that suit the texts where None
    device: str = "cpu"
    synonyms: Mapping[str, Sequence[str]] = field(default_factory=dict)  # of labels

    @property
    def name(self) -> str:
        """Give the name it was loaded by."""
        return self.trained_model.name

    @property
    def model(self) -> Model:
        """Give the PyTorch module: points and superpoints in, features of tokens and of the whole out."""
        return self.trained_model.model

    @property
    def labels(self) -> tuple[str, ...]:
        """Name what its head labels, for a fine-tuned one; one that is not labels by prompts, and has none."""
        labeller = self.trained_model.labeller
        return () if labeller is None else tuple(dict.fromkeys(labeller.labels.classes))

    @cached_property
    def texts(self) -> VisionModel:
        """Load the model whose texts lie in the space of its features: its CLIP, or the one it was distilled from."""
        return text_model(self.trained_model, self.text, self.device)

    @cached_property
    def prompts(self) -> Prompts:
        """Give the prompts of labels."""
        return (self.chosen_prompts or load_prompts(set_for(self.texts.name))).also_called(self.synonyms)

    def superpoints_of(self, scene: Scene) -> SuperpointConfig:
        """Say how clouds are cut for it: as its card says, else by the defaults of the kind of scene."""
        return superpoints_of(self.trained_model, scene)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write what a model hub wants: model.safetensors, config.json and README.md, a model card."""
        save_loaded(Path(folder), self.trained_model)


def load(
    checkpoint: str | Path = DEFAULT_CHECKPOINT,
    *,
    clip: str | None = None,
    pretrained: str | None = None,
    text_model: str | None = None,
    text_pretrained: str | None = None,
    prompts: str | Path | None = None,
    synonyms: Mapping[str, Sequence[str]] | None = None,
    zero_shot: bool = False,
    device: str = "auto",
) -> Checkpoint:
    """Load a checkpoint, which `segment`, `classify` and `embed` take in place of its name.

    Args:
        checkpoint: One that comes with s4tok (`list_checkpoints`), a run folder, or "hf-hub:owner/name".
        clip: The CLIP it was trained for, by name or folder; by the card's name where None.
        pretrained: The CLIP's weights, a tag or a file; its usual ones where None.
        text_model: For a checkpoint that was distilled from another model than its CLIP, where that lies.
        text_pretrained: The weights of that model.
        prompts: A set of prompts by name, or a file; those that suit the model where None.
        synonyms: Other names of labels, {"sofa": ["couch", "settee"]}, whose prompts stand for them too.
        zero_shot: Label by prompts though the checkpoint was fine-tuned and has a head.
        device: "auto", "cpu" or "cuda"; auto takes a GPU where there is one.

    Raises:
        UsageError: For a name there is not, and for a CLIP it was not trained for.
        InputError: For a folder that holds no checkpoint.
        MissingError: For weights that are not on this machine and cannot be fetched.
    """
    chosen, device = None if prompts is None else load_prompts(prompts), pick_device(device)
    frozen = (
        _clip_of_card(checkpoint, pretrained, device) if clip is None else FrozenClip.load(clip, pretrained, device)
    )
    found = load_trained(checkpoint, frozen, device)
    if zero_shot:
        card = {name: value for name, value in found.card.items() if name != "labels"}  # as one without a head has it
        found = found._replace(labeller=None, card=card | learned_since(found.card, {}))
    name = text_model or found.trained.vision_model.get("model")
    text = None if name is None else VisionConfig(name, text_pretrained)
    return Checkpoint(found, text, chosen, device, synonyms or {})


def _clip_of_card(checkpoint: str | Path, pretrained: str | None, device: str) -> FrozenClip | None:
    """Load the CLIP a checkpoint was trained for, by the name its card has; None where it was trained without."""
    card = read_card(find_checkpoint(checkpoint))
    if "backbone" in card:
        return None
    name = str(card["clip"]["name"])
    try:
        return FrozenClip.load(name, pretrained, device)
    except UsageError as error:
        raise UsageError(
            f"{checkpoint} was trained for a CLIP called {name}, which is not found by that name.",
            "name its folder with --clip.",
        ) from error


def list_checkpoints() -> list[str]:
    """Name the tokenizers that come with s4tok; the detector of `detect` is none of them."""
    return shipped_checkpoints()
