import torch

from s4tok.heads.read import dropout, highest, places
from s4tok.tokenizers.whole import mean_of_tokens
from tests.s4tok.heads.reading import read_of


def test_what_is_no_token_counts_in_neither_maximum_nor_mean() -> None:
    features = torch.tensor([[[1.0, -2.0], [3.0, -4.0], [99.0, 99.0]]])
    is_token = torch.tensor([[True, True, False]])
    assert torch.equal(highest(features, is_token), torch.tensor([[3.0, -2.0]]))
    assert torch.equal(mean_of_tokens(features, is_token), torch.tensor([[2.0, -3.0]]))


def test_points_are_measured_from_the_middle_of_the_centres_in_their_spread() -> None:
    xyz = torch.tensor([[[0.0, 0, 0], [4.0, 0, 0], [70.0, 0, 0]]])  # the last is none; the middle is 2, the spread 2
    tokens = read_of(xyz, torch.zeros(1, 3, dtype=torch.long)).tokens
    found = places(tokens, torch.tensor([[[2.0, 0, 0], [6.0, 4, 0]]]))
    torch.testing.assert_close(found, torch.tensor([[[0.0, 0, 0], [2.0, 2, 0]]]))
    one = read_of(xyz[:, :1], torch.zeros(1, 1, dtype=torch.long)).tokens
    torch.testing.assert_close(places(one, torch.ones(1, 1, 3)), torch.ones(1, 1, 3))  # no spread: as they are


def test_dropout_keeps_the_mean_and_drops_its_share() -> None:
    factors = dropout(4000, 0.3, torch.tensor([1, 2]))
    assert set(factors.flatten().tolist()) == {0.0, torch.tensor(1 / 0.7).item()}
    assert abs(float(factors.mean()) - 1) < 0.03
    assert not torch.equal(factors[0], factors[1])
