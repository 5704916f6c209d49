import pytest
import torch
from torch import nn

from s4tok.tokenizers import normalization


def norms() -> tuple[nn.BatchNorm1d, nn.BatchNorm1d]:
    one, other = nn.BatchNorm1d(5), nn.BatchNorm1d(5)
    for norm in (one, other):
        nn.init.uniform_(norm.weight, generator=torch.Generator().manual_seed(1))
        nn.init.uniform_(norm.bias, generator=torch.Generator().manual_seed(2))
    return one, other


def test_shared_statistics_are_those_of_torchs_own_norm() -> None:
    mine, theirs = norms()
    rows = torch.randn(30, 5, generator=torch.Generator().manual_seed(0)) * 3 + 100
    one, other = rows.clone().requires_grad_(), rows.clone().requires_grad_()
    shared, own = normalization._shared(mine, one, torch.tensor(30)), theirs(other)
    torch.testing.assert_close(shared, own, atol=1e-4, rtol=1e-4)
    slope = torch.randn(30, 5, generator=torch.Generator().manual_seed(1))
    shared.backward(slope)  # type: ignore[no-untyped-call]
    own.backward(slope)
    torch.testing.assert_close(one.grad, other.grad, atol=1e-4, rtol=1e-3)


def test_running_statistics_are_torchs_too() -> None:
    mine, theirs = norms()
    for seed in range(4):
        rows = torch.randn(9, 5, generator=torch.Generator().manual_seed(seed))
        normalization._shared(mine, rows, torch.tensor(9))
        theirs(rows)
    assert mine.state_dict().keys() == theirs.state_dict().keys()
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(mine.state_dict()[name], value)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_rows_take_the_running_statistics(count: int) -> None:
    norm, _ = norms()
    rows = torch.randn(count, 5)
    found = normalization.normalize(norm.train(), rows)
    torch.testing.assert_close(found, norm.eval()(rows))
