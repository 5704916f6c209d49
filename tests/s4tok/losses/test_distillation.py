import pytest
import torch

from s4tok.losses.distillation import difference_loss, global_loss, local_loss

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def test_the_local_loss_is_worked_by_hand() -> None:
    """Cloud 0: cosines 1 and 0, a third unseen. Cloud 1: cosine -1. Cloud 2: nothing seen. ((0 + 1)/2 + 2) / 2."""
    features = torch.tensor([[EAST, EAST, EAST], [EAST, NORTH, NORTH], [EAST, EAST, EAST]])
    targets = torch.tensor([[[7.0, 0], NORTH, NORTH], [[-2.0, 0], NORTH, NORTH], [NORTH, NORTH, NORTH]])
    is_seen = torch.tensor([[True, True, False], [True, False, False], [False, False, False]])
    torch.testing.assert_close(local_loss(features, targets, is_seen), torch.tensor(1.25))


def test_the_global_loss_is_worked_by_hand() -> None:
    loss = global_loss(torch.tensor([EAST, EAST]), torch.tensor([[5.0, 5.0], NORTH]))
    torch.testing.assert_close(loss, torch.tensor((1 - 2**-0.5 + 1) / 2))


def test_centring_takes_the_mean_target_off_both_sides() -> None:
    """Targets (10, 1) and (10, -1) differ by 0.02 in cosine, and are opposite once their mean (10, 0) is off."""
    targets = torch.tensor([[10.0, 1], [10, -1]])
    swapped = targets.flip(0)
    assert global_loss(swapped, targets) < 0.03
    torch.testing.assert_close(global_loss(swapped, targets, center=True), torch.tensor(2.0))
    is_seen = torch.ones(2, 1, dtype=torch.bool)
    torch.testing.assert_close(local_loss(swapped[:, None], targets[:, None], is_seen, center=True), torch.tensor(2.0))


def test_differences_are_worked_by_hand() -> None:
    """Off their mean, superpoints 0 and 1 stand opposite each other: as far apart as the targets, less far, swapped.

    Of cloud 3 one superpoint alone was seen, which differs from nothing, and the others say nothing of what was not.
    """
    near = [[1.0, 0.1], [1.0, -0.1]]
    features = torch.tensor([[EAST, NORTH, EAST], [*near, NORTH], [NORTH, EAST, EAST], [EAST, NORTH, NORTH]])
    targets = torch.tensor([[EAST, NORTH, NORTH], [[7.0, 7], [1, -1], EAST], [EAST, NORTH, NORTH], [NORTH] * 3])
    is_seen = torch.tensor([[True, True, False]] * 3 + [[True, False, False]])
    each = [difference_loss(features[[row]], targets[[row]], is_seen[[row]]) for row in range(4)]
    torch.testing.assert_close(torch.stack(each), torch.tensor([0.0, 0, 2, 0]))
    torch.testing.assert_close(difference_loss(features, targets, is_seen), torch.tensor(2 / 3))
    assert local_loss(features[[1]], targets[[1]], is_seen[[1]]) > 0.1


@pytest.mark.parametrize("center", [False, True])
def test_nothing_seen_costs_nothing(center: bool) -> None:
    features, is_seen = torch.zeros(2, 3, 4, requires_grad=True), torch.zeros(2, 3, dtype=torch.bool)
    loss = local_loss(features, torch.zeros(2, 3, 4), is_seen, center=center)
    loss = loss + difference_loss(features, torch.zeros(2, 3, 4), is_seen)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss == 0
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_gradients_are_those_of_finite_differences() -> None:
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64, requires_grad=True)
    targets = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64)
    is_seen = torch.tensor([[True, True, False], [True, True, True]])
    assert torch.autograd.gradcheck(lambda f: difference_loss(f, targets, is_seen), (features,))
    for center in (False, True):
        assert torch.autograd.gradcheck(lambda f, c=center: local_loss(f, targets, is_seen, center=c), (features,))
        assert torch.autograd.gradcheck(lambda f, c=center: global_loss(f[:, 0], targets[:, 0], center=c), (features,))


def test_a_cloud_without_a_target_of_the_whole_is_left_out() -> None:
    features, targets = torch.randn(3, 8, requires_grad=True), torch.randn(3, 8)
    targets[1] = 0
    loss = global_loss(features, targets)
    torch.testing.assert_close(loss, global_loss(features[::2], targets[::2]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert features.grad is not None
    assert not features.grad[1].any()
    assert global_loss(features, torch.zeros(3, 8)) == 0
