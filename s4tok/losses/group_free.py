"""How far the boxes of GroupFree3D's decoder are from true ones: each query answers for the thing that it stands on."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.collective import mean
from s4tok.config import GroupFreeLossConfig
from s4tok.geometry.boxes import TRIFLE, in_their_frames
from s4tok.heads.detection import of_yaw
from s4tok.heads.group_free import StagedPredictions
from s4tok.losses.boxes import TrueBoxes
from s4tok.shapes import Bool, Float, Int, Real

SMALLEST = 1e-6  # metres, of a box that distances are divided by


class Owned(NamedTuple):
    """Whose each point is."""

    owner: Int[Tensor, "b p"]  # a box, or 0 where it lies in none
    is_owned: Bool[Tensor, "b p"]
    distance: Float[Tensor, "b o p"]  # from the centre of each box in units of its size, infinite for other boxes


@torch.no_grad()
def owned(xyz: Real[Tensor, "b p 3"], true: TrueBoxes) -> Owned:
    """Give points to the boxes they lie in, each to that whose centre is nearest in units of its size.

    GroupFree3D takes the annotated instance of each point, which not every dataset has.
    """
    away = in_their_frames(true.boxes, xyz)
    half = true.boxes[:, :, None, 3:6].double() / 2
    is_inside = (away.abs() <= half * (1 + TRIFLE)).all(-1) & true.is_box[..., None]
    distance = (away / (2 * half).clamp_min(SMALLEST)).norm(dim=-1).masked_fill(~is_inside, torch.inf)
    least, owner = distance.min(dim=1)
    is_its = owner[:, None] == torch.arange(distance.shape[1], device=owner.device)[:, None]
    return Owned(owner, least.isfinite(), distance.masked_fill(~is_its, torch.inf))


def nearest_of_each(points: Owned, count: int) -> Bool[Tensor, "b p"]:
    """Tell which points are among the `count` nearest to the centre of the box that owns them."""
    distance, index = points.distance.topk(min(count, points.distance.shape[2]), dim=2, largest=False)
    marks = torch.zeros_like(points.is_owned, dtype=torch.int64)
    marks.scatter_add_(1, index.flatten(1), distance.isfinite().long().flatten(1))
    return marks > 0


def focal(logits: Float[Tensor, "..."], is_so: Bool[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Give the focal loss of each logit, with the usual alpha 1/4 and gamma 2: what is clear already weighs little."""
    target = is_so.float()
    entropy = functional.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
    return (0.75 - 0.5 * target) * (1 - (-entropy).exp()).square() * entropy


def staged_losses(
    found: StagedPredictions, true: TrueBoxes, config: GroupFreeLossConfig
) -> dict[str, Float[Tensor, ""]]:
    """Compare all stages' boxes with the true ones; weighted, the mean over stages.

    Losses of boxes are means over the queries that stand on a thing, of all scenes together.
    """
    queries = owned(found.at, true)
    is_on = queries.is_owned & found.is_query
    label = true.labels.gather(1, queries.owner)
    box = true.boxes.gather(1, queries.owner[..., None].expand(-1, -1, 7)).float()
    each = {
        "class": config.class_weight * _entropy(found.logits, label),
        "center": functional.smooth_l1_loss(
            found.centers, box[..., :3].expand_as(found.centers), reduction="none", beta=config.center_delta
        ).sum(-1),
        "size": _size(found, box[..., 3:6], label, config),
        "angle": _angle(found, box[..., 6], config),
    }
    share = config.factor / len(found.objectness)
    losses = {name: share * mean((value * is_on).sum(), is_on.sum()) for name, value in each.items()}
    objectness = focal(found.objectness, is_on.expand_as(found.objectness)) * found.is_query
    losses["objectness"] = share * config.objectness_weight * mean(objectness.sum(), found.is_query.sum())
    losses["queries"] = config.factor * config.query_weight * _choice(found, true, config.nearest)
    return losses


def recognised(found: StagedPredictions, true: TrueBoxes) -> tuple[Real[Tensor, ""], Real[Tensor, ""]]:
    """Count the queries on a thing that have its class after the last layer, and all queries on things."""
    queries = owned(found.at, true)
    is_on = queries.is_owned & found.is_query
    is_right = found.logits[-1].argmax(-1) == true.labels.gather(1, queries.owner)
    return (is_right & is_on).sum().float(), is_on.sum().float()


def _choice(found: StagedPredictions, true: TrueBoxes, nearest: int) -> Float[Tensor, ""]:
    if found.token_logits is None:
        return found.centers.new_zeros(())
    tokens = owned(found.token_xyz, true)
    each = focal(found.token_logits, nearest_of_each(tokens, nearest)) * found.is_token
    return mean(each.sum(), found.is_token.sum())


def _size(
    found: StagedPredictions, sizes: Float[Tensor, "b q 3"], label: Int[Tensor, "b q"], config: GroupFreeLossConfig
) -> Float[Tensor, "l b q"]:
    """Compare the size of the true class alone, and which class's size it is."""
    which = label if len(found.typical) > 1 else torch.zeros_like(label)
    at = which[None, ..., None, None].expand(len(found.excesses), -1, -1, 1, 3)
    excess = found.excesses.gather(3, at).squeeze(3)
    wanted = (sizes / found.typical[which] - 1).expand_as(excess)
    off = functional.huber_loss(excess, wanted, reduction="none", delta=config.size_delta).sum(-1)
    return off + config.class_weight * _entropy(found.size_logits, which)


def _angle(found: StagedPredictions, yaw: Float[Tensor, "b q"], config: GroupFreeLossConfig) -> Float[Tensor, "l b q"]:
    parts = found.angle_logits.shape[-1]
    part, residual = of_yaw(yaw, parts)
    predicted = found.angle_residuals.gather(3, part[None, ..., None].expand(len(found.angle_logits), -1, -1, 1))[
        ..., 0
    ]
    off = functional.huber_loss(predicted, residual.expand_as(predicted), reduction="none", delta=config.residual_delta)
    return float(parts > 1) * (off + config.class_weight * _entropy(found.angle_logits, part))


def _entropy(logits: Float[Tensor, "l b q c"], label: Int[Tensor, "b q"]) -> Float[Tensor, "l b q"]:
    return functional.cross_entropy(logits.movedim(-1, 1), label.expand(logits.shape[:-1]), reduction="none")
