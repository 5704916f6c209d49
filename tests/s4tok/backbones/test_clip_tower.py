from collections.abc import Callable
from subprocess import CompletedProcess

import pytest
import torch
from open_clip.transformer import VisionTransformer
from torch import nn

from s4tok.backbones.clip_tower import FrozenEncoder, within_reach
from s4tok.errors import UsageError


def tower(pool_type: str = "tok") -> VisionTransformer:
    torch.manual_seed(0)
    return VisionTransformer(
        image_size=32, patch_size=8, width=48, layers=2, heads=3, mlp_ratio=2, output_dim=24, pool_type=pool_type
    ).eval()


def own_tokens(visual: VisionTransformer, images: torch.Tensor) -> torch.Tensor:
    patches = visual.conv1(images).flatten(2).mT
    tokens: torch.Tensor = patches + visual.positional_embedding[1:]
    return tokens.detach()


@pytest.mark.parametrize("pool_type", ["tok", "avg"])
def test_fed_clips_own_patches_it_is_clip(pool_type: str) -> None:
    visual, images = tower(pool_type), torch.randn(3, 3, 32, 32)
    visual.output_tokens = True
    expected, hidden = visual(images)
    found = FrozenEncoder(visual)(own_tokens(visual, images))
    torch.testing.assert_close(found.whole, expected)
    torch.testing.assert_close(found.hidden, hidden)
    torch.testing.assert_close(FrozenEncoder(visual).project(found.hidden), hidden @ visual.proj)


@pytest.mark.parametrize("pool_type", ["tok", "avg"])
def test_what_is_no_token_changes_nothing(pool_type: str) -> None:
    encoder, tokens = FrozenEncoder(tower(pool_type)), torch.randn(2, 7, 48)
    is_token = torch.ones(2, 7, dtype=torch.bool)
    is_token[1, 4:] = False
    found = encoder(tokens.masked_fill(~is_token[..., None], 50.0), is_token)
    alone = encoder(tokens[1:, :4])
    torch.testing.assert_close(found.whole[1:], alone.whole)
    torch.testing.assert_close(found.hidden[1:, :4], alone.hidden)
    torch.testing.assert_close(found.whole[:1], encoder(tokens[:1]).whole)


def test_within_reach_is_measured_in_radii_and_knows_no_unit() -> None:
    xyz = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 3, 0]]])
    near = within_reach(xyz, torch.tensor([0.5]), 2.0)
    assert near is not None
    assert near[0].tolist() == [[True, True, False], [True, True, False], [False, False, True]]
    assert torch.equal(near, within_reach(1000 * xyz, torch.tensor([500.0]), 2.0))  # type: ignore[arg-type]
    assert within_reach(xyz, torch.tensor([0.5]), 0.0) is None


@pytest.mark.parametrize("pool_type", ["tok", "avg"])
def test_tokens_out_of_reach_of_each_other_do_not_know_of_each_other(pool_type: str) -> None:
    encoder, tokens = FrozenEncoder(tower(pool_type)), torch.randn(2, 7, 48)
    is_token = torch.ones(2, 7, dtype=torch.bool)
    is_token[1, 6:] = False
    group = torch.tensor([0, 0, 0, 1, 1, 1, 1])
    is_near = (group[:, None] == group).expand(2, -1, -1)
    found = encoder(tokens, is_token, is_near)
    changed = encoder(torch.cat([tokens[:, :3].flip(2), tokens[:, 3:]], dim=1), is_token, is_near)
    torch.testing.assert_close(changed.hidden[:, 3:], found.hidden[:, 3:])
    assert (changed.hidden[:, :3] - found.hidden[:, :3]).abs().amax(2).min() > 1e-3
    if pool_type == "tok":
        assert (changed.whole - found.whole).abs().max() > 1e-3  # the class token attends to all
    padded = encoder(tokens[1:, :6], None, is_near[1:, :6, :6])
    torch.testing.assert_close(found.hidden[1:, :6], padded.hidden)
    torch.testing.assert_close(found.whole[1:], padded.whole)


def test_everything_in_reach_leaves_the_class_token_as_it_is() -> None:
    """Only what tokens take from the class token is gone, and in the first layer it took the same from them."""
    visual = tower()
    visual.transformer.resblocks = visual.transformer.resblocks[:1]
    encoder, tokens = FrozenEncoder(visual), torch.randn(2, 7, 48)
    everywhere = encoder(tokens, None, torch.ones(2, 7, 7, dtype=torch.bool))
    torch.testing.assert_close(everywhere.whole, encoder(tokens).whole)
    assert (everywhere.hidden - encoder(tokens).hidden).abs().max() > 1e-3


