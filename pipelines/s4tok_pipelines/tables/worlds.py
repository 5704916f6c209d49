"""The datasets of the tables by their role: those that s4tok makes, or the papers' where a user has them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from s4tok.config import DATA_ROOT, ReproduceConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.open import open_dataset
from s4tok.datasets.table import DATASETS
from s4tok.errors import InputError

OBJECTS_SHOWN = ("parts", "modelnet40")  # roles of which the synthetic data has more clouds than a table needs


class Role(NamedTuple):
    """A dataset and split of the synthetic data, if it has one in this role, and the papers'."""

    made: tuple[str, str] | None
    papers: tuple[str, str]


ROLES: Mapping[str, Role] = {
    "objects": Role(("toy-shapes", "train"), ("shapenet55", "train")),
    "parts-train": Role(("toy-shapes", "train"), ("shapenetpart", "train+val")),
    "parts": Role(("toy-shapes", "test"), ("shapenetpart", "test")),
    "modelnet40": Role(("toy-shapes", "test"), ("modelnet40", "test")),
    "obj-only": Role(None, ("scanobjectnn-obj-only", "test")),
    "obj-bg": Role(None, ("scanobjectnn-obj-bg", "test")),
    "pb-t50-rs": Role(None, ("scanobjectnn", "test")),
    "scans": Role(("toy-scans", "train"), ("scannet", "train")),
    "scannet": Role(("toy-scans", "test"), ("scannet", "val")),
    "scannet-boxes": Role(("toy-scans", "test"), ("scannet", "val")),
    "sun-rgbd-train": Role(("toy-rooms", "train"), ("sunrgbd-v1", "train")),
    "sun-rgbd": Role(("toy-rooms", "test"), ("sunrgbd-v1", "val")),
    "s3dis-train": Role(("toy-rooms", "train"), ("s3dis", "train")),
    "s3dis": Role(("toy-rooms", "test"), ("s3dis", "test")),
}


def open_roles(
    roles: Iterable[str],
    data: Path | None,
    config: ReproduceConfig,
    limit: int | None = None,
    *,
    any_split: bool = False,
) -> dict[str, CloudDataset]:
    """Open the datasets of some roles; roles that nothing has are left out.

    With `any_split`, another split is taken where the paper's is not there.

    Raises:
        InputError: For real datasets that are missing: all of them in one sentence, with where each is looked for.
    """
    found: dict[str, CloudDataset] = {}
    missing: dict[str, str] = {}
    for role in dict.fromkeys(roles):
        known = ROLES.get(role)
        place = None if known is None else known.made if data is None else known.papers
        if place is None:
            continue
        shown = config.shapes if limit is None and data is None and role in OBJECTS_SHOWN else limit
        splits = [place[1], *(DATASETS[place[0]].load().splits if any_split else ())]
        for split in splits:
            try:
                found[role] = open_dataset(place[0], split=split, limit=shown, root=DATA_ROOT if data is None else data)
                break
            except InputError as error:
                said = str(error) if str(error).startswith(place[0]) else f"{place[0]}: {error}"
                missing.setdefault(place[0], said)
    missing = {name: said for name, said in missing.items() if name not in {each.name for each in found.values()}}
    if missing:
        raise InputError(" ".join(missing.values()), _layouts(missing, data or DATA_ROOT))
    return found


def _layouts(names: Iterable[str], root: Path) -> str:
    """Say where each dataset is looked for, and what has to lie there."""
    return "; ".join(f"{root / name} takes {DATASETS[name].source or 'nothing'}" for name in names) + "."
