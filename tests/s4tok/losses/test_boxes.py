from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from s4tok.config import BoxLossConfig
from s4tok.geometry.boxes import giou_3d
from s4tok.heads.detection import BoxPredictions, of_yaw
from s4tok.losses.boxes import Matches, TrueBoxes, box_losses, classified, match

ALL = BoxLossConfig(match_center=5.0, match_objectness=5.0)
EXTENT = torch.tensor([[4.0, 5.0, 2.0], [3.0, 3.0, 3.0]])


def predicted(layers: int = 2, queries: int = 6, classes: int = 3, seed: int = 0) -> BoxPredictions:
    draw = torch.Generator().manual_seed(seed)
    shape = (layers, 2, queries)
    return BoxPredictions(
        logits=torch.randn(*shape, classes + 1, generator=draw),
        centers=4 * torch.rand(*shape, 3, generator=draw),
        sizes=0.1 + torch.rand(*shape, 3, generator=draw),
        angle_logits=torch.randn(*shape, 12, generator=draw),
        angle_residuals=torch.rand(*shape, 12, generator=draw),
        is_query=torch.arange(queries) < torch.tensor([[queries], [queries - 2]]),
        low=torch.zeros(2, 3),
        extent=EXTENT,
    )


def true(counts: tuple[int, int] = (4, 2), seed: int = 1) -> TrueBoxes:
    draw, most = torch.Generator().manual_seed(seed), max(*counts, 1)
    boxes = torch.cat([4 * torch.rand(2, most, 3, generator=draw), 0.2 + torch.rand(2, most, 4, generator=draw)], -1)
    is_box = torch.arange(most) < torch.tensor(counts)[:, None]
    return TrueBoxes(boxes, torch.randint(3, (2, most), generator=draw), is_box)


def by_hand(found: BoxPredictions, boxes: TrueBoxes, layer: int, scene: int, config: BoxLossConfig) -> dict[int, int]:
    """Match one scene by a cost that is written out pair by pair."""
    queries, count = int(found.is_query[scene].sum()), int(boxes.is_box[scene].sum())
    cost = np.zeros((queries, count))
    for query in range(queries):
        chances = found.logits[layer, scene, query].softmax(0)
        mine = found.boxes()[layer, scene, query]
        for place in range(count):
            other = boxes.boxes[scene, place]
            away = float(((mine - other)[:3] / found.extent[scene]).abs().sum())
            cost[query, place] = (
                -config.match_class * chances[boxes.labels[scene, place]]
                - config.match_giou * giou_3d(mine[None], other[None])[0, 0]
                + config.match_center * away
                - config.match_objectness * (1 - chances[-1])
            )
    rows, columns = linear_sum_assignment(cost)
    return {int(column): int(row) for row, column in zip(rows, columns, strict=True)}


def test_boxes_are_matched_at_the_least_cost_as_a_slow_twin_matches_them() -> None:
    found, boxes = predicted(), true()
    matches = match(found, boxes, ALL)
    for layer in range(2):
        for scene in range(2):
            mine = (matches.layers == layer) & (matches.scenes == scene)
            pairs = dict(zip(matches.boxes[mine].tolist(), matches.queries[mine].tolist(), strict=True))
            assert pairs == by_hand(found, boxes, layer, scene, ALL)


def test_matches_and_losses_do_not_depend_on_the_order_of_boxes_or_queries() -> None:
    found, boxes = predicted(), true((4, 4))
    order, shuffled = torch.tensor([2, 0, 3, 1]), torch.tensor([3, 0, 2, 1, 4, 5])
    other = TrueBoxes(*(part[:, order] for part in boxes))
    moved = found._replace(
        **{name: getattr(found, name)[:, :, shuffled] for name in found._fields[:5]},
        is_query=found.is_query[:, shuffled],
    )
    first, second, third = match(found, boxes, ALL), match(found, other, ALL), match(moved, boxes, ALL)

    def pairs(matches: Matches) -> set[tuple[int, ...]]:
        return set(zip(*(column.tolist() for column in matches), strict=True))

    as_before = second._replace(boxes=order[second.boxes]), third._replace(queries=shuffled[third.queries])
    assert pairs(first) == pairs(as_before[0]) == pairs(as_before[1])
    for given, with_boxes, matches in ((found, other, second), (moved, boxes, third)):
        again = box_losses(given, with_boxes, matches, ALL)
        for name, each in box_losses(found, boxes, first, ALL).items():
            torch.testing.assert_close(again[name], each)


