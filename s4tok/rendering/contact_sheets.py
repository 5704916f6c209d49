"""Contact sheets: small pictures side by side, for eyes and for nothing else."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from s4tok.config import ViewConfig
from s4tok.geometry.axes import upright
from s4tok.rendering.cameras import look, ten_views
from s4tok.rendering.depth_views import PROJECTIONS, depth_views
from s4tok.shapes import Array, Float, Float32
from s4tok.vision.lifting import points_at_pixels

COLUMNS = 5
SIDES = [4, 5, 0, 1, 9]  # of the ten directions: front, side, two corners, and from above
DOT = 2  # pixels that a coloured point reaches to each side


def write_sheet(path: Path, pictures: Sequence[Float[Array, "h w c"]]) -> None:
    """Write pictures of one size, 0 .. 1, grey or coloured, as one PNG of rows of five."""
    from PIL import Image  # comes with torchvision, which open_clip brings

    height, width, _ = pictures[0].shape
    rows = -(-len(pictures) // COLUMNS)
    sheet = np.ones((rows * height, min(len(pictures), COLUMNS) * width, 3), np.float32)
    for place, picture in enumerate(pictures):
        top, left = place // COLUMNS * height, place % COLUMNS * width
        sheet[top : top + height, left : left + width] = picture
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((sheet.clip(0, 1) * 255).round().astype(np.uint8)).save(path, format="PNG")


def colored_views(
    xyz: Float32[Array, "n 3"], up: str, color: Float[Array, "n 3"], size: int
) -> Float[Array, "v h w 3"]:
    """Draw points in colours of their own from five of the ten directions, near ones over far ones."""
    views = ten_views()[SIDES] @ torch.from_numpy(upright(up))
    points = torch.from_numpy(xyz)
    drawn = depth_views(points, views, PROJECTIONS[ViewConfig.projection], size=size)
    at = points_at_pixels(drawn.pixels, drawn.visible, look(points, views)[..., 2], size).numpy()
    pictures = np.ones((*at.shape, 3))
    for down in range(-DOT, DOT + 1):
        for right in range(-DOT, DOT + 1):
            moved = np.roll(at, (down, right), axis=(1, 2))  # points keep clear of the border, so nothing wraps
            pictures[moved >= 0] = color[moved[moved >= 0]]
    pictures[at >= 0] = color[at[at >= 0]]
    return pictures
