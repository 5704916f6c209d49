import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from s4tok.backbones.attention_layers import EncoderLayer
from s4tok.backbones.scene_tokens import Scenes, to_y_up, to_z_up
from s4tok.backbones.set_abstraction import SetAbstractionEncoder
from s4tok.config import DetectorConfig
from s4tok.geometry.axes import upright

SMALL = DetectorConfig(
    n_tokens=12, radius=0.5, neighbors=8, adapter_widths=(4, 8, 16), encoder_layers=2, encoder_hidden=8, heads=2,
    dropout=0.0,
)  # fmt: skip


def scenes(points: torch.Tensor, counts: list[int]) -> Scenes:
    is_point = torch.arange(points.shape[1]) < torch.tensor(counts)[:, None]
    return Scenes(points, is_point, torch.zeros_like(is_point, dtype=torch.int64), torch.arange(len(points)))


def encoder(**changes: Any) -> SetAbstractionEncoder:
    torch.manual_seed(0)
    return SetAbstractionEncoder(replace(SMALL, **changes)).eval()


def cloud(seed: int, count: int = 60) -> torch.Tensor:
    return 2 * torch.rand(count, 3, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", ["3detr", "3detr-m"])
def test_tokens_depend_on_neither_the_batch_nor_padding_nor_where_the_scene_lies(kind: str) -> None:
    made, first, second = encoder(encoder=kind), cloud(0), cloud(1)
    padded = torch.stack([first, torch.cat([second[:40], torch.full((20, 3), 77.0)])])
    both = made(scenes(padded, [60, 40]))
    alone = made(scenes(first[None], [60]))
    torch.testing.assert_close(both.tokens[:1], alone.tokens, atol=1e-5, rtol=1e-5)
    moved = made(scenes(first[None] + torch.tensor([3.0, -2.0, 9.0]), [60]))
    torch.testing.assert_close(moved.tokens, alone.tokens, atol=1e-4, rtol=1e-4)
    assert (both.xyz[1] < 3).all()


def test_a_token_is_the_maximum_over_the_points_of_its_ball() -> None:
    made, points = encoder(), cloud(0, 20)
    made.layers = torch.nn.ModuleList()
    found = made(scenes(points[None], [20]))
    for token, at in zip(found.tokens[0], found.xyz[0], strict=True):
        near = points[(points - at).norm(dim=1) <= 0.5]
        assert len(near) <= 8
        torch.testing.assert_close(token, made.ball((near - at) / 0.5).amax(0))


def test_a_scene_of_one_place_has_one_token() -> None:
    found = encoder()(scenes(torch.ones(1, 5, 3), [5]))
    assert found.is_token.sum() == 1
    assert found.tokens.isfinite().all()


@pytest.mark.parametrize("kind", ["3detr", "3detr-m"])
def test_every_weight_has_a_gradient(kind: str) -> None:
    made = encoder(encoder=kind).train()
    made(scenes(cloud(0)[None], [60])).tokens.square().sum().backward()
    without = [name for name, weight in made.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not without


def test_a_masked_token_knows_nothing_of_what_is_out_of_reach() -> None:
    made = encoder(encoder="3detr-m", encoder_layers=1, n_tokens=60, radius=0.3, neighbors=60, reaches=(0.6, 9.0, 9.0))
    before = made(scenes(cloud(0)[None], [60]))
    points = cloud(0)
    other = (points - points.mean(0)).norm(dim=1).argmin()  # in the middle: the bounds stay, or all would move
    points[other] += 0.1
    after = made(scenes(points[None], [60]))
    same = torch.cdist(before.xyz[0], after.xyz[0]).argmin(1)
    away = (before.xyz[0] - cloud(0)[other]).norm(dim=1)
    moved = (before.tokens[0] - after.tokens[0, same]).abs().amax(1)
    assert (moved[away > 1.1] < 1e-5).all()
    assert (moved[away < 0.6] > 1e-3).any()


def test_a_masked_layer_equals_attention_over_those_in_reach_alone() -> None:
    torch.manual_seed(0)
    layer, tokens = EncoderLayer(16, 2, 8, 0.0).eval(), torch.randn(1, 6, 16)
    is_far = torch.rand(1, 6, 6) > 0.5
    is_hidden = torch.tensor([[False] * 5 + [True]])
    found = layer(tokens, is_hidden, is_far)
    for row in range(6):
        seen = (~is_far[0, row] & ~is_hidden[0]) | (torch.arange(6) == row)
        place = int(seen[:row].sum())
        alone = layer(tokens[:, seen], torch.zeros(1, int(seen.sum()), dtype=torch.bool))
        torch.testing.assert_close(found[0, row], alone[0, place])


def test_the_masked_encoder_ends_with_half_the_tokens_of_balls_twice_as_large() -> None:
    made = encoder(encoder="3detr-m", encoder_layers=2)
    assert made.halving is not None
    made.layers = torch.nn.ModuleList([NoLayer(), NoLayer()])
    first = encoder(encoder="3detr-m", encoder_layers=2)
    first.layers = torch.nn.ModuleList()
    given = scenes(cloud(0)[None], [60])
    found, before = made(given), first(given)
    assert found.is_token.sum() == 6
    for token, at in zip(found.tokens[0], found.xyz[0], strict=True):
        near = (before.xyz[0] - at).norm(dim=1) <= 1.0
        if near.sum() > 4:  # of more than a ball takes some are drawn
            continue
        rows = torch.cat([before.xyz[0, near] - at, before.tokens[0, near]], dim=1)
        torch.testing.assert_close(token, made.halving(rows).amax(0))


class NoLayer(torch.nn.Module):
    """A layer that changes nothing."""

    def forward(self, tokens: torch.Tensor, is_hidden: torch.Tensor, is_far: torch.Tensor) -> torch.Tensor:
        return tokens


def test_scenes_are_turned_as_clouds_are() -> None:
    points = cloud(0)[None]
    torch.testing.assert_close(to_y_up(points)[0], points[0] @ torch.from_numpy(upright("z")).float().T)
    torch.testing.assert_close(to_z_up(to_y_up(points)), points)
    low, extent = scenes(points, [60]).bounds()
    torch.testing.assert_close(low, points.amin(1))
    assert math.isclose(float(scenes(torch.ones(1, 5, 3), [5]).bounds()[1].max()), 0.1, rel_tol=1e-6)
    assert (extent > 0.1).all()
