"""The checkpoints of Table 2: those that come with s4tok, or those in a folder."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from s4tok.models.checkpoint_files import CARD, IN_A_RUN, has_checkpoint, shipped_checkpoints
from s4tok_pipelines.tables.table2 import OBJECTS, ROOMS

NAMES = (*OBJECTS, *ROOMS)  # a tokenizer's name, or what else it was trained on

Places = Mapping[str, Sequence[str]]  # of the checkpoints of each row: a seed each


def find_checkpoints(names: Iterable[str], folder: Path | None = None) -> Places:
    """Find checkpoints by the names of rows: NAME or NAME-SEED in a folder, or among those that come with s4tok."""
    if folder is None:
        shipped = shipped_checkpoints()
        return {name: [name] if name in shipped else [] for name in names}
    return {name: [str(path) for path in _in_folder(folder, name)] for name in names}


def _in_folder(folder: Path, name: str) -> list[Path]:
    found = [folder / name, *folder.glob(f"{name}-*")] if folder.is_dir() else []
    mine = [path for path in found if re.fullmatch(re.escape(name) + r"(-\d+)?", path.name) and is_checkpoint(path)]
    return sorted(mine, key=lambda path: (len(path.name), path.name))


def is_checkpoint(folder: Path) -> bool:
    """Tell whether a folder is a checkpoint, or a run with one."""
    return any(has_checkpoint(folder / part) for part in ("", *IN_A_RUN))


def is_unfinished(folder: Path) -> bool:
    """Tell whether a folder is a run that was stopped before its last step; a checkpoint alone is not."""
    last = folder / "ckpt" / "last" / CARD
    if has_checkpoint(folder) or not last.is_file():
        return not is_checkpoint(folder)
    card = json.loads(last.read_text(encoding="utf-8"))
    return bool(card.get("steps", 0) < card.get("of", 0))


def seed_in(folder: Path) -> int | None:
    """Read the seed behind a checkpoint's name, where there is one."""
    found = re.search(r"-(\d+)$", folder.name)
    return None if found is None else int(found[1])
