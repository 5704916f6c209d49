"""Virtual frames show the cloud: depth is that of its surface, colours are its own, wherever and however it lies."""

import numpy as np
import pytest

from s4tok.clouds import Placement, PointCloud
from s4tok.config import ViewConfig, VirtualConfig
from s4tok.datasets.dataset import Mesh
from s4tok.geometry.axes import upright
from s4tok.geometry.placement import placed
from s4tok.rendering.scene_frames import project, sees
from s4tok.rendering.virtual_frames import virtual_frames
from s4tok.shapes import Array

CONFIG = VirtualConfig(places=1, around=3, pitches=(15.0,), above=2, size=96)
UTM = np.array([453_000.25, 5_411_000.5, 220.125])


def box() -> Mesh:
    """A room of 5 x 2.5 x 4 m with y up; the floor is red, the walls are green, the ceiling is blue."""
    corners = np.array([[x, y, z] for x in (0.0, 5.0) for y in (0.0, 2.5) for z in (0.0, 4.0)])
    sides = {(0, 1, 5, 4): 0, (2, 3, 7, 6): 2, (0, 1, 3, 2): 1, (4, 5, 7, 6): 1, (0, 2, 6, 4): 1, (1, 3, 7, 5): 1}
    vertices, faces, colors = list[Array](), list[list[int]](), list[Array]()
    for side, channel in sides.items():
        first = len(vertices)
        vertices += [corners[each] for each in side]
        colors += [np.eye(3)[channel]] * 4
        faces += [[first, first + 1, first + 2], [first, first + 2, first + 3]]
    return Mesh(np.array(vertices), np.array(faces), np.array(colors, np.float32))


def points_of(mesh: Mesh, count: int = 60_000) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    corners = mesh.vertices[mesh.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    face = rng.choice(len(area), count, p=area / area.sum())
    weights = rng.dirichlet([1, 1, 1], count)[:, :, None]
    assert mesh.color is not None
    return (weights * corners[face]).sum(axis=1), mesh.color[mesh.faces[face][:, 0]]


@pytest.mark.parametrize("by", ["mesh", "points"])
def test_frames_measure_the_surface_and_show_its_colours(by: str) -> None:
    mesh = box()
    xyz, color = points_of(mesh)
    cloud = PointCloud.of(xyz, color=color)
    frames = list(virtual_frames(cloud, mesh if by == "mesh" else None, "y", "room", CONFIG))
    assert len(frames) == CONFIG.around + CONFIG.above
    for frame in frames[: CONFIG.around]:
        assert (frame.depth > 0).mean() > (0.999 if by == "mesh" else 0.97)
        rows, columns = np.nonzero(frame.depth)
        focal, middle = frame.depth_intrinsics[0, 0], frame.depth_intrinsics[0, 2]
        depth = frame.depth[rows, columns].astype(float)
        seen = np.stack([(columns - middle) / focal * depth, (rows - middle) / focal * depth, depth], axis=1)
        hit = seen @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]
        off = np.minimum(np.abs(hit), np.abs(hit - [5, 2.5, 4])).min(axis=1)
        assert np.quantile(off, 0.95) < (1e-4 if by == "mesh" else 0.06)
        assert np.median(off) < 1e-4  # splats lie in the planes of their points
        floor = (hit[:, 1] < 0.02) & (hit[:, [0, 2]] > 0.3).all(axis=1) & (hit[:, [0, 2]] < [4.7, 3.7]).all(axis=1)
        assert floor.any()
        assert (frame.color[rows, columns][floor].argmax(axis=1) == 0).mean() > 0.99


@pytest.mark.parametrize("by", ["mesh", "points"])
def test_cameras_above_see_the_floor_and_no_ceiling(by: str) -> None:
    mesh = box()
    xyz, color = points_of(mesh)
    frames = list(virtual_frames(PointCloud.of(xyz, color=color), mesh if by == "mesh" else None, "y", "room", CONFIG))
    for frame in frames[CONFIG.around :]:
        shown = frame.color[frame.depth > 0].argmax(axis=1)
        assert (shown == 0).mean() > 0.3
        assert not (shown == 2).any()


def test_an_own_room_in_inches_at_utm_with_z_up_gives_the_same_frames_in_its_own_coordinates() -> None:
    xyz, color = points_of(box(), 20_000)
    own = PointCloud.of(xyz @ upright("z") / 0.0254 + UTM, color=color)
    metres = placed(PointCloud.of(xyz, color=color), Placement("y", "m", "room"))
    inches = placed(own, Placement("z", "inch", "room"))
    for one, other in zip(
        virtual_frames(metres, None, "y", "room", CONFIG),
        virtual_frames(inches, None, "y", "room", CONFIG),
        strict=True,
    ):
        np.testing.assert_array_equal(one.color, other.color)
        np.testing.assert_allclose(0.0254 * other.depth, one.depth, rtol=1e-6)
        visible = sees(own.original_xyz(), other, ViewConfig(border=2))
        assert visible.mean() > 0.05
        shown = project(own.original_xyz()[visible], other.camera_to_world, other.depth_intrinsics)
        assert (shown.depth > 0).all()


def test_a_cloud_without_colours_is_grey_and_not_flat() -> None:
    xyz, _ = points_of(box(), 20_000)
    frame = next(iter(virtual_frames(PointCloud.of(xyz), None, "y", "room", CONFIG)))
    shades = frame.color[frame.depth > 0]
    assert (shades == shades[:, :1]).all()
    assert shades.std() > 5
