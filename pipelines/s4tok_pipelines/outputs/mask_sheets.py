"""Contact sheets of masks: frames beside themselves in a colour a mask."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from s4tok.rendering.contact_sheets import write_sheet
from s4tok.rendering.palette import colors_of_superpoints
from s4tok.shapes import Array, Float, Int32, UInt8

SHOWN = 10  # frames
NAME = "masks.png"


def spread(keys: Sequence[str]) -> list[str]:
    """Choose the frames that are shown, evenly spread."""
    places = {round(each * (len(keys) - 1) / (SHOWN - 1)) for each in range(SHOWN)} if keys else set[int]()
    return [keys[place] for place in sorted(places)]


def write_mask_sheet(folder: Path, pictures: Sequence[Float[Array, "h w 3"]]) -> None:
    """Write what `beside` gives of some frames."""
    if pictures:
        write_sheet(folder / NAME, pictures)


def beside(color: UInt8[Array, "h w 3"], ids: Int32[Array, "h w"]) -> Float[Array, "h w2 3"]:
    """Put a frame's colours beside its masks, black where there is none."""
    masks = colors_of_superpoints(ids.ravel()).reshape(*ids.shape, 3) * (ids > 0)[..., None]
    both: Array = np.concatenate([color, masks], axis=1) / 255
    return both
