import pytest
import torch
from torch import Tensor

from s4tok.config import PropagationConfig
from s4tok.errors import InputError
from s4tok.tokenizers import propagation, propagation_cpu
from s4tok.tokenizers.propagation import Propagated, propagate
from tests.s4tok.tokenizers.test_propagation import scene


def both(monkeypatch: pytest.MonkeyPatch, *given: object) -> tuple[Propagated, Propagated]:
    asked = list[int]()

    def carry(features: Tensor, *more: object) -> object:
        asked.append(len(features))
        return kept(features, *more)  # type: ignore[arg-type]

    kept = propagation_cpu.carry
    monkeypatch.setattr(propagation_cpu, "carry", carry)
    one = propagate(*given)  # type: ignore[arg-type]
    assert not asked
    monkeypatch.setattr(propagation, "SMALLEST_OF_LOOP", 0)
    other = propagate(*given)  # type: ignore[arg-type]
    assert asked
    return one, other


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_compiled_loop_carries_what_the_other_carries(
    monkeypatch: pytest.MonkeyPatch, seed: int, double: bool
) -> None:
    tokens, points, superpoints, features = scene(seed)
    is_point = torch.rand(points.shape[:2], generator=torch.Generator().manual_seed(seed)) < 0.9
    points[~is_point] = torch.nan  # padding may hold anything
    points = points.double() if double else points
    one, other = both(monkeypatch, features, tokens, points, superpoints.masked_fill(~is_point, -1), is_point)
    torch.testing.assert_close(other.features, one.features, rtol=1e-5, atol=1e-6)
    assert torch.equal(other.has_own, one.has_own)
    assert 0 < (~one.has_own).sum() < 60


@pytest.mark.parametrize("nearest", [1, 3, 50])
def test_the_nearest_centres_speak_where_there_are_no_superpoints(
    monkeypatch: pytest.MonkeyPatch, nearest: int
) -> None:
    tokens, points, _, features = scene()
    config = PropagationConfig(fallback_centers=nearest)
    one, other = both(monkeypatch, features, tokens, points, None, None, config)
    torch.testing.assert_close(other.features, one.features, rtol=1e-5, atol=1e-6)
    assert not other.has_own.any()


def test_what_is_trained_has_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(propagation, "SMALLEST_OF_LOOP", 0)
    tokens, points, superpoints, features = scene()
    found = propagate(features.requires_grad_(), tokens, points, superpoints).features
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert features.grad is not None
    with torch.inference_mode():
        torch.testing.assert_close(propagate(features, tokens, points, superpoints).features, found)


def test_a_negative_superpoint_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(propagation, "SMALLEST_OF_LOOP", 0)
    tokens, points, superpoints, features = scene()
    superpoints[1, 3] = -1
    with pytest.raises(InputError, match="negative"):
        propagate(features, tokens, points, superpoints)
