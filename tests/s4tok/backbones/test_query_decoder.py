import torch

from s4tok.backbones.query_decoder import QueryDecoder

ALL = torch.ones(2, 6, dtype=torch.bool)


def decoder() -> QueryDecoder:
    torch.manual_seed(0)
    return QueryDecoder(24, 3, 2)


def test_masked_tokens_do_not_look_at_each_other() -> None:
    places, visible = torch.randn(2, 5, 24), torch.randn(2, 6, 24)
    one = decoder()
    torch.testing.assert_close(one(places[:, 2:3], visible, ALL), one(places, visible, ALL)[:, 2:3])


def test_what_is_not_visible_changes_nothing() -> None:
    places, visible = torch.randn(2, 5, 24), torch.randn(2, 6, 24)
    is_visible = ALL.clone()
    is_visible[:, 4:] = False
    one = decoder()
    dirty = visible.masked_fill(~is_visible[..., None], 1e4)
    torch.testing.assert_close(one(places, dirty, is_visible), one(places, visible[:, :4], ALL[:, :4]))


def test_the_place_and_the_visible_tokens_both_matter_and_their_order_does_not() -> None:
    places, visible = torch.randn(2, 5, 24), torch.randn(2, 6, 24)
    one = decoder()
    asked = one(places, visible, ALL)
    assert (asked[:, 0] - asked[:, 1]).abs().max() > 0.05
    assert (one(places, -visible, ALL) - asked).abs().max() > 1e-3
    torch.testing.assert_close(one(places, visible.flip(1), ALL), asked)
