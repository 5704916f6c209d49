import pytest
import torch

from s4tok.losses.distillation import global_loss, local_loss

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


@pytest.mark.parametrize("center", [False, True])
def test_nothing_seen_costs_nothing(center: bool) -> None:
    features = torch.zeros(2, 3, 4, requires_grad=True)
    loss = local_loss(features, torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.bool), center=center)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss == 0
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_gradients_are_those_of_finite_differences() -> None:
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64, requires_grad=True)
    targets = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64)
    is_seen = torch.tensor([[True, True, False], [True, True, True]])
    for center in (False, True):
        assert torch.autograd.gradcheck(lambda f, c=center: local_loss(f, targets, is_seen, center=c), (features,))
        assert torch.autograd.gradcheck(lambda f, c=center: global_loss(f[:, 0], targets[:, 0], center=c), (features,))
