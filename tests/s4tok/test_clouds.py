import numpy as np
import pytest

from s4tok.clouds import PointCloud
from s4tok.errors import InputError
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array


def cloud_of(n: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(-2, 3, (n, 3))


def test_a_cloud_at_utm_coordinates_is_the_cloud_at_the_origin() -> None:
    points = np.round(cloud_of(500), 3)  # a millimetre, what a scanner writes
    utm = np.array([431_250.5, 4_581_900.25, 120.0])
    here, there = PointCloud.of(points), PointCloud.of(points + utm)
    np.testing.assert_allclose(there.xyz, here.xyz, atol=1e-8)
    np.testing.assert_allclose(there.original_xyz(), points + utm, atol=1e-6)


def test_float32_would_have_lost_that_cloud() -> None:
    points = cloud_of(500)
    utm = np.array([431_250.5, 4_581_900.25, 120.0])
    naive = (points + utm).astype(np.float32)
    naive -= naive.mean(axis=0)
    assert np.abs(naive - PointCloud.of(points).xyz).max() > 0.05


def test_the_bounding_box_is_centred_and_nothing_is_rescaled() -> None:
    cloud = PointCloud.of([[0, 0, 0], [4, 2, 1]])
    np.testing.assert_array_equal(cloud.xyz, [[-2, -1, -0.5], [2, 1, 0.5]])
    np.testing.assert_array_equal(cloud.offset, [2, 1, 0.5])
    assert cloud.extent == 4


def test_order_is_kept_and_a_part_stays_in_the_frame_of_the_whole() -> None:
    points = cloud_of(50)
    cloud = PointCloud.of(points, labels=np.arange(50), color=np.full((50, 3), 255, np.uint8))
    some = np.array([40, 3, 7])
    part = cloud.take(some)
    np.testing.assert_array_equal(part.xyz, cloud.xyz[some])
    assert part.labels is not None
    assert part.labels.tolist() == [40, 3, 7]
    np.testing.assert_allclose(part.original_xyz(), points[some], atol=1e-6)
    assert part.exact is not None
    np.testing.assert_allclose(part.exact + part.offset, points[some], atol=1e-15)
    assert len(cloud.take(cloud.xyz[:, 0] > 0)) == (cloud.xyz[:, 0] > 0).sum()


def test_boxes_are_moved_with_the_points_and_a_part_keeps_them_all() -> None:
    points, far = cloud_of(50), np.array([100.0, 0, 0])
    boxes = OrientedBoxes.of([0], [points[3]], [[1, 1, 1]], instances=[4])
    cloud = PointCloud.of(points + far, instances=np.arange(50), boxes=boxes.moved(far))
    assert cloud.boxes is not None
    np.testing.assert_allclose(cloud.boxes.centers[0], cloud.xyz[3], atol=1e-5)
    part = cloud.take(np.array([40, 3]))
    assert part.instances is not None
    assert part.instances.tolist() == [40, 3]
    found = part.original_boxes()
    assert found is not None
    np.testing.assert_allclose(found.centers, [points[3] + far])
    with pytest.raises(InputError, match="instances must be 50 integers"):
        PointCloud.of(points, instances=np.zeros(50))


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        (np.array([[0, 51, 255]] * 4, np.uint8), [0, 0.2, 1]),
        (np.array([[0, 13107, 65535]] * 4, np.uint16), [0, 0.2, 1]),
        (np.array([[0, 0.2, 1.0]] * 4), [0, 0.2, 1]),
    ],
)
def test_colours_are_read_by_their_dtype(color: Array, expected: list[float]) -> None:
    cloud = PointCloud.of(cloud_of(4), color=color)
    assert cloud.color is not None
    np.testing.assert_allclose(cloud.color[0], expected, atol=1e-6)


def test_normals_come_out_at_unit_length_and_unknown_ones_as_zero() -> None:
    cloud = PointCloud.of(cloud_of(3), normals=np.array([[0, 0, 2], [0, 0, 0], [np.nan, 1, 0]]))
    assert cloud.normals is not None
    np.testing.assert_array_equal(cloud.normals, [[0, 0, 1], [0, 0, 0], [0, 0, 0]])


def with_a_hole() -> Array:
    points = cloud_of(10)
    points[7, 1] = np.nan
    return points


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (with_a_hole(), "1 of 10 points are not finite, the first at index 7"),
        (np.full((4, 3), np.inf), "4 of 4 points are not finite"),
        (np.zeros((0, 3)), "at least 2 points, and this one has 0"),
        (np.zeros((1, 3)), "at least 2 points, and this one has 1"),
        (cloud_of(10).T, r"must be an \(n, 3\) array, and these are \(3, 10\)"),
        (np.zeros((5, 6)), r"these are \(5, 6\)"),
        (np.zeros(3), r"these are \(3,\)"),
        (cloud_of(4).astype(complex), "have dtype complex128"),
        (np.array([[None, 1, 2]] * 3, dtype=object), "have dtype object"),
        (np.zeros((3, 3), bool), "have dtype bool"),
        (np.array([["1", "2", "3"]] * 3), "have dtype <U1"),
        ([[1.0, 2.0, 3.0], [1.0]], "not one rectangular array"),
        (cloud_of(10) * 1e30, "units across, which no unit of length explains"),
        (cloud_of(10) * 1e-30, "units across, which no unit of length explains"),
        (cloud_of(10) * 1e307, "units across, which no unit of length explains"),
    ],
)
def test_a_broken_cloud_is_refused_in_one_sentence(points: Array, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        PointCloud.of(points, name="scan.ply")
    message = str(caught.value)
    assert message.startswith("scan.ply: ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"color": np.zeros((3, 3))}, r"color must be \(4, 3\), one row a point, and these are \(3, 3\)"),
        ({"color": np.full((4, 3), 200.0)}, "these run from 200 to 200"),
        ({"normals": np.zeros((4, 2))}, r"normals must be \(4, 3\)"),
        ({"labels": np.zeros(4)}, "labels must be 4 integers, one a point, and these are float64"),
        ({"labels": np.zeros(5, int)}, "labels must be 4 integers"),
    ],
)
def test_a_broken_attribute_is_refused_in_one_sentence(attributes: dict[str, Array], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        PointCloud.of(cloud_of(4), **attributes)  # type: ignore[arg-type]


def test_points_that_all_coincide_are_a_cloud_of_no_extent() -> None:
    assert PointCloud.of(np.ones((5, 3))).extent == 0
