"""Where checkpoints lie, and what their cards say: known without PyTorch, so that a wrong name is told at once."""

import json
from pathlib import Path
from typing import Any

from s4tok.config import DEFAULT_DETECTOR, DETECTOR_FOLDER, SHIPPED_FOLDER
from s4tok.dependencies import first_line
from s4tok.errors import InputError, MissingError, UsageError, did_you_mean
from s4tok.models.trained import Trained
from s4tok.vision.hub import hub_folder
from s4tok.vision.weights import HUB

DETECTOR = "detector"  # in the card of a checkpoint that finds boxes
WEIGHTS, CARD, PAGE = "model.safetensors", "config.json", "README.md"
BEFORE = {WEIGHTS: "tokenizer.safetensors", CARD: "tokenizer.json"}  # as they were called before version 0.2
IN_A_RUN = ("ckpt/best", "ckpt/last")  # in the order in which they are preferred


def shipped_checkpoints() -> list[str]:
    """Name the checkpoints that come with s4tok: what lies in its folder of them."""
    return sorted(path.name for path in SHIPPED_FOLDER.glob("*") if has_checkpoint(path))


def has_checkpoint(folder: Path) -> bool:
    """Tell whether a folder holds a checkpoint, of this version or an earlier one."""
    return file_of(folder, CARD).is_file()


def find_checkpoint(where: str | Path) -> Path:
    """Find the folder a checkpoint lies in, fetching "hf-hub:owner/name" where the hub can be reached.

    Raises:
        UsageError: For a name there is not, and for what is no name.
        InputError: For a folder that holds none.
        MissingError: Where none came with this copy, or the hub cannot be reached.
    """
    if not isinstance(where, str | Path):  # of what a caller from Python has loaded
        raise UsageError(
            f"a checkpoint is a name or a folder, and this is a {type(where).__name__}.",
            "s4tok.load gives what labels, and s4tok.load_detector what finds boxes.",
        )
    if str(where).startswith(HUB):
        return _fetched(str(where))
    for folder in (Path(where), *(Path(where) / part for part in IN_A_RUN)):
        if has_checkpoint(folder):
            return folder
    if str(where) == DEFAULT_DETECTOR and has_checkpoint(DETECTOR_FOLDER):
        return DETECTOR_FOLDER
    shipped = shipped_checkpoints()
    if str(where) in shipped:
        return SHIPPED_FOLDER / where
    if Path(where).is_dir():
        raise InputError(
            f"{where} holds no checkpoint: no {CARD}, and no {' or '.join(IN_A_RUN)} with one.",
            "the folder of a run is what --out of s4tok pretrain and finetune names.",
        )
    if not shipped:
        raise MissingError(
            f"{where}: there is no such folder, and this copy of s4tok came without checkpoints.",
            "train one with s4tok pretrain, and name its run folder.",
        )
    detector = [DEFAULT_DETECTOR] if has_checkpoint(DETECTOR_FOLDER) else []
    raise UsageError(
        f"{where}: there is no such folder, and no checkpoint is called that; there are: {', '.join(shipped)}"
        f"{''.join(f', and the detector {name}' for name in detector)}.",
        did_you_mean(str(where), [*shipped, *detector]),
    )


def _fetched(name: str) -> Path:
    folder = hub_folder(name, (WEIGHTS, CARD, PAGE), f"import s4tok; s4tok.load('{name}')")
    if not has_checkpoint(folder):
        raise InputError(f"{name} holds no trained tokenizer: no {CARD}.", "Checkpoint.save_pretrained writes one.")
    return folder


def read_card(folder: Path) -> dict[str, Any]:
    """Read how a checkpoint came to be."""
    try:
        card = json.loads(file_of(folder, CARD).read_text(encoding="utf-8"))
        if DETECTOR in card:
            raise InputError(f"{folder} was trained to find boxes, and labels nothing.", "it is for s4tok detect.")
        if "backbone" not in card and (
            {"name", "weights"} - set(card["clip"]) or {"tokenizer", "n_features"} - set(card)
        ):
            raise ValueError("it does not say what the tokenizer is and which CLIP it was trained for")
        Trained.of(card)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{file_of(folder, CARD)} is no card of a trained tokenizer: {first_line(error)}.") from error
    return dict(card)


def file_of(folder: Path, name: str) -> Path:
    """Give a file of a checkpoint by its name of today, or of before where only that is there."""
    before = folder / BEFORE[name]
    return before if before.is_file() and not (folder / name).is_file() else folder / name