def test_losses_are_those_of_a_slow_twin() -> None:
    found, boxes, config = predicted(layers=1), true(), replace(ALL, no_object=0.1)
    losses = box_losses(found, boxes, match(found, boxes, config), config)
    sums = dict.fromkeys(("center", "size", "giou", "angle"), 0.0)
    entropy = weights = 0.0
    for scene in range(2):
        pairs = by_hand(found, boxes, 0, scene, config)
        for query in range(int(found.is_query[scene].sum())):
            place = next((each for each, one in pairs.items() if one == query), None)
            label = 3 if place is None else int(boxes.labels[scene, place])
            weight = config.no_object if place is None else 1.0
            entropy -= weight * float(found.logits[0, scene, query].log_softmax(0)[label])
            weights += weight
            if place is None:
                continue
            mine, other = found.boxes()[0, scene, query].double(), boxes.boxes[scene, place].double()
            away = (mine - other).abs()[:6] / EXTENT[scene].repeat(2)
            sums["center"] += float(away[:3].sum())
            sums["size"] += float(away[3:].sum())
            sums["giou"] += 1 - float(giou_3d(mine[None], other[None]))
            part, residual = of_yaw(other[6], 12)
            off = abs(float(found.angle_residuals[0, scene, query, part] - residual))
            sums["angle"] -= config.angle_weight * float(found.angle_logits[0, scene, query].log_softmax(0)[part])
            sums["angle"] += config.residual_weight * (off**2 / 2 if off < 1 else off - 0.5)
    assert float(losses["class"]) == pytest.approx(entropy / weights, rel=1e-5)
    for name, weight in (("center", 5), ("size", 1), ("giou", 1), ("angle", 1)):
        assert float(losses[name]) == pytest.approx(weight * sums[name] / 6, rel=1e-4), name


def test_layers_add_up() -> None:
    found, boxes = predicted(layers=1), true()
    once = box_losses(found, boxes, match(found, boxes, ALL), ALL)
    twice = found._replace(**{name: getattr(found, name).repeat(2, *[1] * 3) for name in found._fields[:5]})
    again = box_losses(twice, boxes, match(twice, boxes, ALL), ALL)
    for name, each in once.items():
        torch.testing.assert_close(again[name], 2 * each)


@pytest.mark.parametrize("counts", [(0, 0), (70, 0), (70, 3)])
def test_scenes_without_boxes_and_with_more_than_there_are_queries_are_defined(counts: tuple[int, int]) -> None:
    found, boxes = predicted(), true(counts)
    centers = found.centers.requires_grad_()
    matches = match(found, boxes, ALL)
    assert len(matches.layers) == 2 * (min(counts[0], 6) + min(counts[1], 4))
    total = torch.stack(list(box_losses(found, boxes, matches, ALL).values())).sum()
    assert total.isfinite()
    total.backward()  # type: ignore[no-untyped-call]
    assert centers.grad is None or centers.grad.isfinite().all()


def test_the_right_boxes_cost_nothing() -> None:
    boxes = true((1, 1))
    boxes.boxes[..., 6] = 0  # the hull around a turned box is larger than it, and so its GIoU below 1
    part, residual = of_yaw(boxes.boxes[..., 6], 12)
    logits = torch.full((1, 2, 1, 4), -50.0).scatter(3, boxes.labels[None, :, :, None], 50.0)
    found = BoxPredictions(
        logits, boxes.boxes[None, ..., :3], boxes.boxes[None, ..., 3:6],
        torch.full((1, 2, 1, 12), -50.0).scatter(3, part[None, :, :, None], 50.0),
        residual[None, :, :, None].repeat(1, 1, 1, 12), torch.ones(2, 1, dtype=torch.bool), torch.zeros(2, 3), EXTENT,
    )  # fmt: skip
    matches = match(found, boxes, ALL)
    for name, each in box_losses(found, boxes, matches, ALL).items():
        assert abs(float(each)) < 1e-5, name
    assert [float(each) for each in classified(matches, found, boxes)] == [2.0, 2.0]
