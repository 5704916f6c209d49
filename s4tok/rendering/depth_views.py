"""Depth pictures of a point cloud, made of tensors alone: PointCLIP V2's realistic projection.

Points are dropped into a grid of depth x rows x columns; a maximum filter closes the gaps between them, a Gaussian
smooths the steps, and the nearest layer of each pixel is the picture. Where several points fall into one cell the
nearest wins, so that the picture does not depend on their order; in the release the last one written wins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.rendering.cameras import look
from s4tok.shapes import Bool, Float, Float64, Int


@dataclass(frozen=True)
class Projection:
    """The numbers of a projection; PointCLIP V2 has one for part segmentation and one for classification."""

    size: int  # rows and columns of the grid
    depth: int  # its layers
    object_ratio: float  # share of the grid the object spans
    depth_bias: float  # empty room behind the object, in its own extent
    dilate: tuple[int, int, int]  # the maximum filter, over layers, rows, columns
    blur: tuple[int, int, int]  # the Gaussian's kernel
    sigma: tuple[float, float, float]  # and its widths
    crop: int  # pixels cut off each side before the picture is resized
    seen_within: float = 0.1  # a point is seen where the picture is not nearer than it by more than this


SEGMENTATION = Projection(
    size=224, depth=112, object_ratio=0.7, depth_bias=0.3,
    dilate=(5, 11, 11), blur=(5, 5, 5), sigma=(2.0, 1.0, 1.0), crop=20,
)  # fmt: skip
CLASSIFICATION = Projection(
    size=112, depth=8, object_ratio=0.8, depth_bias=0.2,
    dilate=(1, 7, 7), blur=(1, 3, 3), sigma=(1.0, 3.0, 3.0), crop=0,
)  # fmt: skip
PROJECTIONS = {"segmentation": SEGMENTATION, "classification": CLASSIFICATION}

Lookup = Literal["corrected", "pclipv2"]

CELLS_AT_ONCE = 2**18  # of the grid; a whole one is larger than what two cores keep in their cache


class DepthViews(NamedTuple):
    """Pictures of one cloud, and where each of its points is in them."""

    images: Float[Tensor, "v h w"]  # 1 is background, towards 0 is nearer
    pixels: Int[Tensor, "v n 2"]  # row and column of each point
    visible: Bool[Tensor, "v n"]  # the point is the surface that its pixel shows


def depth_views(
    points: Float[Tensor, "n 3"],
    views: Float64[Tensor, "v 3 3"],
    projection: Projection = SEGMENTATION,
    *,
    size: int = 224,
    lookup: Lookup = "corrected",
) -> DepthViews:
    """Draw a cloud from each direction, `size` pixels square, and say which pixel shows which point.

    `lookup="pclipv2"` reads pixels and visibility at the transposed place, as the release of PointCLIP V2 does.
    """
    seen = look(points, views)
    cells, values = _cells(seen, projection)
    window = _window(projection)
    places = cells[..., 1:] if lookup == "corrected" else cells[..., 1:].flip(-1)
    pictures, visible = [], []
    for view in range(len(views)):
        image, solid = _draw(cells[view], values[view], projection, window)
        row, column = (places[view] - window).unbind(-1)
        here = 1 - solid.at(torch.cat([cells[view, :, :1], places[view]], dim=-1))
        pictures.append(image)
        visible.append((image[row, column] - here).abs() < projection.seen_within)
    images = torch.stack(pictures)
    edge = projection.crop - window
    cut = images[:, edge : images.shape[1] - edge, edge : images.shape[2] - edge] if edge else images
    resized = functional.interpolate(cut[:, None], (size, size), mode="bilinear", align_corners=True)[:, 0]
    ratio = size / (projection.size - 2 * projection.crop)
    pixels = torch.ceil((places - projection.crop) * ratio).long().clamp(0, size - 1)
    return DepthViews(resized, pixels, torch.stack(visible))


def _cells(seen: Float[Tensor, "v n 3"], projection: Projection) -> tuple[Int[Tensor, "v n 3"], Float[Tensor, "v n"]]:
    """Find each point's cell (layer, row, column), and its exact depth in layers."""
    low, high = seen.amin(dim=1, keepdim=True), seen.amax(dim=1, keepdim=True)
    extent = (high - low).amax(dim=2, keepdim=True).clamp(min=torch.finfo(seen.dtype).tiny)
    unit = 2 * (seen - (low + high) / 2) / extent
    places = torch.ceil((unit[..., :2] * projection.object_ratio + 1) / 2 * projection.size)
    places = places.clamp(1, projection.size - 2).long()
    bias, top = projection.depth_bias, projection.depth - 2
    values = (((unit[..., 2] + 1) / 2 + bias) / (1 + bias) * top).clamp(1, top)
    return torch.cat([torch.ceil(values).long()[..., None], places], dim=-1), values


def _window(projection: Projection) -> int:
    """Give how many rows and columns at each side cannot reach the picture, and are left out of the grid."""
    reach = projection.dilate[1] // 2 + projection.blur[1] // 2
    return max(0, projection.crop - reach)


