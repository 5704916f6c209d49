"""What a result was made from and what was assumed, in one line."""

from collections.abc import Mapping
from typing import Any


def in_words(about: Mapping[str, Any], n_clouds: int) -> str:
    """Tell the clouds, the checkpoint, the texts and the prompts; of own files also what could have been otherwise."""
    by, prompts = about["checkpoint"], about["prompts"]
    if prompts is None:
        labels = by["card"]["labels"]["task"]
        return f"{_source(about, n_clouds)}; checkpoint {by['name']}, by its head for {labels}{_protocol(by['card'])}"
    vision = about["vision_model"]["name"]
    who = f"2D features of {vision}" if by is None else f"checkpoint {by['name']}, texts of {vision}"
    return f"{_source(about, n_clouds)}; {who}, prompts {prompts['name']} {prompts['sha256'][:8]}"


def _source(about: Mapping[str, Any], n_clouds: int) -> str:
    clouds = f"{n_clouds} cloud{'s' * (n_clouds != 1)}"
    if about["files"]:
        from s4tok_pipelines.outputs.provenance import assumed

        return f"{clouds} ({about['files']}), {assumed(about, n_clouds)}"
    return f"{clouds} of {about['dataset']} {about['split']}"


def _protocol(card: Mapping[str, Any]) -> str:
    """Name how S3DIS was cut for training: figures of different protocols do not compare."""
    return f", protocol {card['protocol']}" if "protocol" in card else ""
