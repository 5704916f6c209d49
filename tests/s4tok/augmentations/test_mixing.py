import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s4tok.augmentations.mixing import Part, mix


def part(seed: int, n_points: int = 400, n_superpoints: int = 5, width: int = 3) -> Part:
    draw = np.random.default_rng(seed)
    points = draw.normal(size=(n_points, 3)).astype(np.float32) * draw.uniform(0.2, 1, 3).astype(np.float32)
    labels = np.sort(draw.integers(n_superpoints, size=n_points))
    return Part(points, np.unique(labels, return_inverse=True)[1], draw.normal(size=(n_superpoints, width)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**40), count=st.integers(1, 5), exponent=st.floats(-3, 3))
def test_objects_stand_on_the_floor_and_apart(seed: int, count: int, exponent: float) -> None:
    parts = [each._replace(points=each.points * np.float32(10**exponent)) for each in map(part, range(count))]
    found = mix(parts, 600, seed)
    labels = found.superpoints
    assert len(found.points) == len(labels) <= 600 + count
    assert len(found.targets) == 5 * count + (labels.max() - 5 * count + 1)
    floor = found.points[labels == 5 * count]
    things = [found.points[(labels >= 5 * each) & (labels < 5 * each + 5)] for each in range(count)]
    unit = 10**exponent
    for thing in things:
        assert thing[:, 1].min() >= floor[:, 1].min() - 0.02 * unit
        assert (thing[:, ::2].min(0) > floor[:, ::2].min(0)).all()  # the floor reaches under everything
        assert (thing[:, ::2].max(0) < floor[:, ::2].max(0)).all()
    for one in range(count):
        for other in range(one):
            gaps = np.linalg.norm(things[one][:, None, ::2] - things[other][None, :, ::2], axis=2)
            assert gaps.min() > 0.01 * unit


def test_targets_follow_their_superpoints_and_floor_and_wall_have_none() -> None:
    parts = [part(0), part(1)]
    found = mix(parts, 5000, 3)
    assert np.array_equal(found.targets[:10], np.concatenate([each.targets for each in parts]))
    assert not found.targets[10:].any()
    for number, each in enumerate(parts):  # enough points are asked for, so that each object keeps all of its own
        sizes = np.bincount(found.superpoints, minlength=10)[5 * number : 5 * number + 5]
        assert np.array_equal(sizes, np.bincount(each.superpoints, minlength=5))


def test_features_stay_with_their_points_normals_turn_with_their_object_and_planes_have_none() -> None:
    parts = [part(0), part(1)]  # with the place of each point for a normal, and its number for a colour
    normals = [each.points / np.linalg.norm(each.points, axis=1, keepdims=True) for each in parts]
    numbers = [400 * place + np.arange(400, dtype=np.float32) for place in range(2)]
    known = [
        np.column_stack([number, number, number, 0 * number + 1, normal])
        for number, normal in zip(numbers, normals, strict=True)
    ]
    found = mix(
        [each._replace(features=features.astype(np.float32)) for each, features in zip(parts, known, strict=True)],
        5000, 3, slice(4, 7),
    )  # fmt: skip
    assert found.features is not None
    is_thing = found.superpoints < 10
    assert not found.features[~is_thing].any()
    order = found.features[is_thing, 0].astype(int)
    assert np.array_equal(
        found.superpoints[is_thing], np.concatenate([parts[0].superpoints, 5 + parts[1].superpoints])[order]
    )
    for number, before in enumerate(parts):
        rows = np.flatnonzero(is_thing & (found.features[:, 0] // 400 == number))
        now, turned = found.points[rows].astype(float), found.features[rows, 4:].astype(float)
        assert len(rows) == 400
        # The object was turned, resized and moved: offsets between its points say by how much, and normals agree.
        which = found.features[rows, 0].astype(int) % 400
        offsets, old = now - now.mean(0), (before.points - before.points.mean(0))[which].astype(float)
        turn = np.linalg.lstsq(old, offsets, rcond=None)[0]
        turn /= np.cbrt(np.linalg.det(turn))
        np.testing.assert_allclose(turned, normals[number][which] @ turn, atol=1e-4)
        assert np.abs(turn - np.eye(3)).max() > 0.01
    assert mix(parts, 5000, 3).features is None


def test_the_same_seed_gives_the_same_cloud_and_another_another() -> None:
    one, same, other = (mix([part(0), part(1)], 300, seed) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(one[:3], same[:3], strict=True))
    assert not np.array_equal(one.points, other.points)
    assert np.abs(one.points.min(0) + one.points.max(0)).max() == pytest.approx(0, abs=1e-5)
