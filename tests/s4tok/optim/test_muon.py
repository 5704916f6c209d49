import pytest
import torch

from s4tok.optim.muon import MOMENTUM, Muon, orthogonal


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (64, 3)])
def test_a_step_turns_no_direction_much_faster_than_another(shape: tuple[int, int]) -> None:
    """Of a gradient with singular values 1, 1/2, 1/4, ... the directions stay, and the values come near 1."""
    draw = torch.Generator().manual_seed(0)
    left, _, right = torch.linalg.svd(torch.randn(shape, generator=draw), full_matrices=False)
    values = 0.5 ** torch.arange(min(shape))
    made = orthogonal(left * values @ right)
    found = torch.diagonal(left.T @ made @ right.T)
    torch.testing.assert_close(made, left * found @ right, atol=1e-4, rtol=0)
    assert 0.6 < found.min() <= found.max() < 1.25


def test_zeros_stay_zeros() -> None:
    assert not orthogonal(torch.zeros(3, 4)).any()


def test_the_first_step_is_worked_by_hand() -> None:
    """Weights decay by rate times decay, and move by 0.2 sqrt(4) rates against the gradient's orthogonal matrix."""
    weight = torch.nn.Parameter(torch.ones(4, 2))
    weight.grad = torch.arange(8.0).view(4, 2)
    expected = (1 - 0.1 * 0.5) * torch.ones(4, 2) - 0.4 * 0.1 * orthogonal(weight.grad)
    optimizer = Muon([{"params": [weight], "matrices": True}], lr=0.1, weight_decay=0.5)
    moved = weight.grad.clone()
    optimizer.step()
    torch.testing.assert_close(weight.detach(), expected)
    torch.testing.assert_close(optimizer.state[weight]["momentum"], (1 - MOMENTUM) * moved)


def test_other_groups_are_adamw_s_own() -> None:
    mine, theirs = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    ours, adamw = Muon([mine], lr=0.1), torch.optim.AdamW([theirs], lr=0.1)
    for scale in (1.0, -3.0, 0.5):
        for weight, optimizer in ((mine, ours), (theirs, adamw)):
            weight.grad = scale * torch.tensor([1.0, -2.0, 0.0])
            optimizer.step()
    assert torch.equal(mine, theirs)
