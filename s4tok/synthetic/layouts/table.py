"""The layouts that synthetic data can be written in."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from s4tok.config import WorldConfig
from s4tok.datasets.reader import FolderLayout
from s4tok.errors import InputError, choose

Sizes = tuple[int, int, int]
Writer = Callable[..., Iterator[str]]  # of a folder, sizes and a seed, and of furniture where it takes some

# Name of the dataset -> the function that writes it, relative to this folder, and its usual sizes.
LAYOUTS: dict[str, tuple[str, Sizes]] = {
    "shapenet55": ("objects:shapenet55", WorldConfig.shapes),
    "shapenetpart": ("objects:shapenetpart", WorldConfig.shapes),
    "modelnet40": ("objects:modelnet40", WorldConfig.shapes),
    "scanobjectnn": ("objects:scanobjectnn", WorldConfig.shapes),
    "scannet": ("scannet:scannet", WorldConfig.scans),
    "sunrgbd": ("sunrgbd:sunrgbd", WorldConfig.scans),
    "s3dis": ("s3dis:s3dis", WorldConfig.rooms),
}
OF_HOMES = {"scannet": ("scannet:furnished_scannet", WorldConfig.home_scans)}


def write(
    layout: str,
    out: Path,
    sizes: Sizes | None = None,
    seed: int = WorldConfig.seed,
    furniture: FolderLayout | None = None,
    *,
    of_homes: bool = False,
) -> Iterator[str]:
    """Write toy data, or homes, into an empty folder and name each cloud as it is written.

    Categories the real dataset does not have are left out, so that it may get fewer objects than asked for.

    Raises:
        UsageError: For a layout there is not.
        InputError: Where the folder holds something already: toy data must not mix with real data.
    """
    place, usual = choose("layout", layout, OF_HOMES if of_homes else LAYOUTS)
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty, and toy data must not mix with other data.", "name another folder.")
    out.mkdir(parents=True, exist_ok=True)
    module, _, name = place.partition(":")
    writer: Writer = getattr(import_module(f"s4tok.synthetic.layouts.{module}"), name)
    return writer(out, sizes or usual, seed, *((furniture,) if of_homes else ()))
