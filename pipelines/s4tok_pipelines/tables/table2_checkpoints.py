"""The checkpoints of Table 2: those that come with s4tok, or those in a folder."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from s4tok.models.checkpoint_files import IN_A_RUN, has_checkpoint, shipped_checkpoints
from s4tok_pipelines.tables.table2 import OBJECTS, ROOMS

NAMES = (*OBJECTS, *ROOMS)  # a tokenizer's name, or what else it was trained on
TRAINED = ("knn", "knn-sphere", "knn+rpn", "s4token", "s4token-scans")  # by --train; examples/checkpoints has the rest
SCAN_TRAINED = "s4token-scans"

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
