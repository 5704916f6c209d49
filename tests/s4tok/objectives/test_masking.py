import math

import pytest
import torch

from s4tok.objectives.masking import split_tokens

SEEDS = torch.arange(4)


def partial() -> torch.Tensor:
    """Clouds of 10, 7, 3 and 1 tokens, the missing ones anywhere."""
    is_token = torch.zeros(4, 10, dtype=torch.bool)
    is_token[0] = True
    is_token[1, [0, 2, 3, 5, 6, 8, 9]] = True
    is_token[2, [1, 4, 7]] = True
    is_token[3, 6] = True
    return is_token


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.6, 0.7, 0.9, 1.0])
def test_each_token_is_seen_or_masked_and_ceil_of_the_rest_is_seen(ratio: float) -> None:
    is_token = partial()
    split = split_tokens(is_token, ratio, SEEDS)
    for cloud, count in enumerate((10, 7, 3, 1)):
        visible = split.visible[cloud][split.is_visible[cloud]].tolist()
        masked = split.masked[cloud][split.is_masked[cloud]].tolist()
        assert sorted(visible + masked) == is_token[cloud].nonzero()[:, 0].tolist()
        assert len(masked) == min(count - 1, math.floor(round(ratio * count, 9)))


def test_points_of_2048_with_128_tokens_leave_52_visible() -> None:
    split = split_tokens(torch.ones(1, 128, dtype=torch.bool), 0.6, torch.tensor([0]))
    assert (split.visible.shape[1], split.masked.shape[1]) == (52, 76)


@pytest.mark.parametrize("ratio", [0.0, 0.6, 1.0])
def test_joining_puts_every_token_back(ratio: float) -> None:
    is_token = partial()
    split = split_tokens(is_token, ratio, SEEDS)
    features = torch.randn(4, 10, 3)
    rows = torch.arange(4)[:, None]
    visible = torch.where(split.is_visible[..., None], features[rows, split.visible], torch.nan)
    masked = torch.where(split.is_masked[..., None], features[rows, split.masked], torch.nan)
    joined = split.join(visible, masked)
    torch.testing.assert_close(joined[is_token], features[is_token], rtol=0, atol=0)


def test_every_token_is_masked_equally_often_and_by_its_clouds_seed_alone() -> None:
    seeds = torch.arange(2000)
    split = split_tokens(torch.ones(2000, 10, dtype=torch.bool), 0.6, seeds)
    often = torch.bincount(split.masked.flatten(), minlength=10) / 2000
    assert (often - 0.6).abs().max() < 0.05
    alone = split_tokens(torch.ones(1, 10, dtype=torch.bool), 0.6, seeds[77:78])
    assert (alone.masked[0] == split.masked[77]).all()