class _Solid(NamedTuple):
    """The part of a grid that holds anything."""

    values: Float[Tensor, "layers h w"]
    highest: Float[Tensor, ""]  # of these
    low: Int[Tensor, " 3"]  # the cell of the whole grid that its first is

    def at(self, cells: Int[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Look cells of the whole grid up, as shares of the highest; 0 where there is nothing."""
        size = torch.tensor(self.values.shape, device=cells.device)
        here = cells - self.low
        inside = ((here >= 0) & (here < size)).all(-1)
        layer, row, column = torch.where(inside[:, None], here, 0).unbind(-1)
        return torch.where(inside, self.values[layer, row, column] / self.highest, 0)


def _draw(
    cells: Int[Tensor, "n 3"], values: Float[Tensor, " n"], projection: Projection, window: int
) -> tuple[Float[Tensor, "h w"], _Solid]:
    """Draw one view; give its picture, in which the nearest value is scaled to 1, and the smoothed grid.

    Only the cells that filter and Gaussian can reach are computed; an object is seldom as deep and high as it is wide.
    """
    reach = torch.tensor([wide // 2 + blur // 2 for wide, blur in zip(projection.dilate, projection.blur, strict=True)])
    first, last = torch.tensor([0, window, window]), torch.tensor([projection.depth, *2 * [projection.size - window]])
    reach, first, last = (each.to(cells.device) for each in (reach, first, last))
    inside = ((cells >= first) & (cells < last)).all(-1)
    low = torch.maximum(cells.amin(0) - reach, first)
    layers, rows, columns = (torch.minimum(cells.amax(0) + reach + 1, last) - low).tolist()
    layer, row, column = (cells[inside] - low).unbind(-1)
    grid = values.new_zeros(layers * rows * columns)
    grid.scatter_reduce_(0, (layer * rows + row) * columns + column, values[inside], "amax")
    wide, blur, sigma = projection.dilate, projection.blur, projection.sigma
    solid = grid.view(layers, rows, columns)
    solid = _in_parts(solid, 0, lambda part: _dilate(_dilate(part, 1, wide[1]), 2, wide[2]))
    solid = _in_parts(solid, 1, lambda part: _blur(_dilate(part, 0, wide[0]), 0, blur[0], sigma[0]))
    solid = _in_parts(solid, 0, lambda part: _blur(_blur(part, 1, blur[1], sigma[1]), 2, blur[2], sigma[2]))
    highest = solid.amax()
    side = projection.size - 2 * window
    image = values.new_ones(side, side)
    top, left = (low[1:] - window).tolist()
    image[top : top + rows, left : left + columns] = 1 - solid.amax(dim=0) / highest
    return image, _Solid(solid, highest, low)


def _in_parts(solid: Float[Tensor, "d h w"], axis: int, filtered: Callable[[Tensor], Tensor]) -> Float[Tensor, "d h w"]:
    """Filter slabs of a grid that stay in a CPU's cache, cut across an axis along which the filter does not look."""
    at_once = CELLS_AT_ONCE if solid.device.type == "cpu" else solid.numel()
    thick = max(1, at_once * solid.shape[axis] // max(1, solid.numel()))
    return torch.cat([filtered(part) for part in torch.split(solid, thick, axis)], axis)


def _dilate(solid: Float[Tensor, "d h w"], axis: int, width: int) -> Float[Tensor, "d h w"]:
    """Take the maximum of `width` neighbours along an axis, in a logarithmic number of steps."""
    if width == 1:
        return solid
    half, length = width // 2, solid.shape[axis]
    wide = solid.new_zeros(*_longer(solid, axis, 2 * half))
    wide.narrow(axis, half, length).copy_(solid)
    reach = 1
    while reach < width:
        step = min(reach, width - reach)
        wide = torch.maximum(
            wide.narrow(axis, 0, wide.shape[axis] - step), wide.narrow(axis, step, wide.shape[axis] - step)
        )
        reach += step
    return wide


def _blur(solid: Float[Tensor, "d h w"], axis: int, width: int, sigma: float) -> Float[Tensor, "d h w"]:
    """Smooth along an axis with a Gaussian that sums to 1; beyond the grid lies nothing."""
    half, length = width // 2, solid.shape[axis]
    weights = [exp(-((offset / sigma) ** 2) / 2) for offset in range(-half, half + 1)]
    total = sum(weights)
    smooth = solid * (weights[half] / total)
    for offset in range(1, half + 1):
        weight, rest = weights[half + offset] / total, length - offset
        smooth.narrow(axis, 0, rest).add_(solid.narrow(axis, offset, rest), alpha=weight)
        smooth.narrow(axis, offset, rest).add_(solid.narrow(axis, 0, rest), alpha=weight)
    return smooth


def _longer(solid: Tensor, axis: int, by: int) -> list[int]:
    shape = list(solid.shape)
    shape[axis] += by
    return shape
