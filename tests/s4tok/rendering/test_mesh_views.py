from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from s4tok.datasets.dataset import Mesh
from s4tok.rendering.cameras import ten_views
from s4tok.rendering.mesh_views import MeshViews, mesh_views, surface_pixels
from s4tok.shapes import Array

VIEWS: Array = ten_views().numpy()


def chair() -> Mesh:
    trimesh = pytest.importorskip("trimesh")
    seat = trimesh.creation.box((1, 0.1, 1))
    back = trimesh.creation.box((1, 1, 0.1)).apply_translation((0, 0.5, -0.45))
    leg = trimesh.creation.box((0.1, 0.8, 0.1)).apply_translation((0.4, -0.4, 0.4))
    ball = trimesh.creation.icosphere(radius=0.2).apply_translation((0.3, 0.25, 0.2))
    whole = trimesh.util.concatenate([seat, back, leg, ball])
    return Mesh(np.asarray(whole.vertices) * 3 + [100.0, 2.0, -3.0], np.asarray(whole.faces))


@pytest.fixture(scope="module")
def drawn() -> MeshViews:
    from s4tok_pipelines.stages.doctor import egl

    finding = egl()
    if finding.state != "ok":
        pytest.skip(f"no rendering without a screen here: {finding.found}")
    return mesh_views(chair(), VIEWS)


def test_depth_agrees_with_a_ray_caster_within_one_percent(drawn: MeshViews) -> None:
    open3d = pytest.importorskip("open3d", exc_type=ImportError)
    mesh = chair()
    scene = open3d.t.geometry.RaycastingScene()
    vertices = open3d.core.Tensor((mesh.vertices - mesh.vertices.mean(axis=0)).astype(np.float32))
    scene.add_triangles(vertices, open3d.core.Tensor(mesh.faces.astype(np.uint32)))
    extent = float(np.ptp(mesh.vertices, axis=0).max())
    agree = []
    for view, surface in zip(VIEWS, drawn.surface, strict=True):
        points = surface[~np.isnan(surface[..., 0])] - mesh.vertices.mean(axis=0)
        start = points + 10 * view[2]
        rays = np.concatenate([start, np.broadcast_to(-view[2], start.shape)], axis=1).astype(np.float32)
        error = np.abs(scene.cast_rays(open3d.core.Tensor(rays))["t_hit"].numpy() - 10)
        agree.append(error < 0.01 * extent)
    assert np.concatenate(agree).mean() >= 0.99


def test_the_surface_of_a_pixel_lies_at_its_depth_and_projects_into_it(drawn: MeshViews) -> None:
    mesh = chair()
    for view, surface, depth in zip(VIEWS, drawn.surface, drawn.depth, strict=True):
        seen = mesh.vertices @ view.T
        low, high = seen.min(axis=0), seen.max(axis=0)
        rows, columns = np.nonzero(~np.isnan(depth))
        placed = (surface[rows, columns].astype(np.float64) @ view.T - (low + high) / 2) / (high - low).max() * 0.7
        np.testing.assert_allclose((placed[:, 0] + 0.5) * 224 - 0.5, rows, atol=0.01)
        np.testing.assert_allclose((placed[:, 1] + 0.5) * 224 - 0.5, columns, atol=0.01)
        np.testing.assert_allclose(placed[:, 2] * (high - low).max() / 0.7, depth[rows, columns], atol=1e-4)


def test_the_background_is_white_and_the_object_is_not(drawn: MeshViews) -> None:
    for color, depth in zip(drawn.color, drawn.depth, strict=True):
        assert color[:5].min() == 255
        inside = color[~np.isnan(depth)]
        assert inside.mean() < 250
        assert np.ptp(inside.mean(axis=1)) > 20  # shaded, and not one flat grey


def test_faces_keep_their_colours(drawn: MeshViews) -> None:
    mesh = chair()
    color = np.tile(np.array([1.0, 0.0, 0.0], np.float32), (len(mesh.vertices), 1))
    red = mesh_views(Mesh(mesh.vertices, mesh.faces, color=color), VIEWS[:1])
    inside = red.color[0][~np.isnan(red.depth[0])].astype(int)
    assert (inside[:, 0] > inside[:, 1] + 50).mean() > 0.95


