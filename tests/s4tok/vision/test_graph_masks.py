import numpy as np
import pytest

from s4tok.config import GraphMaskConfig
from s4tok.errors import UsageError
from s4tok.shapes import Array
from s4tok.vision.graph_masks import GraphMasks, camera_points, merge
from s4tok.vision.table import load_vision_model, require
from s4tok.vision.vision_model import DepthImage

HEIGHT, WIDTH = 60, 80
INTRINSICS = np.array([[72.0, 0, 39.5], [0, 72.0, 29.5], [0, 0, 1]])


def wall(color: Array | None = None) -> DepthImage:
    """A wall two metres ahead, grey unless coloured otherwise."""
    grey = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    return DepthImage(grey if color is None else color, np.full((HEIGHT, WIDTH), 2.0, np.float32), INTRINSICS)


def test_one_wall_is_one_mask_and_another_colour_is_another_mask() -> None:
    assert np.unique(GraphMasks().masks(wall())).tolist() == [1]
    color = wall().color.copy()
    color[10:30, 50:75] = (200, 40, 40)
    ids = GraphMasks().masks(wall(color))
    assert np.unique(ids).tolist() == [1, 2]
    np.testing.assert_array_equal(ids == ids[20, 60], (color == (200, 40, 40)).all(axis=2))


def test_a_step_in_depth_and_a_bend_part_masks_of_one_colour() -> None:
    step = wall()
    step.depth[:, 40:] = 3.0
    ids = GraphMasks().masks(step)
    assert ids[30, 5] != ids[30, 75]
    bend = wall()
    rows = np.arange(HEIGHT)
    below = np.maximum((rows - 29.5) / 72, 1e-6)  # a floor 0.5 m under the camera, where it comes before the wall
    bend.depth[:] = np.minimum(2.0, 0.5 / below)[:, None]
    ids = GraphMasks().masks(bend)
    assert ids[5, 40] != ids[55, 40]
    assert ids[55, 10] == ids[55, 70]


def test_where_no_depth_was_measured_there_is_no_mask() -> None:
    image = wall()
    image.depth[20:30, 20:40] = 0
    ids = GraphMasks().masks(image)
    np.testing.assert_array_equal(ids == 0, image.depth == 0)


def test_a_wide_image_is_merged_small_and_comes_back_at_its_size() -> None:
    color = np.full((240, 320, 3), 128, np.uint8)
    color[40:120, 200:300] = (200, 40, 40)
    image = DepthImage(color, np.full((240, 320), 2.0, np.float32), INTRINSICS * [[4], [4], [1]])
    ids = GraphMasks().masks(image)
    assert ids.shape == (240, 320)
    red = (color == (200, 40, 40)).all(axis=2)
    assert np.mean((ids == ids[80, 250]) == red) > 0.99


def test_pixels_become_points_before_the_camera() -> None:
    image = wall()
    points = camera_points(image)
    np.testing.assert_allclose(points[29, 39], [-0.5 / 36, -0.5 / 36, 2.0])
    assert points[0, 79, 0] > 0 > points[0, 79, 1]  # x to the right, y down


def test_edges_are_merged_while_they_are_no_worse_than_what_lies_inside() -> None:
    # Four nodes in a row: the first two edges cost .1, the last one .5. With scale .3 the three hold .1 + .3 / 3 = .2.
    first, second, weight = np.array([0, 1, 2]), np.array([1, 2, 3]), np.array([0.1, 0.1, 0.5])
    assert merge(first, second, weight, 4, 0.3).tolist() == [0, 0, 0, 3]
    assert merge(first, second, weight, 4, 1.3).tolist() == [0, 0, 0, 0]
    assert merge(first, second, weight, 4, 0.3, smallest=2).tolist() == [0, 0, 0, 0]
    assert merge(first, second, weight, 4, 0.05).tolist() == [0, 1, 2, 3]


def test_only_models_with_masks_are_asked_for_them() -> None:
    assert load_vision_model_named("graph").identity["masks"] == "graph"
    with pytest.raises(UsageError, match="mini has no masks of regions, which this needs") as error:
        load_vision_model_named("mini")
    assert "graph" in error.value.hint
    with pytest.raises(UsageError, match="graph has no features of patches"):
        require(GraphMasks, "graph", "dense")
    with pytest.raises(UsageError, match="graph has no features of patches"):
        _ = GraphMasks().width


def load_vision_model_named(name: str) -> GraphMasks:
    from s4tok.config import VisionConfig

    model = load_vision_model(VisionConfig(name), "cpu", "masks")
    assert isinstance(model, GraphMasks)
    return model


def test_its_settings_are_its_identity() -> None:
    assert GraphMasks(GraphMaskConfig(scale=2.0)).identity != GraphMasks().identity
