import pytest
import torch
from torch import Tensor, nn

from s4tok.backbones.scene_tokens import SceneTokens
from s4tok.config import DetectorConfig
from s4tok.heads.group_free import GroupFreeHead, StagedPredictions, likeliest_sizes
from tests.s4tok.heads.test_detection import scene

SMALL = DetectorConfig(
    width=16, heads=2, decoder_layers=2, decoder_hidden=8, queries=5, angles=12, dropout=0.0, decoder="groupfree"
)


def head(**changes: object) -> GroupFreeHead:
    torch.manual_seed(0)
    return GroupFreeHead(DetectorConfig(**{**SMALL.__dict__, **changes}), 6, 3)


def found(made: GroupFreeHead, given: SceneTokens, low: float = 0.0) -> StagedPredictions:
    corner = torch.full((len(given.xyz), 3), low)
    result: StagedPredictions = made(given, corner, torch.full_like(corner, 4))
    return result


def test_there_is_a_box_before_the_first_layer_and_one_after_each() -> None:
    result = found(head(), scene())
    assert result.boxes().shape == (3, 2, 5, 7)
    assert result.is_query.sum(1).tolist() == [5, 4]
    scores = result.scores()
    assert scores.classes.shape == (3, 2, 5, 3)
    torch.testing.assert_close(scores.classes.sum(-1), torch.ones(3, 2, 5))


def test_queries_stand_at_the_tokens_that_are_likeliest_on_a_thing() -> None:
    given = scene()
    result = found(head(), given)
    assert result.token_logits is not None
    for number, count in ((0, 9), (1, 4)):
        best = result.token_logits[number, :count].argsort(descending=True)[:5]
        assert torch.equal(result.at[number, : len(best)], given.xyz[number, best])
    farthest = found(head(query_points="farthest"), given)
    assert farthest.token_logits is None
    assert torch.equal(farthest.at[0, 0], given.xyz[0, 0])


def test_a_latest_box_is_the_place_of_the_next_layer_and_learns_nothing_from_it() -> None:
    made = head().eval()
    before, last = found(made, scene()), made.stages[0].last
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.bias.add_(1.0)
    after = found(made, scene())
    assert not torch.allclose(before.centers[1], after.centers[1])
    (gradient,) = torch.autograd.grad(after.centers[1:].sum(), last.weight, allow_unused=True)
    assert gradient is None or not gradient.any()


def test_boxes_move_with_the_scene_and_not_with_the_others_of_its_batch() -> None:
    made, given = head().eval(), scene()
    both, alone = found(made, given), scene()
    alone.tokens[-1, 4:] = 100.0
    alone.xyz[-1, 4:] = 100.0
    single = SceneTokens(*(part[1:] for part in alone))
    torch.testing.assert_close(both.boxes()[:, 1:, :4], found(made, single).boxes()[:, :, :4], atol=1e-5, rtol=1e-5)
    moved = found(made, given._replace(xyz=given.xyz + 3), low=3.0)
    torch.testing.assert_close(moved.centers, both.centers + 3, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("changes", [{}, {"query_points": "farthest", "sizes": "free", "angles": 1}])
def test_every_weight_has_a_gradient(changes: dict[str, object]) -> None:
    made = head(**changes)
    result = found(made, scene())
    total: Tensor = sum(part.square().sum() for part in result[:7])  # type: ignore[assignment]
    if result.token_logits is not None:
        total = total + result.token_logits.square().sum()
    total.backward()  # type: ignore[no-untyped-call]
    without = [name for name, weight in made.named_parameters() if weight.grad is None or not weight.grad.any()]
    # A shift of all keys changes no attention, and none of all tokens a batch norm's output.
    assert not [name for name in without if not name.endswith("bias")], without


def test_a_size_is_that_of_its_likeliest_class_and_what_is_predicted_over_it() -> None:
    typical = torch.tensor([[1.0, 2.0, 3.0], [0.5, 0.5, 0.5]])
    logits = torch.tensor([[0.1, 0.0], [0.0, 0.1]])
    excess = torch.tensor([[[0.5, 0.0, -0.5], [9.0, 9.0, 9.0]], [[9.0, 9.0, 9.0], [1.0, 0.0, -2.0]]])
    assert likeliest_sizes(logits, excess, typical).tolist() == [[1.5, 2.0, 1.5], [1.0, 0.5, 0.0]]
