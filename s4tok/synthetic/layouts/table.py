"""The table of the layouts the toy world can be written in."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from s4tok.config import WorldConfig
from s4tok.errors import InputError, choose

Sizes = tuple[int, int, int]
Writer = Callable[[Path, Sizes, int], Iterator[str]]

# Name of the dataset -> the function that writes it, relative to this folder, and its usual sizes.
LAYOUTS: dict[str, tuple[str, Sizes]] = {
    "shapenet55": ("objects:shapenet55", WorldConfig.shapes),
    "shapenetpart": ("objects:shapenetpart", WorldConfig.shapes),
    "modelnet40": ("objects:modelnet40", WorldConfig.shapes),
    "scanobjectnn": ("objects:scanobjectnn", WorldConfig.shapes),
    "scannet": ("scannet:scannet", WorldConfig.scans),
    "s3dis": ("s3dis:s3dis", WorldConfig.rooms),
}


def write(layout: str, out: Path, sizes: Sizes | None = None, seed: int = WorldConfig.seed) -> Iterator[str]:
    """Write toy data into an empty folder and name each cloud as it is written.

    Categories the real dataset does not have are left out, so that it may get fewer objects than asked for.

    Raises:
        UsageError: For a layout there is not.
        InputError: Where the folder holds something already: toy data must not mix with real data.
    """
    place, usual = choose("layout", layout, LAYOUTS)
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty, and toy data must not mix with other data.", "name another folder.")
    out.mkdir(parents=True, exist_ok=True)
    module, _, name = place.partition(":")
    writer: Writer = getattr(import_module(f"s4tok.synthetic.layouts.{module}"), name)
    return writer(out, sizes or usual, seed)
