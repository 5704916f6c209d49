"""What a result was made from and what was assumed, in one line."""

from collections import Counter
from collections.abc import Mapping
from typing import Any


def in_words(about: Mapping[str, Any], n_clouds: int) -> str:
    """Tell the clouds, the checkpoint, the texts and the prompts; of own files also what could have been otherwise."""
    by, vision, prompts = about["checkpoint"], about["vision_model"]["name"], about["prompts"]
    who = f"2D features of {vision}" if by is None else f"checkpoint {by['name']}, texts of {vision}"
    clouds = f"{n_clouds} cloud{'s' * (n_clouds != 1)}"
    if about["files"]:
        source = f"{clouds} ({about['files']}), {_taken_for(about, n_clouds)}"
    else:
        source = f"{clouds} of {about['dataset']} {about['split']}"
    return f"{source}; {who}, prompts {prompts['name']} {prompts['sha256'][:8]}"


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
