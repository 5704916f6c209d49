"""What a result was made from and what was assumed, in one line."""

from collections.abc import Mapping
from typing import Any

from s4tok.counted import counted


def in_words(about: Mapping[str, Any], n_clouds: int, *, has_scenes: bool = True) -> str:
    """Tell the clouds, the checkpoint, its texts and the superpoints; of own files also what could be otherwise.

    `has_scenes` is off for commands that take all files for objects.
    """
    by, prompts = about["checkpoint"], about["prompts"]
    source = _source(about, n_clouds, has_scenes)
    if prompts is None:
        labels = by["card"]["labels"]["task"]
        return (
            f"{source}; checkpoint {by['name']}, by its head for {labels}{_protocol(by['card'])}{_superpoints(about)}"
        )
    vision = about["vision_model"]["name"]
    who = (
        f"2D features of {vision}"
        if by is None
        else f"checkpoint {by['name']}{_learned(by['card'])}, texts encoded by {vision}"
    )
    return f"{source}; {who}, prompts of {prompts['name']}{_superpoints(about)}"


def _learned(card: Mapping[str, Any]) -> str:
    """Name the datasets whose labels it has learned: of their words it is not zero-shot."""
    from s4tok.models.trained import labels_learned_by

    learned = labels_learned_by(card)
    return f" (which has learned labels of {' and '.join(learned)})" if learned else ""


def _source(about: Mapping[str, Any], n_clouds: int, has_scenes: bool) -> str:
    if about["files"]:
        from s4tok_pipelines.outputs.assumed import assumed

        return assumed(about, n_clouds, has_scenes=has_scenes)
    return f"{counted(n_clouds, 'cloud')} of {about['dataset']} {about['split']}"


def _protocol(card: Mapping[str, Any]) -> str:
    """Name how S3DIS was cut for training: figures of different protocols do not compare."""
    return f", protocol {card['protocol']}" if "protocol" in card else ""


def _superpoints(about: Mapping[str, Any]) -> str:
    """Name the method that cut the clouds."""
    made = about.get("superpoints") or {}
    methods = dict.fromkeys(parameters.get("method", "labels") for parameters in made.values())
    return f", superpoints by {' and '.join(methods)}" if methods else ""