def test_a_mesh_turned_inside_out_is_drawn_all_the_same(drawn: MeshViews) -> None:
    mesh = chair()
    turned = mesh_views(Mesh(mesh.vertices, mesh.faces[:, ::-1].copy()), VIEWS[:2])
    np.testing.assert_array_equal(np.isnan(turned.depth), np.isnan(drawn.depth[:2]))
    assert np.abs(turned.color.astype(int) - drawn.color[:2]).max() <= 1


@pytest.mark.parametrize("color", [(1.0, 1.0, 1.0), (0.5, 0.25, 0.75), (0.1, 0.1, 0.1)])
def test_a_face_seen_head_on_has_the_colour_its_file_says(drawn: MeshViews, color: tuple[float, ...]) -> None:
    corners = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    paper = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]), color=np.tile(np.array(color, np.float32), (4, 1)))
    view = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # down, right, towards the camera
    middle = mesh_views(paper, view[None]).color[0, 112, 112] / 255
    np.testing.assert_allclose(middle, 0.98 * np.array(color), atol=0.01)


def test_the_pixels_of_visible_points_lead_back_to_them_within_one_pixels_footprint(drawn: MeshViews) -> None:
    trimesh = pytest.importorskip("trimesh")
    mesh = chair()
    points = np.asarray(trimesh.sample.sample_surface(trimesh.Trimesh(mesh.vertices, mesh.faces), 4000, seed=0)[0])
    pixels, visible = surface_pixels(points, mesh, drawn, VIEWS)
    for view, surface, pixel, seen in zip(VIEWS, drawn.surface, pixels, visible, strict=True):
        extent = float(np.ptp(mesh.vertices @ view.T, axis=0).max())
        back = surface[pixel[seen, 0], pixel[seen, 1]]
        offset = np.abs((back - points[seen]) @ view.T)
        assert offset[:, :2].max() <= 0.5 * extent / 0.7 / 224 * 1.01  # the middle of the pixel is at most half away
        assert 0.05 < seen.mean() < 0.7


def test_points_are_seen_where_a_ray_to_the_camera_meets_nothing(drawn: MeshViews) -> None:
    trimesh, open3d = pytest.importorskip("trimesh"), pytest.importorskip("open3d", exc_type=ImportError)
    mesh = chair()
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces)
    points, face = trimesh.sample.sample_surface(solid, 4000, seed=0)
    _, visible = surface_pixels(np.asarray(points), mesh, drawn, VIEWS)
    scene = open3d.t.geometry.RaycastingScene()
    middle = mesh.vertices.mean(axis=0)
    vertices = open3d.core.Tensor((mesh.vertices - middle).astype(np.float32))
    scene.add_triangles(vertices, open3d.core.Tensor(mesh.faces.astype(np.uint32)))
    agree = []
    for view, seen in zip(VIEWS, visible, strict=True):
        start = points - middle + 20 * view[2]
        rays = np.concatenate([start, np.broadcast_to(-view[2], start.shape)], axis=1).astype(np.float32)
        free = scene.cast_rays(open3d.core.Tensor(rays))["t_hit"].numpy() > 20 - 0.01
        steep = np.abs(solid.face_normals[face] @ view[2]) < 0.1  # seen from the side nobody can tell
        agree.append((free == seen)[~steep].mean())
    print(f"visibility as a ray caster tells it, by view: {np.round(agree, 3)}")
    assert min(agree) > 0.93


MESH_THEN_CLIP = """
import numpy as np
from s4tok.datasets.dataset import Mesh
from s4tok.rendering.cameras import ten_views
from s4tok.rendering.mesh_views import mesh_views
mesh_views(Mesh(np.eye(3), np.array([[0, 1, 2]])), ten_views().numpy()[:1], size=16)
import open_clip
"""


@pytest.mark.slow
def test_clip_can_be_loaded_after_a_mesh_was_drawn(
    drawn: MeshViews, python: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "driver.py").write_text(MESH_THEN_CLIP)
    done = python("driver.py")
    assert done.returncode == 0, done.stderr
