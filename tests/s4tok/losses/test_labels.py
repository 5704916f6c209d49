import math

import pytest
import torch
from torch.nn import functional

from s4tok.losses.labels import LabelLoss
from s4tok.shapes import Float
from s4tok.vision.vision_model import CLIP_FACTOR

TEXTS = torch.eye(4)
VOCABULARIES = torch.tensor([0, 0, 1, 1])


def loss_of(features: Float[torch.Tensor, "b s d"], labels: list[list[int]], sizes: list[list[float]]) -> torch.Tensor:
    found: torch.Tensor = LabelLoss(TEXTS, VOCABULARIES)(features, torch.tensor(labels)[..., None], torch.tensor(sizes))
    return found


def test_superpoints_between_two_texts_of_their_vocabulary_are_worth_a_coin() -> None:
    between = torch.tensor([[[3.0, 3.0, 0.0, 7.0], [0.0, 5.0, 1.0, 1.0]]])
    found = loss_of(between, [[1, 2]], [[10.0, 1.0]])
    assert float(found) == pytest.approx(math.log(2))


def test_points_count_once_and_those_without_label_not_at_all() -> None:
    right, wrong = torch.eye(4)[0], torch.eye(4)[1]
    features = torch.stack([right, wrong, wrong])[None].requires_grad_()
    found = loss_of(features, [[0, 0, -1]], [[30.0, 10.0, 1000.0]])
    assert found.item() == pytest.approx(10 / 40 * CLIP_FACTOR, rel=1e-4)
    found.backward()  # type: ignore[no-untyped-call]
    assert features.grad is not None
    assert not features.grad[0, 2].any()


def test_without_labels_there_is_nothing_to_learn() -> None:
    features = torch.zeros(1, 2, 4, requires_grad=True)
    found = loss_of(features, [[-1, -1]], [[3.0, 0.0]])
    found.backward()  # type: ignore[no-untyped-call]
    assert found.item() == 0
    assert features.grad is not None
    assert not features.grad.any()


def test_it_equals_the_cross_entropy_of_each_vocabulary_alone() -> None:
    torch.manual_seed(0)
    texts, features = functional.normalize(torch.randn(7, 5), dim=1), torch.randn(2, 6, 5)
    vocabularies, labels = torch.tensor([0, 0, 0, 1, 1, 1, 1]), torch.randint(-1, 7, (2, 6, 2))
    sizes, total, count = torch.rand(2, 6), 0.0, 0.0
    for feature, both, size in zip(features.flatten(0, 1), labels.flatten(0, 1), sizes.flatten(), strict=True):
        for label in both[both >= 0]:
            own = texts[:3] if label < 3 else texts[3:]
            logits = CLIP_FACTOR * own @ feature / feature.norm()
            total += float(size * -logits.log_softmax(0)[label - (0 if label < 3 else 3)])
            count += float(size)
    assert float(LabelLoss(texts, vocabularies)(features, labels, sizes)) == pytest.approx(total / count, rel=1e-5)
