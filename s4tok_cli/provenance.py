"""What a result was made from and what was assumed, in one line."""

from collections.abc import Mapping
from typing import Any


def in_words(about: Mapping[str, Any], n_clouds: int) -> str:
    """Tell the clouds, the checkpoint, the texts and the prompts; of own files also what could have been otherwise."""
    by, vision, prompts = about["checkpoint"], about["vision_model"]["name"], about["prompts"]
    who = f"2D features of {vision}" if by is None else f"checkpoint {by['name']}, texts of {vision}"
    clouds = f"{n_clouds} cloud{'s' * (n_clouds != 1)}"
    if about["files"]:
        assumed = f"taken for {about['scene']}s (--room, --object) with {about['up']} up (--up)"
        source = f"{clouds} ({about['files']}), {assumed}"
    else:
        source = f"{clouds} of {about['dataset']} {about['split']}"
    return f"{source}; {who}, prompts {prompts['name']} {prompts['sha256'][:8]}"
