import math

import pytest
import torch

from s4tok.config import GroupFreeLossConfig
from s4tok.heads.group_free import StagedPredictions
from s4tok.losses.boxes import TrueBoxes
from s4tok.losses.group_free import focal, nearest_of_each, owned, recognised, staged_losses

CONFIG = GroupFreeLossConfig(nearest=2)
TRUE = TrueBoxes(
    torch.tensor([[[1.0, 1, 1, 2, 2, 2, 0], [2.0, 1, 1, 2, 1, 2, math.pi / 2], [9.0, 9, 9, 9, 9, 9, 0]]]),
    torch.tensor([[0, 1, 0]]),
    torch.tensor([[True, True, False]]),
)


def predicted(stages: int = 1, typical: int = 2, seed: int = 0) -> StagedPredictions:
    draw = torch.Generator().manual_seed(seed)
    at = torch.tensor([[[0.5, 1.0, 1.0], [2.4, 1.0, 1.0], [5.0, 5.0, 5.0], [1.0, 1.0, 1.0]]])

    def some(*shape: int) -> torch.Tensor:
        return torch.randn(stages, 1, 4, *shape, generator=draw)

    return StagedPredictions(
        objectness=some(), logits=some(2), centers=at + some(3), size_logits=some(typical), excesses=some(typical, 3),
        angle_logits=some(12), angle_residuals=some(12), typical=torch.tensor([[2.0, 1, 2], [1.0, 1, 1]])[:typical],
        at=at, is_query=torch.tensor([[True, True, True, False]]), token_logits=torch.randn(1, 4, generator=draw),
        token_xyz=at, is_token=torch.ones(1, 4, dtype=torch.bool),
    )  # fmt: skip


def test_a_point_in_two_boxes_is_that_ones_whose_middle_is_nearer_in_units_of_its_size() -> None:
    xyz = torch.tensor([[[0.2, 1.0, 1.0], [1.55, 1.0, 1.0], [1.85, 1.0, 1.0], [2.6, 1.0, 1.0], [1.0, 1.0, 2.1]]])
    points = owned(xyz, TRUE)
    # The second box is turned: 1 m along x, from 1.5 to 2.5. At 1.55 it is .45 of its size away, the first .275 of its.
    assert points.is_owned.tolist() == [[True, True, True, False, False]]
    assert points.owner[0, :3].tolist() == [0, 0, 1]
    assert points.distance[0, 1, 2].item() == pytest.approx(0.15)
    assert points.distance[0, 0, 2].isinf()


def test_of_each_thing_the_nearest_points_are_marked_even_where_it_has_fewer() -> None:
    x = [0.1, 0.5, 0.9, 1.2, 2.0, 7.0]
    xyz = torch.tensor([[[each, 1.0, 1.0] for each in x]])
    assert nearest_of_each(owned(xyz, TRUE), 2).tolist() == [[False, False, True, True, True, False]]
    assert nearest_of_each(owned(xyz, TRUE), 50).tolist() == [[True] * 5 + [False]]


def test_the_focal_loss_is_what_it_is_by_hand() -> None:
    logits = torch.tensor([0.0, math.log(3.0), math.log(3.0)])
    expected = [0.25 * 0.25 * math.log(2), 0.25 * 0.0625 * math.log(4 / 3), 0.75 * 0.5625 * math.log(4)]
    assert focal(logits, torch.tensor([True, True, False])).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("typical", [2, 1])
