from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pytest
import torch
from torch.nn import functional

from s4tok.config import ViewConfig
from s4tok.datasets.dataset import Frame
from s4tok.rendering.scene_frames import FARTHEST, depth_picture, is_posed, project, scene_views, sees
from s4tok.shapes import Array
from s4tok.vision.lifting import lift

Occlusion: TypeAlias = Literal["openscene", "open3dis"]
OCCLUSIONS: tuple[Occlusion, Occlusion] = ("openscene", "open3dis")
CONFIG = ViewConfig(image="color", size=64, border=2)


def rotation(rng: np.random.Generator) -> Array:
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    proper: Array = turn * np.sign(np.linalg.det(turn))
    return proper


def room(seed: int = 0, width: int = 96, height: int = 72) -> tuple[Array, Frame]:
    """A wall, a box before it, a camera anywhere: the points in the world, and the frame that camera takes.

    The frame's depth is computed by crossing every pixel's ray with the planes, so it is exact.
    """
    rng = np.random.default_rng(seed)
    depth_k = np.array([[80.0, 0, (width - 1) / 2], [0, 80, (height - 1) / 2], [0, 0, 1]])
    color_k = np.diag([2.0, 2, 1]) @ depth_k
    color_k[:2, 2] = (depth_k[:2, 2] + 0.5) * 2 - 0.5
    rows, columns = np.mgrid[:height, :width]
    x, y = (columns - depth_k[0, 2]) / 80, (rows - depth_k[1, 2]) / 80
    on_box = (np.abs(x * 1.5) < 0.3) & (np.abs(y * 1.5) < 0.3)
    depth = np.where(on_box, 1.5, 3.0).astype(np.float32)

    wall = np.stack([rng.uniform(-3, 3, 4000), rng.uniform(-2, 2, 4000), np.full(4000, 3.0)], axis=1)
    box = np.stack([rng.uniform(-0.3, 0.3, 800), rng.uniform(-0.3, 0.3, 800), np.full(800, 1.5)], axis=1)
    behind = np.stack([rng.uniform(-1, 1, 100), rng.uniform(-1, 1, 100), np.full(100, -2.0)], axis=1)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation(rng), rng.uniform(-50, 50, 3)
    points = np.concatenate([wall, box, behind]) @ pose[:3, :3].T + pose[:3, 3]
    color = rng.integers(0, 256, (2 * height, 2 * width, 3)).astype(np.uint8)
    return points, Frame("0", color, depth, color_k, depth_k, pose)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("image", ["color", "depth"])
def test_a_visible_points_pixel_leads_back_to_it_within_one_pixels_footprint(
    seed: int, image: Literal["color", "depth"]
) -> None:
    points, frame = room(seed)
    views = scene_views(points, frame, replace(CONFIG, image=image))
    side = 72  # of a window, in pixels of the depth image
    assert views.visible.any(dim=1).all()
    for start, pixels, visible in zip((0, 96 - side), views.pixels, views.visible, strict=True):
        place = (pixels[visible].numpy() + 0.5) * side / CONFIG.size - 0.5  # middles of the view's pixels
        rows, columns = place[:, 0], place[:, 1] + start
        depth = project(points[visible.numpy()], frame.camera_to_world, frame.depth_intrinsics).depth
        ray = np.stack([(columns - 47.5) / 80, (rows - 35.5) / 80, np.ones_like(rows)], axis=1)
        back = (ray * depth[:, None]) @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]
        footprint = depth / 80 * side / CONFIG.size
        offset = (back - points[visible.numpy()]) @ frame.camera_to_world[:3, :3]
        assert (np.abs(offset[:, :2]) <= 0.5 * footprint[:, None] * (1 + 1e-6)).all()


@pytest.mark.parametrize("occlusion", OCCLUSIONS)
def test_what_stands_behind_something_or_behind_the_camera_is_not_seen(occlusion: Occlusion) -> None:
    points, frame = room()
    visible = sees(points, frame, replace(CONFIG, occlusion=occlusion))
    x, y, _ = ((points - frame.camera_to_world[:3, 3]) @ frame.camera_to_world[:3, :3]).T
    wall, box = slice(0, 4000), slice(4000, 4800)
    in_shadow = (np.abs(x[wall] / 3 * 1.5) < 0.28) & (np.abs(y[wall] / 3 * 1.5) < 0.28)
    assert not visible[wall][in_shadow].any()
    assert visible[box].mean() > 0.95
    assert not visible[4800:].any()
    in_frame = (np.abs(x[wall] / 3) < 0.5) & (np.abs(y[wall] / 3) < 0.35)
    clear = in_frame & ~((np.abs(x[wall] / 3 * 1.5) < 0.32) & (np.abs(y[wall] / 3 * 1.5) < 0.32))
    assert visible[wall][clear].all()


def test_the_two_occlusion_tests_differ_as_their_papers_do() -> None:
    points, frame = room()
    moved = points + 0.3 * frame.camera_to_world[:3, 2]  # 0.3 m behind what was measured, at 1.5 and 3 m
    relative, absolute = (sees(moved, frame, replace(CONFIG, occlusion=test)) for test in OCCLUSIONS)
    assert relative.any()
    assert not absolute.any()


def test_a_border_of_the_picture_sees_nothing() -> None:
    points, frame = room()
    for border in (0, 10, 30):
        config = replace(CONFIG, border=border)
        at = project(points, frame.camera_to_world, frame.depth_intrinsics)
        visible = sees(points, frame, config)
        assert visible.any()
        assert np.rint(at.columns[visible]).min() >= border
        assert np.rint(at.rows[visible]).max() < 72 - border


def test_where_nothing_was_measured_nothing_is_seen() -> None:
    points, frame = room()
    blind = replace(frame, depth=np.zeros_like(frame.depth))
    assert not sees(points, blind, CONFIG).any()
    assert (depth_picture(blind.depth) == 1).all()


