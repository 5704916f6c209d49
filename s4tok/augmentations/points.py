"""Changes of clouds that leave their labels what they are, each a function of a cloud's seed alone."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.shapes import Bool, Float, Float32, Int, Real
from s4tok.tokenizers import PointFeatures
from s4tok.tokenizers.noise import noise

_STRETCH, _REST, _JITTER = 2, 4, 5  # streams of noise, apart from each other and from the draws of tokens and dropout


class Cloud(NamedTuple):
    """Points of a batch of clouds, +y up, and what is known of each."""

    points: Real[Tensor, "b n 3"]
    features: Float[Tensor, "b n extra"] | None  # as of `PointFeatures.read`
    read: PointFeatures  # what these are


def stretched(cloud: Cloud, seeds: Int[Tensor, " b"], scale_range: tuple[float, float], shift: float) -> Cloud:
    """Stretch each cloud along its axes and shift it; PCP-MAE's. Normals stay at right angles to their surface."""
    draw = _draw(seeds, _STRETCH, 6)
    low, high = scale_range
    scale, move = low + (high - low) * draw[:, None, :3], shift * (2 * draw[:, None, 3:] - 1)
    normals = cloud.read.columns("normals")
    features = cloud.features
    if features is not None and normals is not None:
        features = features.clone()
        features[..., normals] = functional.normalize(features[..., normals] / scale.to(features.dtype), dim=2)
    points = cloud.points
    return cloud._replace(points=points * scale.to(points.dtype) + move.to(points.dtype), features=features)


def turned(cloud: Cloud, seeds: Int[Tensor, " b"], degrees: float, flip: float) -> Cloud:
    """Turn each cloud about the vertical by at most so many degrees, and mirror its horizontal axes that often."""
    if not degrees and not flip:
        return cloud
    draw = _draw(seeds, _REST, 3)
    angle = math.radians(degrees) * (2 * draw[:, 0] - 1)
    mirror = torch.where(draw[:, 1:] < flip, -1.0, 1.0)
    matrix = torch.zeros(len(seeds), 3, 3, device=seeds.device)
    matrix[:, 1, 1] = 1
    matrix[:, 0, 0], matrix[:, 0, 2] = mirror[:, 0] * angle.cos(), mirror[:, 0] * angle.sin()
    matrix[:, 2, 0], matrix[:, 2, 2] = -mirror[:, 1] * angle.sin(), mirror[:, 1] * angle.cos()
    normals, features = cloud.read.columns("normals"), cloud.features
    if features is not None and normals is not None:
        features = features.clone()
        features[..., normals] = features[..., normals] @ matrix.mT.to(features.dtype)
    return cloud._replace(points=cloud.points @ matrix.mT.to(cloud.points.dtype), features=features)


def jittered(cloud: Cloud, seeds: Int[Tensor, " b"], is_point: Bool[Tensor, "b n"], deviation: float) -> Cloud:
    """Move each point a little, in units of how far points lie from their middle, root mean square."""
    if not deviation:
        return cloud
    points, shown = cloud.points, is_point[..., None]
    count = is_point.sum(1).clamp_min(1)[:, None, None]
    middle = (points * shown).sum(1, keepdim=True) / count
    spread = (((points - middle) * shown).square().sum((1, 2), keepdim=True) / count).sqrt()
    place = torch.arange(3 * points.shape[1], device=points.device)
    stream = torch.full_like(place, _JITTER)
    near, far = (noise(seeds[:, None], stream, 2 * place + which) for which in (0, 1))
    normal = (-2 * (1 - near).log()).sqrt() * (2 * math.pi * far).cos()  # Box and Muller
    moved = deviation * spread * normal.view(points.shape) * shown
    return cloud._replace(points=points + moved.to(points.dtype))


def discolored(cloud: Cloud, seeds: Int[Tensor, " b"], share: float) -> Cloud:
    """Let the colours of some clouds be unknown."""
    colors, features = cloud.read.columns("rgb"), cloud.features
    if not share or features is None or colors is None:
        return cloud
    is_dropped = _draw(seeds, _REST, 4)[:, 3] < share
    features = features.clone()
    features[is_dropped, :, colors.start : colors.stop + 1] = 0  # the channel after them says that they are known
    return cloud._replace(features=features)


def _draw(seeds: Int[Tensor, " b"], stream: int, count: int) -> Float32[Tensor, "b x"]:
    places = torch.arange(count, device=seeds.device)
    return noise(seeds[:, None], torch.full_like(places, stream), places)
