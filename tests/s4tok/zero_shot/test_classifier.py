from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from s4tok.errors import UsageError
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.classifier import classifier, cosines, mean_scores

CLASSES = [["a chair", "the chair", "chair"], ["a lamp"], ["a car", "chair"]]


@pytest.fixture(scope="module")
def tiny(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> FrozenClip:
    return FrozenClip.load(str(make_clip(tmp_path_factory.mktemp("models") / "tiny")))


def test_a_class_does_not_care_for_the_order_of_its_sentences_nor_for_the_other_classes(tiny: FrozenClip) -> None:
    turned = [said[::-1] for said in CLASSES[::-1]]
    torch.testing.assert_close(classifier(tiny, CLASSES), classifier(tiny, turned).flip(0))
    torch.testing.assert_close(classifier(tiny, CLASSES)[1:2], classifier(tiny, CLASSES[1:2]))


def test_a_class_is_the_unit_mean_of_its_sentences(tiny: FrozenClip) -> None:
    found = classifier(tiny, CLASSES)
    for row, said in zip(found, CLASSES, strict=True):
        mean = torch.stack([tiny.text([sentence])[0] for sentence in said]).mean(0)
        torch.testing.assert_close(row, mean / mean.norm(), atol=1e-5, rtol=1e-4)


def test_many_sentences_are_read_as_few_are(tiny: FrozenClip, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = classifier(tiny, CLASSES)
    monkeypatch.setattr("s4tok.zero_shot.classifier.SENTENCES_AT_ONCE", 2)
    torch.testing.assert_close(classifier(tiny, CLASSES), at_once)


def test_scores_are_cosines_and_a_zero_feature_is_near_nothing() -> None:
    classes = functional.normalize(torch.tensor([[1.0, 0.0], [3.0, 4.0]]), dim=-1)
    features = torch.tensor([[2.0, 0.0], [0.0, 0.5], [0.0, 0.0]])
    torch.testing.assert_close(cosines(features, classes), torch.tensor([[1.0, 0.6], [0.0, 0.8], [0.0, 0.0]]))


def test_a_mean_score_is_the_mean_of_the_scores() -> None:
    features = torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    classes = functional.normalize(torch.randn(4, 7, generator=torch.Generator().manual_seed(1)), dim=-1)
    mean = functional.normalize(features, dim=-1).mean(0)
    torch.testing.assert_close(mean_scores(mean.double(), classes), cosines(features, classes).mean(0))


def test_a_label_with_a_high_mean_cosine_no_longer_wins_everywhere() -> None:
    """By hand: all features lie near the first axis, and so does the first label."""
    features = torch.tensor([[0.8, 0.6, 0.0], [0.8, -0.6, 0.0]])
    classes = torch.tensor([[1.0, 0.0, 0.0], [0.6, 0.0, 0.8], [0.0, -1.0, 0.0]])
    raw, mean = cosines(features, classes), mean_scores(features.mean(0), classes)
    torch.testing.assert_close(raw, torch.tensor([[0.8, 0.48, -0.6], [0.8, 0.48, 0.6]]))
    torch.testing.assert_close(mean, torch.tensor([0.8, 0.48, 0.0]))
    torch.testing.assert_close((raw - 0.5 * mean)[1], torch.tensor([0.4, 0.24, 0.6]))
    assert raw.argmax(1).tolist() == [0, 0]
    assert (raw - 0.5 * mean).argmax(1).tolist() == [0, 2]


@pytest.mark.parametrize("sentences", [[], [["a chair"], []]])
def test_a_class_without_a_sentence_is_refused(tiny: FrozenClip, sentences: list[list[str]]) -> None:
    with pytest.raises(UsageError, match="a class needs a sentence"):
        classifier(tiny, sentences)
