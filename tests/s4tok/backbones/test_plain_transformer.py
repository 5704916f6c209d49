import pytest
import torch
from torch import nn

from s4tok.backbones.plain_transformer import PlainEncoder, PlainTransformer
from s4tok.config import BackboneConfig
from s4tok.errors import UsageError

SMALL = BackboneConfig(width=24, layers=2, heads=3)


def test_it_computes_what_torchs_own_layers_do() -> None:
    torch.manual_seed(0)
    mine = PlainTransformer(SMALL).eval()
    tokens, is_token = torch.randn(2, 7, 24), torch.ones(2, 7, dtype=torch.bool)
    is_token[1, 4:] = False
    theirs = tokens
    for layer in mine.layers:
        twin = nn.TransformerEncoderLayer(24, 3, 48, 0.0, "gelu", batch_first=True, norm_first=True).eval()
        names = {"attention.": "self_attn.", "mlp.0.": "linear1.", "mlp.2.": "linear2.", "attention_norm.": "norm1.",
                 "mlp_norm.": "norm2."}  # fmt: skip
        renamed = {
            next(theirs + name.removeprefix(ours) for ours, theirs in names.items() if name.startswith(ours)): weight
            for name, weight in layer.state_dict().items()
        }
        twin.load_state_dict(renamed)
        theirs = twin(theirs, src_key_padding_mask=~is_token)
    torch.testing.assert_close(mine(tokens, is_token)[is_token], mine.norm(theirs)[is_token])


def test_what_is_no_token_changes_no_token() -> None:
    torch.manual_seed(1)
    transformer = PlainTransformer(SMALL).eval()
    tokens, is_token = torch.randn(1, 6, 24), torch.tensor([[True] * 4 + [False] * 2])
    other = tokens.clone()
    other[:, 4:] = 100.0
    torch.testing.assert_close(transformer(tokens, is_token)[:, :4], transformer(other, is_token)[:, :4])
    alone = transformer(tokens[:, :4], is_token[:, :4])
    torch.testing.assert_close(transformer(tokens, is_token)[:, :4], alone)


def test_a_cloud_without_tokens_gives_numbers() -> None:
    hidden = PlainTransformer(SMALL)(torch.randn(2, 3, 24), torch.zeros(2, 3, dtype=torch.bool))
    assert hidden.isfinite().all()


def test_in_place_of_a_clips_tower_it_gives_three_depths_and_the_mean_of_tokens() -> None:
    torch.manual_seed(2)
    transformer = PlainTransformer(BackboneConfig(width=24, layers=5, heads=3)).eval()
    tower, tokens, is_token = PlainEncoder(transformer), torch.randn(2, 4, 24), torch.ones(2, 4, dtype=torch.bool)
    is_token[0, 2:] = False
    after = transformer.after_each(tokens, is_token)
    found = tower.layers(tokens, is_token)
    assert all(torch.equal(one, other) for one, other in zip(found.hidden, (after[1], after[3], after[4]), strict=True))
    torch.testing.assert_close(found.whole[0], after[4][0, :2].mean(0))
    encoded = tower(tokens, is_token)
    assert torch.equal(tower.project(encoded.hidden), transformer(tokens, is_token))
    assert torch.equal(encoded.whole, found.whole)
    assert set(tower.trainable()) == set(transformer.parameters())
    with pytest.raises(UsageError, match="all tokens attend to each other"):
        tower(tokens, is_token, is_token[:, None].expand(-1, 4, -1))


def test_every_weight_is_trained_and_the_papers_size_is_the_default() -> None:
    transformer = PlainTransformer(BackboneConfig())
    assert sum(weight.numel() for weight in transformer.parameters()) == 1_581_824
    transformer(torch.randn(1, 5, 256), torch.ones(1, 5, dtype=torch.bool)).square().sum().backward()
    assert all(weight.grad is not None for weight in transformer.parameters())


def test_a_width_that_heads_cannot_share_is_refused() -> None:
    with pytest.raises(UsageError, match="a width of 10 cannot be shared by 4 attention heads"):
        PlainTransformer(BackboneConfig(width=10))
