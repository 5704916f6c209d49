import math

import torch

from s4tok.losses.assignment import assignment_loss

PROTOTYPES = torch.tensor([[[2.0, 0.0], [0.0, 5.0]]])  # of any length
BOTH = torch.ones(1, 2, dtype=torch.bool)


def test_it_is_worked_by_hand() -> None:
    """One masked token at 45 degrees predicts a half each; the teacher says 3/4 and 1/4."""
    features = torch.tensor([[[1.0, 1.0], [9.0, 0.0]]])
    assignment = torch.tensor([[[0.75, 0.25], [0.0, 1.0]]])
    is_masked = torch.tensor([[True, False]])
    loss = assignment_loss(features, is_masked, assignment, PROTOTYPES, BOTH, 0.1)
    expected = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    torch.testing.assert_close(loss, torch.tensor(expected))


def test_a_certain_student_pays_by_the_temperature() -> None:
    features = torch.tensor([[[3.0, 0.0]]])
    loss = assignment_loss(features, torch.tensor([[True]]), torch.tensor([[[0.0, 1.0]]]), PROTOTYPES, BOTH, 0.5)
    torch.testing.assert_close(loss, torch.tensor(math.log(1 + math.exp(1 / 0.5))))


def test_nothing_masked_costs_nothing_and_clusters_that_are_none_take_no_share() -> None:
    features = torch.randn(1, 3, 2, requires_grad=True)
    none = assignment_loss(
        features, torch.zeros(1, 3, dtype=torch.bool), torch.full((1, 3, 2), 0.5), PROTOTYPES, BOTH, 0.1
    )
    assert none == 0
    one = torch.tensor([[True, False]])
    loss = assignment_loss(
        features, torch.ones(1, 3, dtype=torch.bool), torch.tensor([[[1.0, 0.0]] * 3]), PROTOTYPES, one, 0.1
    )
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss == 0
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_gradients_are_those_of_finite_differences() -> None:
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(2, 4, 3, generator=draw, dtype=torch.float64, requires_grad=True)
    assignment = torch.rand(2, 4, 5, generator=draw, dtype=torch.float64).softmax(2)
    prototypes = torch.randn(2, 5, 3, generator=draw, dtype=torch.float64)
    is_masked = torch.rand(2, 4, generator=draw) < 0.6
    is_cluster = torch.ones(2, 5, dtype=torch.bool)
    assert torch.autograd.gradcheck(
        lambda f: assignment_loss(f, is_masked, assignment, prototypes, is_cluster, 0.5), (features,)
    )
