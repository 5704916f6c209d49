from dataclasses import replace

import pytest
import torch

from s4tok.backbones.pointnet import PointNetEncoder, interpolated
from s4tok.backbones.scene_tokens import SceneTokens
from tests.s4tok.backbones.test_set_abstraction import SMALL, cloud, scenes


def encoder() -> PointNetEncoder:
    torch.manual_seed(0)
    return PointNetEncoder(replace(SMALL, encoder="pointnet++", width=10)).eval()


def test_tokens_are_those_of_the_second_level_and_depend_on_neither_batch_nor_padding_nor_place() -> None:
    made, first, second = encoder(), cloud(0), cloud(1)
    padded = torch.stack([first, torch.cat([second[:9], torch.full((51, 3), 77.0)])])
    both, alone = made(scenes(padded, [60, 9])), made(scenes(first[None], [60]))
    assert both.tokens.shape == (2, 12, 10)
    assert both.is_token.sum(1).tolist() == [12, 9]
    torch.testing.assert_close(both.tokens[:1], alone.tokens, atol=1e-5, rtol=1e-5)
    moved = made(scenes(first[None] + torch.tensor([3.0, -2.0, 9.0]), [60]))
    torch.testing.assert_close(moved.tokens, alone.tokens, atol=1e-4, rtol=1e-4)
    assert made(scenes(torch.ones(1, 5, 3), [5])).tokens.isfinite().all()


def test_features_come_from_the_three_nearest_by_inverse_distance() -> None:
    x = torch.tensor([0.0, 1.0, 3.0, 50.0, 0.1])
    above = SceneTokens(
        torch.tensor([[[6.0], [12.0], [24.0], [1000.0], [9.0]]]), torch.stack([x, x * 0, x * 0], 1)[None],
        torch.tensor([[True, True, True, True, False]]),
    )  # fmt: skip
    below = SceneTokens(torch.zeros(1, 2, 1), torch.tensor([[[2.0, 0, 0], [1.0, 0, 0]]]), torch.ones(1, 2).bool())
    found = interpolated(above, below)[0, :, 0]
    assert found[0] == pytest.approx((6 / 2 + 12 + 24) / 2.5)
    assert found[1] == pytest.approx(12, abs=1e-4)


def test_every_weight_has_a_gradient() -> None:
    made = encoder().train()
    made(scenes(cloud(0)[None], [60])).tokens.square().sum().backward()
    without = [name for name, weight in made.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not without
