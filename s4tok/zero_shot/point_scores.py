"""How near each point of a cloud is to each label: by a model's tokens, or by 2D features of superpoints."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor
from torch.nn import functional

from s4tok.errors import InputError
from s4tok.models.labelling_model import LabellingModel
from s4tok.models.model import Model
from s4tok.shapes import Array, Bool, Float, Float32, Float64, Int
from s4tok.superpoints.samples import from_y_up
from s4tok.zero_shot import classifier as zero_shot
from s4tok.zero_shot.encoded_windows import Encoder, Looking, encode_windows, mean_over_windows


@torch.inference_mode()
def score_points(
    model: Encoder,
    xyz: Float[Array, "n 3"],
    superpoints: Int[Array, " n"],
    classes: Float[Tensor, "t d"],
    looking: Looking,
    *,
    seed: int,
    up: str = "y",
    features: Float32[Array, "n e"] | None = None,
) -> Float32[Array, "n t"]:
    """Say of every point how near it is to each class: the cosine, averaged where windows overlap.

    The mean cosine ranks classes as the cosine of the mean of unit features would, and no feature has to be kept.
    `features` are colours and normals of the points, for a model that reads them. Of a head, `classes` pick from its
    probabilities, whose mean over windows this is then.
    """
    near = _picked if isinstance(model, LabellingModel) else zero_shot.cosines
    encoded = encode_windows(model, xyz, superpoints, looking, seed=seed, up=up, features=features)
    return mean_over_windows(model, len(xyz), encoded, lambda vectors: near(vectors, classes), len(classes))


def _picked(probabilities: Float[Tensor, "k c"], classes: Float[Tensor, "t c"]) -> Float[Tensor, "k t"]:
    return probabilities @ classes.to(probabilities).T


class EmbeddedPoints(NamedTuple):
    """Features of a cloud's tokens and points, and where the tokens stand."""

    tokens: Float32[Array, "m d"]
    centers: Float64[Array, "m 3"]
    points: Float32[Array, "n d"]  # means over windows of vectors of unit length


@torch.inference_mode()
def embed_points(
    model: Model,
    xyz: Float[Array, "n 3"],
    superpoints: Int[Array, " n"],
    looking: Looking,
    *,
    seed: int,
    up: str = "y",
    features: Float32[Array, "n e"] | None = None,
) -> EmbeddedPoints:
    """Give the features whose cosines `score_points` gives, with the same arguments, and the tokens they come from."""
    encoded = list(encode_windows(model, xyz, superpoints, looking, seed=seed, up=up, features=features))
    width = encoded[0].found.tokens.shape[2]
    points = mean_over_windows(model, len(xyz), encoded, lambda vectors: functional.normalize(vectors, dim=-1), width)
    kept = [each.found.read.is_token[0] for each in encoded]
    tokens = [each.found.tokens[0, is_token].float() for each, is_token in zip(encoded, kept, strict=True)]
    centers = [
        from_y_up(each.found.read.xyz[0, is_token].cpu().numpy(), xyz[each.which], up)
        for each, is_token in zip(encoded, kept, strict=True)
    ]
    return EmbeddedPoints(torch.cat(tokens).cpu().numpy(), np.concatenate(centers), points)


def vision_scores(
    features: Float[Array, "s d"],
    is_seen: Bool[Array, " s"],
    xyz: Float[Array, "n 3"],
    superpoints: Int[Array, " n"],
    classes: Float[Tensor, "t d"],
) -> Float32[Array, "n t"]:
    """Score points by the 2D features of their superpoints; for one that no view has seen, the nearest that has one."""
    if not is_seen.any():
        raise InputError("no view has seen any of its superpoints.", "draw other views: s4tok render-views.")
    sizes = np.bincount(superpoints, minlength=len(features))
    sums = np.stack([np.bincount(superpoints, axis, len(features)) for axis in xyz.T], axis=1)
    middles = sums / np.maximum(sizes, 1)[:, None]
    seen = np.flatnonzero(is_seen)
    speaker = seen[KDTree(middles[seen]).query(middles)[1]]
    speaker[seen] = seen
    table = torch.from_numpy(features.astype(np.float32)).to(classes.device)
    scores: Array = zero_shot.cosines(table, classes).cpu().numpy()[speaker][superpoints]
    return scores