def test_losses_are_those_of_a_slow_twin(typical: int) -> None:
    found, stages = predicted(stages=2, typical=typical), 2
    losses = staged_losses(found, TRUE, CONFIG)
    sums = dict.fromkeys(("class", "center", "size", "angle", "objectness"), 0.0)
    owners = {0: 0, 1: 1}  # the third query lies in no box, the fourth is none
    for stage in range(stages):
        for query in range(3):
            sums["objectness"] += (
                0.1 * float(focal(found.objectness[stage, 0, query], torch.tensor(query in owners))) / 3
            )
        for query, box in owners.items():
            label, true = int(TRUE.labels[0, box]), TRUE.boxes[0, box]
            sums["class"] -= 0.1 * float(found.logits[stage, 0, query].log_softmax(0)[label]) / 2
            for off in (found.centers[stage, 0, query] - true[:3]).abs().tolist():
                sums["center"] += (off - 0.02 if off > 0.04 else off**2 / 0.08) / 2
            which = label if typical > 1 else 0
            for off in (found.excesses[stage, 0, query, which] - (true[3:6] / found.typical[which] - 1)).abs().tolist():
                sums["size"] += (0.1111 * (off - 0.1111 / 2) if off > 0.1111 else off**2 / 2) / 2
            sums["size"] -= 0.1 * float(found.size_logits[stage, 0, query].log_softmax(0)[which]) / 2
            part = box * 3  # a quarter turn is the fourth of twelve parts, in its middle
            off = abs(float(found.angle_residuals[stage, 0, query, part]))
            sums["angle"] += (off - 0.5 if off > 1 else off**2 / 2) / 2
            sums["angle"] -= 0.1 * float(found.angle_logits[stage, 0, query].log_softmax(0)[part]) / 2
    for name, each in sums.items():
        assert float(losses[name]) == pytest.approx(10 * each / stages, rel=1e-4), name
    assert found.token_logits is not None
    chosen = torch.tensor([[True, True, False, True]])
    assert float(losses["queries"]) == pytest.approx(8 * float(focal(found.token_logits, chosen).mean()), rel=1e-5)


def test_losses_do_not_depend_on_the_order_of_boxes_or_queries() -> None:
    found, order, boxes = predicted(), torch.tensor([3, 1, 0, 2]), torch.tensor([2, 1, 0])
    moved = found._replace(**{name: getattr(found, name)[:, :, order] for name in found._fields[:7]})
    moved = moved._replace(at=found.at[:, order], is_query=found.is_query[:, order])
    other = TrueBoxes(*(part[:, boxes] for part in TRUE))
    for name, each in staged_losses(moved, other, CONFIG).items():
        torch.testing.assert_close(each, staged_losses(found, TRUE, CONFIG)[name])


def test_the_right_boxes_cost_nothing_and_are_recognised() -> None:
    found = predicted()
    label, part = torch.tensor([0, 1, 0, 0]), torch.tensor([0, 3, 0, 0])
    box = TRUE.boxes[0, [0, 1, 0, 0]]
    sure = torch.full((1, 1, 4, 12), -50.0)
    found = found._replace(
        objectness=torch.tensor([[[50.0, 50, -50, 0]]]), logits=sure[..., :2].scatter(3, label.view(1, 1, 4, 1), 50.0),
        centers=box[None, None, :, :3], size_logits=sure[..., :2].scatter(3, label.view(1, 1, 4, 1), 50.0),
        excesses=(box[:, None, 3:6] / found.typical - 1)[None, None],
        angle_logits=sure.scatter(3, part.view(1, 1, 4, 1), 50.0), angle_residuals=torch.zeros(1, 1, 4, 12),
        token_logits=torch.tensor([[50.0, 50, -50, 50]]),
    )  # fmt: skip
    for name, each in staged_losses(found, TRUE, CONFIG).items():
        assert abs(float(each)) < 1e-5, name
    assert [float(each) for each in recognised(found, TRUE)] == [2.0, 2.0]
    torch.testing.assert_close(found.boxes()[0, 0, :2], TRUE.boxes[0, :2])


def test_scenes_without_boxes_are_defined() -> None:
    found = predicted()
    centers = found.centers.requires_grad_()
    losses = staged_losses(found, TRUE._replace(is_box=torch.zeros(1, 3, dtype=torch.bool)), CONFIG)
    assert float(losses["center"].detach()) == 0
    torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
    assert centers.grad is not None
    assert not centers.grad.any()
