"""What the checkpoints are worth on real data: whichever of the known datasets lie in a folder."""

from collections.abc import Sequence
from pathlib import Path

from s4tok.datasets.open import under_root
from s4tok.datasets.table import DATASETS
from s4tok.errors import InputError
from s4tok_pipelines.tables.names import REAL
from s4tok_pipelines.tables.spec import ABOUT_MEANS, ABOUT_ROOMS, THREE_MEANS, Asked, Method, Spec
from s4tok_pipelines.tables.worlds import ROLES

ASKED = (
    Asked("parts", "parts", THREE_MEANS),
    Asked("modelnet40", "objects", {"accuracy": "accuracy"}),
    Asked("obj-only", "objects", {"accuracy": "accuracy"}),
    Asked("obj-bg", "objects", {"accuracy": "accuracy"}),
    Asked("pb-t50-rs", "objects", {"accuracy": "accuracy"}),
    Asked("scannet", "rooms", {"miou": "mIoU", "macc": "mAcc", "furniture_miou": "furniture"}),
    Asked("s3dis", "rooms", {"miou": "mIoU", "macc": "mAcc", "furniture_miou": "furniture"}),
)
# The checkpoints that are asked where none are named, by the CLIP they were trained for.
OF_CLIP = {"mini": ("s4token+context", "universal"), "mini2": ("universal2", "universal2+labels")}


def real_table(data: Path, checkpoints: Sequence[str]) -> Spec:
    """Ask of the real datasets that a folder has; a row for each checkpoint.

    Raises:
        InputError: Where it has none of them, with what is looked for.
    """
    there = tuple(asked for asked in ASKED if _is_there(ROLES[asked.role].papers[0], data))
    if not there:
        names = dict.fromkeys(ROLES[asked.role].papers[0] for asked in ASKED)
        raise InputError(
            f"{data} holds none of {', '.join(names)}.",
            "; ".join(f"{data / name} takes {DATASETS[name].source}" for name in names) + ".",
        )
    return Spec(
        REAL,
        "Real data: chance, the 2D model, and checkpoints",
        "no paper",
        there,
        tuple(Method(name, name) for name in checkpoints),
        (ABOUT_MEANS, ABOUT_ROOMS),
        "What checkpoints of the synthetic data, or your own, are worth on real clouds.",
        any_split=True,
    )


def _is_there(name: str, data: Path) -> bool:
    try:
        under_root(name, DATASETS[name], data)
    except InputError:
        return False
    return True
