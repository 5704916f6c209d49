"""Upright boxes, turned about the vertical: their overlap, hulls, and the points in them.

A box is seven numbers: centre x, y, z; full width, depth and height; and the radians by which its width is turned from
+x, counterclockwise seen from above. Everything is computed in float64, and has gradients.
"""

import torch
from torch import Tensor

from s4tok.shapes import Bool, Float, Int, Real

TRIFLE = 1e-9  # of a box's size


def iou_3d(one: Real[Tensor, "n 7"], other: Real[Tensor, "m 7"]) -> Float[Tensor, "n m"]:
    """Give the intersection over union of each of some boxes with each of others; 0 where both are empty."""
    one, other = one.double(), other.double()
    shared = _shared_by_all(one, other)
    together = _together(one[:, None], other[None], shared)
    return shared / together.clamp_min(torch.finfo(together.dtype).tiny)


def giou_3d(one: Real[Tensor, "n 7"], other: Real[Tensor, "m 7"]) -> Float[Tensor, "n m"]:
    """Give the generalised IoU, -1 .. 1: the IoU less the share of the common hull that neither box fills.

    The hull is axis-aligned, as 3DETR has it, and so no tight one where boxes are turned.
    """
    one, other = one.double(), other.double()
    return _generalised(one[:, None], other[None], _shared_by_all(one, other))


def giou_of_pairs(one: Real[Tensor, "n 7"], other: Real[Tensor, "n 7"]) -> Float[Tensor, " n"]:
    """Give the generalised IoU of the first with the first, the second with the second, and so on."""
    one, other = one.double(), other.double()
    return _generalised(one, other, _shared(one, other))


def hulls(boxes: Real[Tensor, "n 7"]) -> Float[Tensor, "n 7"]:
    """Give the axis-aligned boxes around boxes."""
    low, high = _lowest(boxes), _highest(boxes)
    return torch.cat([(low + high) / 2, high - low, torch.zeros_like(low[:, :1])], dim=1)


def corners(boxes: Real[Tensor, "*n 7"]) -> Float[Tensor, "*n 4 2"]:
    """Give the corners of boxes as seen from above, counterclockwise."""
    boxes = boxes.double()
    signs = boxes.new_tensor([[1, 1], [-1, 1], [-1, -1], [1, -1]]) / 2
    own = signs * boxes[..., None, 3:5]
    cosine, sine = boxes[..., 6, None].cos(), boxes[..., 6, None].sin()
    turned = torch.stack([cosine * own[..., 0] - sine * own[..., 1], sine * own[..., 0] + cosine * own[..., 1]], -1)
    return boxes[..., None, :2] + turned


def points_inside(boxes: Real[Tensor, "n 7"], xyz: Real[Tensor, "p 3"]) -> Bool[Tensor, "n p"]:
    """Tell which points lie in which boxes, their faces included."""
    return (in_their_frames(boxes, xyz).abs() <= boxes[:, None, 3:6].double() / 2 * (1 + TRIFLE)).all(-1)


def points_held(boxes: Real[Tensor, "n 7"], xyz: Real[Tensor, "p 3"]) -> Int[Tensor, " n"]:
    """Count the points in each box, one box after another: millions of points do not fit beside a hundred boxes."""
    counts = torch.zeros(len(boxes), dtype=torch.long, device=boxes.device)
    for number, box in enumerate(boxes):
        counts[number] = points_inside(box[None], xyz).sum()
    return counts


def in_their_frames(boxes: Real[Tensor, "*b n 7"], xyz: Real[Tensor, "*b p 3"]) -> Float[Tensor, "*b n p 3"]:
    """Give how far points are from the centres of boxes, along width, depth and height of each."""
    away = xyz.double()[..., None, :, :] - boxes[..., None, :3].double()
    return torch.cat([_turned(away[..., :2], -boxes[..., 6, None].double()), away[..., 2:]], dim=-1)


def _generalised(
    one: Float[Tensor, "... 7"], other: Float[Tensor, "... 7"], shared: Float[Tensor, "..."]
) -> Float[Tensor, "..."]:
    extent = torch.maximum(_highest(one), _highest(other)) - torch.minimum(_lowest(one), _lowest(other))
    together, around, tiny = _together(one, other, shared), extent.prod(-1), torch.finfo(shared.dtype).tiny
    return shared / together.clamp_min(tiny) - (around - together) / around.clamp_min(tiny)


