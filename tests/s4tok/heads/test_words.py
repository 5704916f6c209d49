from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from s4tok.config import HeadConfig
from s4tok.heads.table import HEADS, build_head
from s4tok.heads.words import BESIDE_A_HEAD, BegunWithWords
from s4tok.tokenizers.propagation import propagate
from s4tok.vision.vision_model import CLIP_FACTOR
from tests.s4tok.heads.reading import clouds

CONFIG = HeadConfig(head_widths=(8, 8, 8, 8), head_start="words")


def begun(
    *, of_points: bool, name: str = "full", nearest: bool = False
) -> tuple[BegunWithWords, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    config = replace(CONFIG, head=name, propagation="nearest" if nearest else "superpoints")
    head = build_head(config, 8, 5, of_points=of_points, text_width=6)
    assert isinstance(head, BegunWithWords)
    projection, texts = torch.randn(8, 6), functional.normalize(torch.randn(5, 6), dim=1)
    head.begin(projection, texts)
    return head, projection, texts


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("nearest", [False, True])
def test_points_are_labelled_by_their_cosines_before_anything_is_learned(name: str, nearest: bool) -> None:
    read, points, superpoints = clouds()
    head, projection, texts = begun(of_points=True, name=name, nearest=nearest)
    within = None if nearest else superpoints
    features = propagate(read.layers[-1] @ projection, read.tokens, points, within).features
    factor = CLIP_FACTOR if name == "words" else BESIDE_A_HEAD
    torch.testing.assert_close(
        head(read, points, superpoints), factor * functional.normalize(features, dim=-1) @ texts.T
    )


@pytest.mark.parametrize("name", HEADS)
def test_clouds_are_labelled_by_the_cosines_of_the_whole(name: str) -> None:
    read, *_ = clouds()
    head, projection, texts = begun(of_points=False, name=name)
    factor = CLIP_FACTOR if name == "words" else BESIDE_A_HEAD
    torch.testing.assert_close(head(read), factor * functional.normalize(read.whole @ projection, dim=-1) @ texts.T)


@pytest.mark.parametrize("of_points", [True, False])
def test_what_words_say_is_learned_from_like_the_rest(of_points: bool) -> None:
    read, points, superpoints = clouds()
    head, *_ = begun(of_points=of_points)
    logits = head(read, points, superpoints) if of_points else head(read)
    logits.square().sum().backward()
    learned = {name for name, weight in head.named_parameters() if weight.grad is not None and weight.grad.any()}
    assert learned >= {"projection", "texts", "log_factor", "head.classes.weight", "head.classes.bias"}


def test_words_alone_learn_nothing_but_a_factor() -> None:
    read, points, superpoints = clouds()
    head, *_ = begun(of_points=True, name="words")
    assert [name for name, _ in head.named_parameters()] == ["log_factor"]
    read.layers[-1].requires_grad_()
    head(read, points, superpoints).square().sum().backward()
    assert read.layers[-1].grad is not None
    assert read.layers[-1].grad.abs().sum() > 0
    again, *_ = begun(of_points=True, name="words")
    again.load_state_dict({name: 2 * value for name, value in head.state_dict().items()})
    torch.testing.assert_close(again.texts, 2 * head.texts)


def test_a_cloud_without_features_has_no_label_and_finite_gradients() -> None:
    head, *_ = begun(of_points=True)
    nothing = torch.zeros(2, 6, requires_grad=True)
    head.cosines(nothing).sum().backward()  # type: ignore[no-untyped-call]
    assert not head.cosines(nothing).any()
    assert nothing.grad is not None
    assert nothing.grad.isfinite().all()
