"""How a checkpoint was trained, as its card says, as far as using it depends on that."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from s4tok.config import EncoderConfig, RunConfig, Scene, SuperpointConfig, TokenizerConfig, VisionConfig
from s4tok.config.kinds import SuperpointPreset
from s4tok.errors import UsageError
from s4tok.superpoints import METHODS, cut_pursuit


@dataclass(frozen=True)
class Trained:
    """What a card says of training; a card from before a key was written has the default."""

    window: float = 0.0  # metres, the side of the columns that rooms were cut into; 0 for whole clouds
    superpoints: Mapping[str, SuperpointConfig] = field(default_factory=dict)  # of each kind of scene
    calibration_share: float = 0.0  # of each label's mean cosine, to be subtracted from its cosines; 0 for none
    vision_model: Mapping[str, str] = field(
        default_factory=dict
    )  # "model" and "weights" of what was distilled; its CLIP

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> "Trained":
        """Read a card.

        Raises:
            ValueError: For a value that is none of those which training writes.
        """
        window = card.get("window", _mapping(card, "training").get("window", 0.0))
        cuts = _mapping(card, "superpoints")
        if odd := cuts.keys() - set(get_args(Scene)):
            raise ValueError(f"it has superpoints of {sorted(odd)[0]!r}, not of objects or rooms")
        return cls(
            _at_least_0("window", window),
            {scene: _cut(_mapping(cuts, scene)) for scene in cuts},
            _at_least_0("share", _mapping(card, "calibration").get("share", 0.0)),
            _vision_model(_mapping(card, "vision_model")),
        )

    def cut_of(self, scene: Scene) -> SuperpointConfig | None:
        """Say how clouds of a kind are cut for it; None where the card does not tell.

        As for its training; those of a kind that it was not trained on by the same method, with its defaults. Greedy
        merging with the same settings stands in for cut pursuit where pycut-pursuit cannot be imported.
        """
        known = self.superpoints.get(scene)
        if known is None:
            computed = (cut.method for cut in self.superpoints.values() if METHODS.get(cut.method) is not None)
            known = next((replace(SuperpointConfig.of(scene), method=method) for method in computed), None)
        if known is not None and known.method == "cut-pursuit" and not cut_pursuit.is_there():
            return replace(known, method="greedy")
        return known

    @property
    def has_rooms(self) -> bool:
        """Say whether it was trained on rooms, as far as the card tells."""
        return self.window > 0 or "room" in self.superpoints

    def has_none_of(self, scene: Scene) -> bool:
        """Say whether its card tells what it was trained on, and that none of it was objects, or rooms."""
        return bool(self.superpoints) and scene not in self.superpoints


def tokenizer_config(card: Mapping[str, Any]) -> TokenizerConfig:
    """Read the tokenizer's settings; cards from before positions were learned have no "pe"."""
    return TokenizerConfig(**without_lists({"pe": "fixed", **card["tokenizer"]}))


def without_lists(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings that were read from JSON, which knows no tuples, as they were."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def labels_learned_by(card: Mapping[str, Any]) -> dict[str, list[str]]:
    """List the classes of each dataset whose labels a checkpoint's tokenizer, or one it began with, has learned."""
    found = {name: list(classes) for name, classes in _mapping(card, "learned_labels").items()}
    if "labels" in card and _mapping(card, "training").get("train") != "head":  # the tokenizer was trained with it
        name = _mapping(card, "dataset").get("name", "a dataset that the card does not name")
        found[name] = _together(found.get(name, ()), card["labels"]["classes"])
    return found


def room_words_learned_by(card: Mapping[str, Any]) -> list[str]:
    """List the words near whose texts labelled points of rooms have taught its features to lie."""
    learned = _mapping(card, "learned_labels")  # of rooms alone, in cards from before there was a list of its own
    return _together(*([card["learned_room_words"]] if "learned_room_words" in card else learned.values()))


def learned_since(
    card: Mapping[str, Any], labels: Mapping[str, Sequence[str]], room_words: Sequence[str] = ()
) -> dict[str, Any]:
    """Say on a new card what a checkpoint with this card, which it began with, had learned, and what was since."""
    known = labels_learned_by(card)
    known |= {name: _together(known.get(name, ()), classes) for name, classes in labels.items()}
    words = _together(room_words_learned_by(card), room_words)
    return {"learned_labels": known, "learned_room_words": words} if known else {}


def begun_from(recipe: RunConfig, card: Mapping[str, Any], superpoints: SuperpointPreset | None = None) -> RunConfig:
    """Change a recipe into one that begins with a checkpoint: with its tokenizer, CLIP, superpoints and columns.

    Superpoints may be named, and are the checkpoint's otherwise.

    Raises:
        UsageError: For a checkpoint without a CLIP, or whose superpoints are of no preset where none is named.
    """
    if "clip" not in card:
        raise UsageError("a checkpoint with a plain transformer reads no CLIP, and nothing can begin with it here.")
    trained, clip = Trained.of(card), card["clip"]
    is_by_clip = trained.vision_model.get("weights", clip["weights"]) == clip["weights"]
    head: Literal["none", "linear"] = "linear" if "head" in card else "none"
    scenes: list[Scene] = [scene for scene in get_args(Scene) if scene in trained.superpoints]
    presets = (
        preset
        for preset in get_args(SuperpointPreset)
        if scenes and all(SuperpointConfig.of(scene, preset) == trained.superpoints[scene] for scene in scenes)
    )
    found = superpoints or next(presets, None)
    if found is None and scenes:
        raise UsageError(
            "the checkpoint's superpoints are of none of the presets, and others would be taken.",
            f"say which: --superpoints {' or '.join(get_args(SuperpointPreset))}.",
        )
    return replace(
        recipe,
        superpoints=found or recipe.superpoints,
        superpoints_asked=found is not None,
        tokenizer=tokenizer_config(card),
        clip=VisionConfig(clip["name"]),
        features=None if is_by_clip else trained.vision_model["model"],
        encoder=EncoderConfig(**card.get("encoder", {})),
        point_features=tuple(card.get("point_features", {}).get("kinds", ())),
        training=replace(recipe.training, head=head, window=trained.window),
    )


def _together(*lists: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(each for words in lists for each in words))


def _cut(fields: Mapping[str, Any]) -> SuperpointConfig:
    known = SuperpointConfig.__dataclass_fields__
    if odd := fields.keys() - known.keys() - {"labels"}:  # where ready labels lay, which is nowhere else's business
        raise ValueError(f"its superpoints have a setting that this version of s4tok does not know: {sorted(odd)[0]}")
    return SuperpointConfig(**{name: value for name, value in fields.items() if name in known})


def _vision_model(fields: Mapping[str, Any]) -> Mapping[str, str]:
    if fields and not all(isinstance(fields.get(name), str) for name in ("model", "weights")):
        raise ValueError("it does not name the model and the weights of what it was distilled from")
    return fields


def _mapping(card: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = card.get(name, {})
    if not isinstance(found, Mapping):
        raise ValueError(f"{name} is {found!r}, not a table of names and values")
    return found


def _at_least_0(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} is {value!r}, not a number of at least 0")
    return float(value)
