import sys
from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial import KDTree

from s4tok.shapes import Array
from s4tok.synthetic.categories import CATEGORIES
from s4tok.synthetic.objects import GRID, areas, make_object, spread_points
from s4tok.synthetic.randomness import Draw

SOME = 8  # objects of each category that every test looks at


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_object_has_the_parts_of_its_category_and_points_on_each(category: str) -> None:
    row = CATEGORIES[category]
    assert 2 <= len(row.all_parts) <= 5
    met = set()
    for number in range(SOME):
        draw = Draw(0, category, number)
        thing = make_object(category, draw)
        labels = thing.parts[spread_points(thing.vertices, thing.faces, 8192, draw).faces]
        has = set(thing.parts.tolist())
        assert set(range(len(row.parts))) <= has
        assert has == set(labels.tolist())
        met |= has
    assert met == set(range(len(row.all_parts)))


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_object_is_sound_and_fits_the_unit_sphere(category: str) -> None:
    for number in range(SOME):
        thing = make_object(category, Draw(1, category, number))
        assert np.isfinite(thing.vertices).all()
        assert areas(thing.vertices, thing.faces).min() > 0
        assert thing.faces.min() >= 0
        assert thing.faces.max() < len(thing.vertices)
        small = thing.in_unit_sphere()
        low, high = small.vertices.min(0), small.vertices.max(0)
        np.testing.assert_allclose(low + high, 0, atol=4 * GRID)
        assert np.linalg.norm(small.vertices, axis=1).max() == pytest.approx(1, abs=4 * GRID)


@pytest.mark.parametrize("category", CATEGORIES)
def test_objects_of_one_category_are_no_template_stretched_along_its_axes(category: str) -> None:
    def in_unit_box(number: int, again: int) -> Array:
        thing = make_object(category, Draw(0, category, number))
        xyz = spread_points(thing.vertices, thing.faces, 3000, Draw(again)).xyz
        unit: Array = (xyz - xyz.min(0)) / np.ptp(xyz, axis=0)
        return unit

    def apart(one: Array, other: Array) -> float:
        return float(KDTree(one).query(other)[0].mean() + KDTree(other).query(one)[0].mean())

    first = in_unit_box(0, 0)
    noise = apart(first, in_unit_box(0, 1))
    distances = [apart(first, in_unit_box(number, 1)) for number in range(1, SOME)]
    assert np.median(distances) > 1.15 * noise  # a template would come back as noise alone


def test_points_lie_on_the_mesh_with_its_normals() -> None:
    draw = Draw(0, "any")
    thing = make_object("mug", draw)
    sample = spread_points(thing.vertices, thing.faces, 2000, draw)
    a, b, c = (thing.vertices[thing.faces[sample.faces, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(sample.normals, axis=1), 1, atol=1e-6)
    assert (sample.normals * normal).sum(1).min() > 0.99999
    assert np.abs(((sample.xyz - a) * normal).sum(1)).max() < 2 * GRID


def test_points_are_spread_by_area() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [10, 0, 0], [10, 3, 0], [12, 0, 0.0]])
    faces = np.array([[0, 1, 2], [3, 4, 5]])  # areas 1/2 and 3
    sample = spread_points(vertices, faces, 700, Draw(0))
    assert np.abs(np.bincount(sample.faces) - [100, 600]).max() <= 1
    first = sample.xyz[sample.faces == 0]
    np.testing.assert_allclose(first.mean(0), [1 / 3, 1 / 3, 0], atol=0.05)
    assert (first[:, 0] + first[:, 1]).max() <= 1 + GRID


def test_a_stream_knows_its_name_and_nothing_else() -> None:
    first = Draw(0, "a", 1)
    expected = [first.between(0, 1), first.count(0, 9), first.pick("abc")]
    Draw(0, "b").between(0, 1)
    again = Draw(0, "a", 1)
    assert [again.between(0, 1), again.count(0, 9), again.pick("abc")] == expected
    assert Draw(1, "a", 1).between(0, 1) != expected[0]
    assert Draw(0, "a/1").between(0, 1) == expected[0]  # names are joined; the world's own hold no slash


def global_features(xyz: Array) -> Array:
    """Describe a cloud by its box, its moments and its principal axes: what a look from afar tells."""
    centered = xyz - xyz.mean(0)
    covariance = np.cov(centered.T)
    principal = np.sqrt(np.maximum(np.linalg.eigvalsh(covariance), 0))
    moments = [(centered**3).mean(0), (centered**4).mean(0)]
    return np.concatenate([np.ptp(xyz, axis=0), np.sqrt(np.diag(covariance)), principal, *moments])


@pytest.mark.slow
def test_the_world_is_not_solved_by_a_look_from_afar(record_property: Callable[[str, object], None]) -> None:
    def described(seed: int, each: int) -> tuple[Array, Array]:
        rows, labels = [], []
        for label, category in enumerate(CATEGORIES):
            for number in range(each):
                draw = Draw(seed, category, number)
                thing = make_object(category, draw).in_unit_sphere()
                rows.append(global_features(spread_points(thing.vertices, thing.faces, 512, draw).xyz))
                labels.append(label)
        return np.array(rows), np.array(labels)

    seen, labels = described(0, 25)
    unseen, truth = described(1, 20)
    mean, spread = seen.mean(0), seen.std(0)
    centroids = np.stack([((seen - mean) / spread)[labels == label].mean(0) for label in range(len(CATEGORIES))])
    distance = (((unseen - mean) / spread)[:, None] - centroids) ** 2
    accuracy = float((distance.sum(-1).argmin(1) == truth).mean())
    record_property("nearest centroid accuracy", accuracy)
    sys.stdout.write(f"nearest centroid on global features: {accuracy:.3f} of {len(truth)} held-out objects\n")
    assert 1.5 / len(CATEGORIES) < accuracy < 0.6
