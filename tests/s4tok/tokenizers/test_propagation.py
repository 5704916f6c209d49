import pytest
import torch
from torch import Tensor

from s4tok.errors import InputError
from s4tok.tokenizers import propagation
from s4tok.tokenizers.propagation import pooling, propagate
from s4tok.tokenizers.tokens import Tokens


def scene(seed: int = 0, n_points: int = 90, n_tokens: int = 14) -> tuple[Tokens, Tensor, Tensor, Tensor]:
    """Two clouds, six superpoints; superpoint 5 holds no centre, and the last tokens of the second are none."""
    draw = torch.Generator().manual_seed(seed)
    points = torch.randn(2, n_points, 3, generator=draw)
    superpoints = torch.randint(0, 6, (2, n_points), generator=draw)
    is_token = torch.ones(2, n_tokens, dtype=torch.bool)
    is_token[1, -3:] = False
    tokens = Tokens(
        tokens=torch.zeros(2, n_tokens, 4),
        encodings=torch.zeros(2, n_tokens, 4),
        xyz=torch.randn(2, n_tokens, 3, generator=draw),
        superpoints=torch.randint(0, 5, (2, n_tokens), generator=draw),
        is_token=is_token,
        radius=torch.tensor([0.3, 2.0]),
    )
    return tokens, points, superpoints, torch.randn(2, n_tokens, 8, generator=draw)


def slow(tokens: Tokens, point: Tensor, superpoint: int, cloud: int, features: Tensor) -> Tensor:
    """Equation 4 for one point, centre by centre in float64."""
    centers = [t for t in range(features.shape[1]) if tokens.is_token[cloud, t]]
    distance = {t: float((tokens.xyz[cloud, t].double() - point.double()).norm()) for t in centers}
    own = [t for t in centers if tokens.superpoints[cloud, t] == superpoint]
    own = own or sorted(centers, key=lambda t: distance[t])[:3]
    weight = {t: 1 / (distance[t] + 1e-4 * float(tokens.radius[cloud])) for t in own}
    total = torch.stack([weight[t] * features[cloud, t].double() for t in own]).sum(0)
    return total / sum(weight.values())


@pytest.mark.parametrize("pairs", [2**22, 500])
def test_propagation_is_its_slow_twin_however_the_points_are_divided(
    monkeypatch: pytest.MonkeyPatch, pairs: int
) -> None:
    monkeypatch.setattr(propagation, "PAIRS_AT_ONCE", pairs)
    tokens, points, superpoints, features = scene()
    found = propagate(features, tokens, points, superpoints)
    for cloud in range(2):
        for point in range(90):
            label = int(superpoints[cloud, point])
            expected = slow(tokens, points[cloud, point], label, cloud, features)
            torch.testing.assert_close(found.features[cloud, point].double(), expected, rtol=1e-4, atol=1e-5)
            held = bool(((tokens.superpoints[cloud] == label) & tokens.is_token[cloud]).any())
            assert bool(found.has_own[cloud, point]) == held
    assert 0 < (~found.has_own).sum() < 60


def test_every_device_propagates_the_same(device: str) -> None:
    tokens, points, superpoints, features = scene()
    moved = Tokens(*(field.to(device) for field in tokens))
    there = propagate(features.to(device), moved, points.to(device), superpoints.to(device))
    here = propagate(features, tokens, points, superpoints)
    torch.testing.assert_close(there.features.cpu(), here.features, rtol=0, atol=1e-5)
    assert torch.equal(there.has_own.cpu(), here.has_own)


@pytest.mark.parametrize("pairs", [2**22, 500])
def test_pooling_is_the_mean_of_what_is_propagated(monkeypatch: pytest.MonkeyPatch, pairs: int) -> None:
    monkeypatch.setattr(propagation, "PAIRS_AT_ONCE", pairs)
    tokens, points, superpoints, features = scene(1)
    is_point = torch.ones_like(superpoints, dtype=torch.bool)
    is_point[0, 50:] = False
    points[0, 50:], superpoints[0, 50:] = torch.nan, -1
    spread = propagate(features, tokens, points, superpoints, is_point)
    assert (spread.features[0, 50:] == 0).all()
    pool = pooling(tokens, points, superpoints, 8, is_point)
    pooled = pool.pool(features)
    assert pool.has_points.tolist() == [[True] * 6 + [False] * 2] * 2
    for cloud in range(2):
        for label in range(6):
            expected = spread.features[cloud][superpoints[cloud] == label].mean(0)
            torch.testing.assert_close(pooled[cloud, label], expected, rtol=1e-4, atol=1e-5)
    assert (pool.has_own == spread.has_own).all()


def test_a_point_at_a_centre_takes_its_feature_and_a_constant_stays_constant() -> None:
    tokens, _, _, features = scene(2)
    at_centers = propagate(features, tokens, tokens.xyz[:, :11], tokens.superpoints[:, :11])
    torch.testing.assert_close(at_centers.features, features[:, :11], atol=1e-2, rtol=1e-2)
    tokens, points, superpoints, features = scene(3)
    same = propagate(torch.ones_like(features), tokens, points, superpoints).features
    torch.testing.assert_close(same, torch.ones_like(same))


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_unit_of_length_does_not_matter(factor: float) -> None:
    tokens, points, superpoints, features = scene(4)
    large = tokens._replace(xyz=tokens.xyz * factor, radius=tokens.radius * factor)
    torch.testing.assert_close(
        propagate(features, large, points * factor, superpoints).features,
        propagate(features, tokens, points, superpoints).features,
        rtol=1e-4,
        atol=1e-5,
    )


def test_gradients_are_those_of_finite_differences() -> None:
    tokens, points, superpoints, features = scene(5, n_points=12, n_tokens=6)
    some = features[..., :2].double().requires_grad_()
    assert torch.autograd.gradcheck(lambda f: propagate(f, tokens, points, superpoints).features, (some,))
    pool = pooling(tokens, points, superpoints, 6)
    assert torch.autograd.gradcheck(pool.pool, (some,))


def test_a_superpoint_beyond_the_last_is_refused() -> None:
    tokens, points, superpoints, _ = scene()
    with pytest.raises(InputError, match="a point is in superpoint 5, and there are 5, from 0 on"):
        pooling(tokens, points, superpoints, 5)
