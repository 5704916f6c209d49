"""The 2D models by name."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from s4tok.config import VisionConfig
from s4tok.errors import MissingError, UsageError, did_you_mean
from s4tok.plugins import Table
from s4tok.vision import dinov2, sam, siglip
from s4tok.vision.dinov2 import Dinov2
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.graph_masks import GraphMasks
from s4tok.vision.sam import Sam
from s4tok.vision.siglip import Siglip
from s4tok.vision.vision_model import MEANING, Capability, VisionModel
from s4tok.vision.weights import CARRIED, CLIP, FOLDER, HUB, bare_name, image_tower

VISION_MODELS: Mapping[str, type[VisionModel]] = Table(
    "s4tok.vision",
    {
        **dict.fromkeys(CARRIED, FrozenClip),
        **dict.fromkeys(siglip.ARCHITECTURES, Siglip),
        **dict.fromkeys(dinov2.ARCHITECTURES, Dinov2),
        GraphMasks.name: GraphMasks,
        **dict.fromkeys(sam.ARCHITECTURES, Sam),
    },
)
# Before the name of an architecture, a folder or a repository that is no row.
FAMILIES: Mapping[str, type[VisionModel]] = {"clip": FrozenClip, "siglip": Siglip, "dinov2": Dinov2, "sam": Sam}
ROWS = {theirs: ours for each in (siglip, dinov2, sam) for ours, theirs in each.ARCHITECTURES.items()}


def load_vision_model(config: VisionConfig, device: str = "cpu", *needed: Capability) -> VisionModel:
    """Load a 2D model that has these capabilities.

    Raises:
        UsageError: For a name there is not, and for a model that lacks one; nothing is loaded then.
    """
    kind, name = find_kind(config.model, config.pretrained)
    for capability in needed:
        require(kind, name, capability)
    model = kind.load(name, config.pretrained, device)
    return replace(model, dense_by=config.dense) if isinstance(model, FrozenClip) else model


def find_kind(name: str, pretrained: str | None = None) -> tuple[type[VisionModel], str]:
    """Find the class of a model, and its name there.

    A name is a row, "FAMILY:NAME", or what open_clip takes: an architecture, a folder, "hf-hub:owner/model".
    """
    name = ROWS.get(name, name)
    if name in VISION_MODELS:
        return VISION_MODELS[name], name
    family, _, rest = name.partition(":")
    if rest and family in FAMILIES and f"{family}:" != CLIP:
        return FAMILIES[family], _called(family, rest)
    name = name.removeprefix(CLIP)
    tower = image_tower(name, pretrained or "")
    if not tower and not name.startswith((HUB, FOLDER)):
        raise UsageError(
            f"no vision model is called {name!r}; there are: {', '.join(VISION_MODELS)}, open_clip's models, for "
            "example clip:ViT-B-16, and folders.",
            did_you_mean(name, list(VISION_MODELS)),
        )
    return (Siglip, _called("siglip", name)) if tower.get("timm_pool") == "map" else (FrozenClip, name)


def _called(family: str, name: str) -> str:
    """Give the row of an architecture, or its name with the family before it; folders and repositories have none."""
    is_elsewhere = name.startswith(HUB) or bare_name(name) != name
    return name if is_elsewhere else ROWS.get(name, f"{family}:{name}")


def require(kind: type[VisionModel], name: str, capability: Capability) -> None:
    """Refuse a model that lacks a capability, and name those that have it."""
    if capability not in kind.can:
        able = ", ".join([*_able(capability), *(["clip:NAME"] if capability in FrozenClip.can else [])])
        raise UsageError(
            f"{name} has no {MEANING[capability]}, which this needs.",
            f"models with one: {able or 'none yet'}.",
        )


def _able(capability: Capability) -> list[str]:
    rows = []
    for row in VISION_MODELS:
        with suppress(MissingError):  # a plugin that cannot be loaded
            rows += [row] if capability in VISION_MODELS[row].can else []
    return rows