def test_gradients_reach_the_tokens_and_nothing_else_and_checkpointing_leaves_them_alone() -> None:
    gradients = []
    for checkpointing in (False, True):
        encoder = FrozenEncoder(tower(), checkpointing=checkpointing)
        tokens = torch.randn(2, 5, 48, generator=torch.Generator().manual_seed(1)).requires_grad_()
        encoder.train()(tokens).whole.square().sum().backward()
        assert tokens.grad is not None
        assert all(weight.grad is None for weight in encoder.parameters())
        gradients.append(tokens.grad)
    assert gradients[0].abs().min() > 0
    torch.testing.assert_close(*gradients)


def test_it_stays_frozen_whatever_the_module_around_is_told() -> None:
    encoder = FrozenEncoder(tower())
    nn.ModuleList([encoder]).train()
    assert not any(module.training for module in encoder.modules())
    assert not any(weight.requires_grad for weight in encoder.parameters())


def test_bfloat16_weights_take_and_give_float32() -> None:
    tokens = torch.randn(2, 5, 48, requires_grad=True)
    full = FrozenEncoder(tower())(tokens).whole
    half = FrozenEncoder(tower(), dtype=torch.bfloat16)(tokens).whole
    assert half.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(full, half).min() > 0.999
    half.sum().backward()
    assert tokens.grad is not None
    assert tokens.grad.isfinite().all()


def test_widths_are_read_from_the_model() -> None:
    encoder = FrozenEncoder(tower())
    assert (encoder.width, encoder.output_width, encoder.heads) == (48, 24, 3)


def test_another_kind_of_tower_is_refused() -> None:
    with pytest.raises(UsageError, match="the image tower is a Linear, and points need a plain vision transformer"):
        FrozenEncoder(nn.Linear(3, 3))


COMPILE = """
import torch
from open_clip.transformer import VisionTransformer
from s4tok.backbones.clip_tower import FrozenEncoder, within_reach

sizes = {"image_size": 32, "patch_size": 8, "width": 48, "layers": 1, "heads": 3, "mlp_ratio": 2, "output_dim": 24}
encoder, tokens = FrozenEncoder(VisionTransformer(**sizes)), torch.randn(2, 7, 48)
compiled = torch.compile(encoder, backend="eager", fullgraph=True)
torch.testing.assert_close(compiled(tokens).hidden, encoder(tokens).hidden)
"""


@pytest.mark.slow
def test_it_compiles_in_one_piece(python: Callable[..., CompletedProcess[str]]) -> None:
    done = python("-c", COMPILE, timeout=300)  # a process of its own, where shapes are not checked
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("depth", "kept"), [(12, (4, 8)), (3, (1, 2)), (2, (1, 2)), (1, (1, 1))])
def test_layers_are_the_tokens_after_a_third_and_two_thirds_of_the_blocks_and_at_the_end(
    depth: int, kept: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    visual = VisionTransformer(32, 8, 48, depth, 3, 2, output_dim=24)
    encoder, tokens = FrozenEncoder(visual), torch.randn(2, 7, 48)
    is_token = torch.arange(7)[None].expand(2, -1) < 6
    seen: list[torch.Tensor] = []
    for block in visual.transformer.resblocks:
        block.register_forward_hook(lambda module, given, made: seen.append(made[:, 1:]))
    found = encoder.layers(tokens, is_token)
    expected = encoder(tokens, is_token)
    for one, number in zip(found.hidden, kept, strict=False):
        assert torch.equal(one, seen[number - 1])
    torch.testing.assert_close(found.hidden[-1], expected.hidden)
    torch.testing.assert_close(encoder.project(found.whole), expected.whole)


def test_what_may_be_trained_of_it_is_what_every_token_passes_through() -> None:
    encoder = FrozenEncoder(tower())
    names = {name for name, weight in encoder.named_parameters() if any(weight is each for each in encoder.trainable())}
    assert {name.split(".")[1] for name in names} == {"ln_pre", "transformer", "ln_post"}
    for weight in encoder.trainable():
        weight.requires_grad_(True)
    encoder.layers(torch.randn(2, 7, 48)).hidden[-1].square().sum().backward()  # type: ignore[no-untyped-call]
    assert all(weight.grad is not None for weight in encoder.trainable())
