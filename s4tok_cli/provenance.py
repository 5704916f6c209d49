"""What a result was made from and what was assumed, in one line."""

from collections import Counter
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
        return f"{clouds} ({about['files']}), {_taken_for(about, n_clouds)}"
    return f"{clouds} of {about['dataset']} {about['split']}"


def _protocol(card: Mapping[str, Any]) -> str:
    """Name how S3DIS was cut for training: figures of different protocols do not compare."""
    return f", protocol {card['protocol']}" if "protocol" in card else ""


def _taken_for(about: Mapping[str, Any], n_clouds: int) -> str:
    """Say what own files were taken for, and by which options that is overruled."""
    scene = f"{about['scene']}s" if n_clouds != 1 else "an object" if about["scene"] == "object" else "a room"
    unit = f"in {_listed(about['unit'])} (--unit)" if about["unit"] else "of any unit"
    return f"taken for {scene} (--room, --object) {unit} with {_listed(about['up'])} up (--up)"


def _listed(words: Any) -> str:
    """Write a word that holds for all files, or how many files have which."""
    if not isinstance(words, Mapping):
        return str(words)
    return ", ".join(f"{word} ({count})" for word, count in Counter(words.values()).most_common())
