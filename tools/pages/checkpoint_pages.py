"""The table of checkpoints that come with s4tok, made from their cards and the scores that stand beside these."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

CARDS = ("config.json", "tokenizer.json")  # the second is what cards were called at first
SCORES = re.compile(r"^## What they score\n(?P<section>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"^`(?P<name>[^`]+)`$")


class Row(NamedTuple):
    """What a card says of its checkpoint."""

    name: str
    tokenizer: str
    trained_on: str
    tokens: str
    size: str
    steps: str
    minutes: str


def checkpoint_table(folder: Path) -> str:
    """Write what the checkpoints of a folder are: one row each."""
    rows = [_row(each, card) for each in sorted(folder.iterdir()) if (card := _card(each)) is not None]
    return _table(("name", "tokenizer", "trained on", "tokens x points", "weights", "steps", "minutes"), rows)


def score_table(folder: Path) -> str:
    """Take the table of scores out of the card of all, its README.md, and leave out checkpoints that are not there."""
    found = SCORES.search((folder / "README.md").read_text(encoding="utf-8"))
    lines = [line for line in found["section"].splitlines() if line.startswith("|")] if found else []
    return "\n".join(line for line in lines if _is_there(line.split("|")[1].strip(), folder))


def _is_there(first: str, folder: Path) -> bool:
    name = NAME.match(first)
    return name is None or _card(folder / name["name"]) is not None


def _card(folder: Path) -> dict[str, Any] | None:
    path = next((folder / name for name in CARDS if (folder / name).is_file()), None)
    return None if path is None else json.loads(path.read_text(encoding="utf-8"))


def _row(folder: Path, card: dict[str, Any]) -> Row:
    made, words = card["tokenizer"], card.get("command", "").split()
    sources = [words[2], *(words[n + 1] for n, word in enumerate(words) if word == "--also")] if len(words) > 2 else []
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return Row(
        f"`{folder.name}`",
        f"`{made['tokenizer']}`",
        ", ".join(f"`{source}`" for source in sources),
        f"{made['n_tokens']} x {made['patch_size']} of {made['n_points']:,}",
        f"{size / 1e6:.1f} MB",
        f"{card['steps']:,}" if "steps" in card else "",
        f"{card['seconds'] / 60:.0f}" if "seconds" in card else "",
    )


def _table(heads: tuple[str, ...], rows: list[Row]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