def test_together_the_windows_see_what_the_frame_sees_and_show_its_colours() -> None:
    points, frame = room()
    views = scene_views(points, frame, replace(CONFIG, size=144))  # the windows' own size: nothing is resampled
    np.testing.assert_array_equal(views.visible.any(dim=0).numpy(), sees(points, frame, CONFIG))
    assert views.images.shape == (2, 3, 144, 144)
    at = project(points, frame.camera_to_world, frame.color_intrinsics)
    for image, pixels, visible in zip(*views, strict=True):
        rows, columns = pixels[visible].T
        shown = (image[:, rows, columns].T * 255).round().numpy()
        which = visible.numpy()
        colors = frame.color[np.rint(at.rows[which]).astype(int), np.rint(at.columns[which]).astype(int)]
        assert (shown == colors).all(axis=1).mean() > 0.99  # a point on a pixel's border may round the other way


@pytest.mark.parametrize("zoom", [1.0, 1.5, 3.0])
def test_smaller_windows_together_see_what_the_frame_sees(zoom: float) -> None:
    points, frame = room()
    views = scene_views(points, frame, replace(CONFIG, zoom=zoom))
    assert len(views.images) == {1.0: 2, 1.5: 4, 3.0: 12}[zoom]
    assert (views.visible.any(0).numpy() == sees(points, frame, CONFIG)).all()
    for view, (rows, columns) in zip(views.visible, views.pixels.permute(0, 2, 1), strict=True):
        assert 0 <= rows[view].min() <= rows[view].max() < CONFIG.size
        assert 0 <= columns[view].min() <= columns[view].max() < CONFIG.size


def test_a_tall_frame_is_cut_into_windows_too() -> None:
    points, frame = room(width=60, height=130)
    views = scene_views(points, frame, CONFIG)
    assert len(views.images) == 3
    np.testing.assert_array_equal(views.visible.any(dim=0).numpy(), sees(points, frame, CONFIG))


def test_points_that_are_not_seen_have_no_pixel() -> None:
    points, frame = room()
    views = scene_views(points, frame, CONFIG)
    assert (views.pixels[~views.visible] == -1).all()
    assert (views.pixels[views.visible] >= 0).all()
    assert views.pixels.max() < CONFIG.size


def test_a_frame_that_lost_its_pose_says_so() -> None:
    _, frame = room()
    assert is_posed(frame)
    assert not is_posed(replace(frame, camera_to_world=np.full((4, 4), -np.inf)))


def test_a_depth_picture_is_dark_where_it_is_near_and_white_where_nothing_is() -> None:
    picture = depth_picture(np.array([[0.0, 1.0], [2.0, 3.0]], np.float32))
    np.testing.assert_allclose(picture, [[1.0, 0.0], [FARTHEST / 2, FARTHEST]], atol=1e-6)
    assert (depth_picture(np.full((2, 2), 1.5, np.float32)) == 0).all()


def test_real_frames_see_a_real_scene(real_data: Path) -> None:
    pytest.importorskip("trimesh")
    open_dataset = pytest.importorskip("s4tok.datasets.open", reason="no readers in this checkout").open_dataset
    scans = open_dataset(real_data / "scannet", split="train")
    key = scans.keys[0]
    points = scans[key].original_xyz()
    for occlusion in OCCLUSIONS:
        config = ViewConfig(image="color", occlusion=occlusion)
        seen, errors = np.zeros(len(points), bool), []
        for frame in scans.frames(key, config.frame_step):
            visible = sees(points, frame, config)
            at = project(points[visible], frame.camera_to_world, frame.depth_intrinsics)
            measured = frame.depth[np.rint(at.rows).astype(int), np.rint(at.columns).astype(int)]
            errors.append(np.abs(measured - at.depth))
            seen |= visible
        error = float(np.median(np.concatenate(errors)))
        print(f"{key}, {len(errors)} frames, {occlusion}: {seen.mean():.1%} of points seen, median {error:.3f} m")
        assert seen.mean() > 0.2
        assert error < 0.05


@pytest.mark.parametrize("zoom", [1.0, 1.5])
def test_one_bright_square_of_a_frame_lights_the_points_before_it_through_windows_and_patches(zoom: float) -> None:
    """Bridge3D's release reads the features of a central crop as if they covered the frame, at the wrong place."""
    height, width = 96, 128
    color = np.zeros((height, width, 3), np.uint8)
    color[8:40, 88:120] = 255  # above and to the right of the middle: no crop, shift or transposition leaves it there
    intrinsics = np.array([[100.0, 0, 63.5], [0, 100.0, 47.5], [0, 0, 1]])
    frame = Frame("0", color, np.full((height, width), 2.0, np.float32), intrinsics, intrinsics, np.eye(4))
    rows, columns = np.indices((height, width)).reshape(2, -1)
    points = np.stack([(columns - 63.5) / 50, (rows - 47.5) / 50, np.full(rows.size, 2.0)], axis=1)
    views = scene_views(points, frame, ViewConfig(size=112, image="color", zoom=zoom, border=0))
    patches = functional.avg_pool2d(views.images.mean(1, keepdim=True), 4).permute(0, 2, 3, 1)
    seen = lift(patches, views.pixels, views.visible, torch.arange(len(points)), len(points), 112)
    brightness = (seen.total[:, 0] / seen.pairs).numpy().reshape(height, width)
    inside = np.zeros((height, width), bool)
    inside[12:36, 92:116] = True  # but for the patches at its border
    outside = np.ones((height, width), bool)
    outside[4:44, 84:124] = False
    assert brightness[inside].min() > 0.9
    assert brightness[outside].max() < 0.1