def _together(
    one: Float[Tensor, "... 7"], other: Float[Tensor, "... 7"], shared: Float[Tensor, "..."]
) -> Float[Tensor, "..."]:
    """Give the volumes of unions."""
    return one[..., 3:6].prod(-1) + other[..., 3:6].prod(-1) - shared


def _shared_by_all(one: Float[Tensor, "n 7"], other: Float[Tensor, "m 7"]) -> Float[Tensor, "n m"]:
    """Give the volumes of all intersections; only pairs whose hulls meet are computed."""
    begin = torch.maximum(_lowest(one)[:, None], _lowest(other))
    end = torch.minimum(_highest(one)[:, None], _highest(other))
    meets = (end > begin).all(-1)
    first, second = meets.nonzero(as_tuple=True)
    shared = one.new_zeros(meets.shape)
    shared[meets] = _shared(one[first], other[second])
    return shared


def _shared(one: Float[Tensor, "n 7"], other: Float[Tensor, "n 7"]) -> Float[Tensor, " n"]:
    """Give the volumes of the intersections of pairs."""
    top = torch.minimum(one[:, 2] + one[:, 5] / 2, other[:, 2] + other[:, 5] / 2)
    bottom = torch.maximum(one[:, 2] - one[:, 5] / 2, other[:, 2] - other[:, 5] / 2)
    return _shared_area(one, other) * (top - bottom).clamp_min(0)


def _shared_area(a: Float[Tensor, "n 7"], b: Float[Tensor, "n 7"]) -> Float[Tensor, " n"]:
    """Give the area that two boxes share as seen from above.

    By Green's theorem it is half the sum of cross products along its border, which is what of each box's edges lies in
    the other. The second is made larger by a trifle, so that no edge lies on an edge and counts twice.
    """
    b = torch.cat([b[..., :3], b[..., 3:6] * (1 + TRIFLE), b[..., 6:]], dim=-1)
    origin = a[..., None, :2]
    return (_along(a, b, origin) + _along(b, a, origin)).clamp_min(0) / 2


def _along(
    edges_of: Float[Tensor, "n 7"], within: Float[Tensor, "n 7"], origin: Float[Tensor, "n 1 2"]
) -> Float[Tensor, " n"]:
    """Sum the cross products, about an origin, along those parts of a box's edges that lie in another."""
    around = corners(edges_of)
    edges = around.roll(-1, dims=-2) - around
    back = -within[..., 6, None]
    start, way = _turned(around - within[..., None, :2], back), _turned(edges, back)
    half = within[..., None, 3:5] / 2
    is_along = way.abs() <= 1e-12 * half  # an edge along a side is all the way between both sides, or nowhere
    steady = torch.where(is_along, torch.ones_like(way), way)
    first, second = (-half - start) / steady, (half - start) / steady
    outside = is_along & (start.abs() > half)
    enters = torch.where(is_along, torch.zeros_like(way), torch.minimum(first, second)).amax(-1).clamp_min(0)
    leaves = torch.where(is_along, torch.ones_like(way), torch.maximum(first, second)).amin(-1).clamp_max(1)
    inside = (leaves > enters) & ~outside.any(-1)
    begin = around - origin + enters[..., None] * edges
    end = around - origin + leaves[..., None] * edges
    crossed = begin[..., 0] * end[..., 1] - begin[..., 1] * end[..., 0]
    return torch.where(inside, crossed, torch.zeros_like(crossed)).sum(-1)


def _turned(vectors: Float[Tensor, "*n 2"], angle: Float[Tensor, "..."]) -> Float[Tensor, "*n 2"]:
    cosine, sine = angle.cos(), angle.sin()
    x, y = vectors.unbind(-1)
    return torch.stack([cosine * x - sine * y, sine * x + cosine * y], dim=-1)


def _lowest(boxes: Real[Tensor, "*n 7"]) -> Float[Tensor, "*n 3"]:
    bottom = boxes[..., 2:3].double() - boxes[..., 5:6].double() / 2
    return torch.cat([corners(boxes).amin(-2), bottom], dim=-1)


def _highest(boxes: Real[Tensor, "*n 7"]) -> Float[Tensor, "*n 3"]:
    top = boxes[..., 2:3].double() + boxes[..., 5:6].double() / 2
    return torch.cat([corners(boxes).amax(-2), top], dim=-1)
