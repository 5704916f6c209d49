"""How far found boxes are from true ones: 3DETR's matching of sets, and the losses of what was matched."""

from typing import NamedTuple

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional

from s4tok.collective import mean
from s4tok.config import BoxLossConfig
from s4tok.geometry.boxes import giou_3d, giou_of_pairs
from s4tok.heads.detection import BoxPredictions, of_yaw
from s4tok.shapes import Bool, Float, Int, Real


class TrueBoxes(NamedTuple):
    """The boxes of a batch's scenes, padded to one number."""

    boxes: Float[Tensor, "b o 7"]
    labels: Int[Tensor, "b o"]
    is_box: Bool[Tensor, "b o"]


class Matches(NamedTuple):
    """Pairs of a query and a true box, over layers and scenes; index by index they belong together."""

    layers: Int[Tensor, " x"]
    scenes: Int[Tensor, " x"]
    queries: Int[Tensor, " x"]
    boxes: Int[Tensor, " x"]


@torch.no_grad()
def match(found: BoxPredictions, true: TrueBoxes, config: BoxLossConfig) -> Matches:
    """Give each true box a query of its own after each layer, at the least cost in all.

    Of a scene with more boxes than queries some boxes are left without one. Nothing depends on the order of boxes,
    but where costs are the same to the bit.
    """
    boxes, probabilities = found.boxes(), found.logits.softmax(-1)
    parts = []
    for scene in range(len(true.boxes)):
        queries, mine = found.is_query[scene].nonzero()[:, 0], true.is_box[scene].nonzero()[:, 0]
        if not len(queries) or not len(mine):
            continue
        costs = _costs(
            boxes[:, scene, queries], probabilities[:, scene, queries], true.boxes[scene, mine],
            true.labels[scene, mine], found.extent[scene], config,
        )  # fmt: skip
        for layer, cost in enumerate(costs.cpu().numpy()):
            rows, columns = (torch.from_numpy(each).to(queries.device) for each in linear_sum_assignment(cost))
            order = columns.argsort()  # pairs then stand in the order of boxes
            where = torch.full_like(rows, layer), torch.full_like(rows, scene)
            parts.append((*where, queries[rows[order]], mine[columns[order]]))
    if not parts:
        nothing = torch.zeros(0, dtype=torch.int64, device=true.labels.device)
        return Matches(nothing, nothing, nothing, nothing)
    return Matches(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _costs(
    boxes: Float[Tensor, "l q 7"],
    probabilities: Float[Tensor, "l q c"],
    true: Float[Tensor, "o 7"],
    labels: Int[Tensor, " o"],
    extent: Float[Tensor, "3"],
    config: BoxLossConfig,
) -> Float[Tensor, "l q o"]:
    away = (boxes[:, :, None, :3] - true[:, :3]).abs() / extent
    overlap = giou_3d(boxes.flatten(0, 1), true).view(*boxes.shape[:2], len(true))
    return (
        -config.match_class * probabilities[..., labels]
        - config.match_giou * overlap
        + config.match_center * away.sum(-1)
        - config.match_objectness * (1 - probabilities[..., -1:])
    )


def box_losses(
    found: BoxPredictions, true: TrueBoxes, matches: Matches, config: BoxLossConfig
) -> dict[str, Float[Tensor, ""]]:
    """Compare what was matched, and say which queries have nothing; a layer's losses, weighted, summed over layers.

    Each but that of classes is a sum over true boxes, divided by their number in the whole batch, at least 1.
    """
    pairs, parts = (matches.layers, matches.scenes, matches.queries), found.angle_logits.shape[-1]
    wanted = true.boxes[matches.scenes, matches.boxes]
    predicted = found.boxes()[pairs]
    extent, count = found.extent[matches.scenes], true.is_box.sum()
    part, residual = of_yaw(wanted[:, 6], parts)
    found_residual = found.angle_residuals[pairs].gather(1, part[:, None])[:, 0]
    has_angles = float(parts > 1)
    sums = {
        "giou": config.giou_weight * (1 - giou_of_pairs(predicted, wanted)).sum(),
        "center": config.center_weight * ((predicted - wanted)[:, :3].abs() / extent).sum(),
        "size": config.size_weight * ((predicted - wanted)[:, 3:6].abs() / extent).sum(),
        "angle": has_angles * (
            config.angle_weight * functional.cross_entropy(found.angle_logits[pairs], part, reduction="sum")
            + config.residual_weight * functional.huber_loss(found_residual, residual, reduction="sum")
        ),
    }  # fmt: skip
    losses = {name: mean(each.float(), count) for name, each in sums.items()}
    losses["class"] = config.class_weight * _class_loss(found, true, matches, config.no_object)
    return losses


def _class_loss(found: BoxPredictions, true: TrueBoxes, matches: Matches, no_object: float) -> Float[Tensor, ""]:
    """Sum over layers the mean cross entropy of all queries, in which those without a box weigh less."""
    nothing = found.logits.shape[-1] - 1
    labels = torch.full(found.logits.shape[:3], nothing, device=found.logits.device)
    labels[matches.layers, matches.scenes, matches.queries] = true.labels[matches.scenes, matches.boxes]
    weights = torch.where(labels == nothing, no_object, 1.0) * found.is_query
    each = functional.cross_entropy(found.logits.flatten(0, 2), labels.flatten(), reduction="none").view_as(weights)
    layers = [mean((each[at] * weights[at]).sum(), weights[at].sum()) for at in range(len(each))]
    return torch.stack(layers).sum()


def classified(matches: Matches, found: BoxPredictions, true: TrueBoxes) -> tuple[Real[Tensor, ""], Real[Tensor, ""]]:
    """Count the true boxes whose query, after the last layer, has its class, and all true boxes."""
    last = matches.layers == len(found.logits) - 1
    labels = true.labels[matches.scenes[last], matches.boxes[last]]
    answers = found.logits[-1, matches.scenes[last], matches.queries[last]].argmax(-1)
    return (answers == labels).sum().float(), true.is_box.sum().float()
