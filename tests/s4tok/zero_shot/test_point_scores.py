from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from s4tok.errors import InputError
from s4tok.models.model import Model, build_model
from s4tok.shapes import Array
from s4tok.superpoints.samples import sample, to_y_up
from s4tok.zero_shot import encoded_windows
from s4tok.zero_shot.encoded_windows import Looking, superpoints_in_sample
from s4tok.zero_shot.point_scores import score_points, vision_scores
from s4tok.zero_shot.windows import windows

WHOLE = Looking(n_points=400, window=0.0, overlap=0.0, smallest=1)


@pytest.fixture(scope="module")
def model(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Model:
    clip = make_clip(tmp_path_factory.mktemp("models") / "tiny")
    torch.manual_seed(1)
    made = build_model(str(clip), n_tokens=24, patch_size=8, adapter_widths=(8, 8, 8))
    return made.eval()


def cloud(n_points: int = 3000) -> tuple[Array, Array]:
    """A strip of 6 x 2 x 1 in eight superpoints, and a last one of two points that no sample meets."""
    xyz = np.random.default_rng(0).uniform(0, (6, 2, 1), (n_points, 3)).astype(np.float32)
    labels = (xyz[:, 0] / 1.5).astype(np.int64) * 2 + (xyz[:, 1] > 1)
    labels[:2] = 8
    return xyz, labels


def classes(count: int = 5) -> Tensor:
    return functional.normalize(torch.randn(count, 24, generator=torch.Generator().manual_seed(2)), dim=-1)


def test_no_point_is_lost_and_the_seed_alone_decides(model: Model) -> None:
    xyz, labels = cloud()
    looking = Looking(n_points=300, window=2.0, overlap=0.5, smallest=20)
    first, again, other = (score_points(model, xyz, labels, classes(), looking, seed=seed) for seed in (3, 3, 4))
    assert first.shape == (3000, 5)
    assert np.isfinite(first).all()
    assert (np.abs(first) <= 1).all()
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_cloud_seen_whole_is_scored_as_the_model_itself_says(model: Model) -> None:
    xyz, labels = cloud()
    drawn = sample(xyz, labels, 400, 7, "z")
    found = model(
        torch.from_numpy(drawn.points)[None], torch.from_numpy(drawn.superpoints)[None], seeds=torch.tensor([7])
    )
    of_points = model.of_points(
        found, torch.from_numpy(to_y_up(xyz, "z"))[None], torch.from_numpy(superpoints_in_sample(labels, drawn))[None]
    )
    expected = functional.normalize(of_points[0], dim=-1) @ classes().T
    scores = score_points(model, xyz, labels, classes(), WHOLE, seed=7, up="z")
    np.testing.assert_allclose(scores, expected.detach(), atol=1e-5)


def test_how_many_points_are_held_at_once_changes_nothing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    xyz, labels = cloud()
    whole = score_points(model, xyz, labels, classes(), WHOLE, seed=7)
    monkeypatch.setattr(encoded_windows, "POINTS_AT_ONCE", 700)
    np.testing.assert_allclose(score_points(model, xyz, labels, classes(), WHOLE, seed=7), whole, atol=1e-6)


class Opinionated(Model):
    """A model that says of all points of its first window the first class, and so on."""

    window = -1

    def forward(self, *given: Any, **more: Any) -> Any:
        self.window += 1

    def of_points(self, found: Any, points: Tensor, superpoints: Tensor) -> Tensor:
        return torch.eye(24)[self.window].expand(1, points.shape[1], 24)


def test_where_windows_overlap_each_is_believed_by_how_far_inside_a_point_lies(model: Model) -> None:
    xyz, labels = cloud()
    looking = Looking(n_points=300, window=2.0, overlap=0.5, smallest=1)
    stubborn = Opinionated(model.tokenizer, model.clip)
    scores = score_points(stubborn, xyz, labels, torch.eye(24), looking, seed=0, up="z")
    expected = np.zeros((3000, 24))
    for number, window in enumerate(windows(xyz, "z", 2.0, 0.5, 1)):
        for point, weight in zip(window.which, window.weight, strict=True):
            expected[point, number] = weight
    np.testing.assert_allclose(scores, expected / expected.sum(axis=1, keepdims=True), atol=1e-6)
    assert ((scores > 0).sum(axis=1) > 1).any()


def test_a_window_from_superpoints_is_encoded_as_a_cloud_of_its_own(model: Model) -> None:
    near, labels = cloud(600)
    xyz = np.concatenate([near, near + (20, 0, 0)]).astype(np.float32)
    labels = np.concatenate([labels, labels + 9])
    looking = Looking(400, 0.0, 0.0, smallest=20, windows="superpoints", gap=1.0, large=100.0)
    scores = score_points(model, xyz, labels, classes(), looking, seed=6)
    for number, part in enumerate((slice(0, 600), slice(600, 1200))):
        alone = score_points(model, xyz[part], labels[part], classes(), WHOLE, seed=6 ^ number)
        np.testing.assert_allclose(scores[part], alone, atol=1e-6)


def test_a_teachers_word_reaches_all_points_of_a_superpoint_and_the_next_one_that_nobody_saw() -> None:
    xyz = np.array([[0, 0, 0], [0, 1, 0], [5, 0, 0], [9, 0, 0]], np.float32)
    features = np.array([[2, 0], [0, 3], [0, 0]], np.float16)
    scores = vision_scores(features, np.array([True, True, False]), xyz, np.array([0, 0, 1, 2]), torch.eye(2))
    np.testing.assert_allclose(scores, [[1, 0], [1, 0], [0, 1], [0, 1]])
    with pytest.raises(InputError, match="no view has seen"):
        vision_scores(features, np.zeros(3, bool), xyz, np.array([0, 0, 1, 2]), torch.eye(2))
