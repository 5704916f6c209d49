"""An object from ten directions, drawn from its points or from its mesh, with the way back from pixels to points."""

from typing import NamedTuple

import numpy as np
import torch

from s4tok.clouds import PointCloud
from s4tok.config import ViewConfig
from s4tok.datasets.dataset import Mesh
from s4tok.errors import InputError, UsageError
from s4tok.geometry.axes import upright
from s4tok.rendering.cameras import look, ten_views
from s4tok.rendering.depth_views import PROJECTIONS, depth_views
from s4tok.rendering.mesh_views import mesh_views, surface_pixels
from s4tok.shapes import Array, Float, Int
from s4tok.vision.lifting import points_at_pixels


class ObjectViews(NamedTuple):
    """Pictures of one object, and which point is where; numbers as small as a cache wants them."""

    images: Float[Array, "v h w c"]  # 0 .. 1
    drawn: Int[Array, "v h w"]  # the nearest visible point that falls into each pixel; -1 where none does
    pixels: Int[Array, "v n 2"]  # row and column of each point; -1 where the view does not see it


def object_views(
    cloud: PointCloud, up: str, config: ViewConfig, *, mesh: Mesh | None = None, device: str = "cpu"
) -> ObjectViews:
    """Draw an object as `config.image` says: `depth` from its points, `shaded` from its mesh.

    Raises:
        InputError: Where a shaded picture is wanted of a cloud that comes without a mesh.
        UsageError: For `color`, which only posed frames have.
    """
    views = ten_views() @ torch.from_numpy(upright(up))
    nearness = look(torch.from_numpy(cloud.xyz).to(device), views)[..., 2]
    if config.image == "depth":
        points = torch.from_numpy(cloud.xyz).to(device)
        projection = PROJECTIONS[config.projection]
        drawn = depth_views(points, views, projection, size=config.size, lookup=config.projection_compat)
        images, pixels, visible = drawn.images[..., None], drawn.pixels, drawn.visible
    elif config.image == "shaded":
        if mesh is None:
            raise InputError(
                f"{cloud.name} has points and no mesh, and only a mesh can be drawn shaded.", "pass --image depth."
            )
        shaded = mesh_views(mesh, views.numpy(), size=config.size, object_ratio=config.object_ratio)
        places, sees = surface_pixels(
            cloud.original_xyz(), mesh, shaded, views.numpy(), object_ratio=config.object_ratio
        )
        images = torch.from_numpy(shaded.color).to(torch.float32) / 255
        pixels, visible = torch.from_numpy(places).to(device), torch.from_numpy(sees).to(device)
    else:
        raise UsageError("only posed frames of a scene have colours of their own.", "pass --image depth or shaded.")
    at_pixels = points_at_pixels(pixels, visible, nearness, config.size)
    pixels = torch.where(visible[..., None], pixels, -1)
    return ObjectViews(
        images.to("cpu", torch.float16).numpy(),
        at_pixels.cpu().numpy().astype(np.int32),
        pixels.cpu().numpy().astype(np.int16),
    )
