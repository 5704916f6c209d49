import numpy as np
import pytest

from s4tok.datasets.dataset import Mesh
from s4tok.synthetic.objects import areas
from s4tok.synthetic.simplified import FEWEST_FACES, MOST_FACES, simplified
from s4tok.synthetic.solids import Solid, box, sheet


def mesh_of(solid: Solid, size: float = 1.0) -> Mesh:
    """Give every face corners of its own; the left is red, the right blue."""
    corners = size * solid.vertices[solid.faces]
    color = np.where(corners.mean(axis=1)[:, :1] < 0, [[1.0, 0, 0]], [[0, 0, 1.0]])
    faces = np.arange(3 * len(corners)).reshape(-1, 3)
    return Mesh(corners.reshape(-1, 3), faces, np.repeat(color, 3, axis=0).astype(np.float32))


def wavy(n: int) -> Solid:
    x, y = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-0.5, 0.5, n), indexing="ij")
    return sheet(np.stack([x, 0.1 * np.sin(5 * x), y], -1), 0.05)


def test_a_box_stays_as_it_is_with_corners_welded() -> None:
    solid = box((1, 2, 3))
    vertices, faces, colors = simplified(mesh_of(solid))
    assert len(vertices) == len(solid.vertices)
    assert len(faces) == len(colors) == len(solid.faces)
    assert areas(vertices, faces).sum() == pytest.approx(22)


def test_many_faces_become_few_of_the_same_size_and_colours() -> None:
    for n, size in ((60, 1.0), (180, 1.0), (60, 0.05)):
        mesh = mesh_of(wavy(n), size)
        vertices, faces, colors = simplified(mesh)
        most = MOST_FACES if size == 1.0 else FEWEST_FACES
        assert 0.5 * most < len(faces) <= most < len(mesh.faces)
        np.testing.assert_allclose(np.ptp(vertices, axis=0), np.ptp(mesh.vertices, axis=0), rtol=0.03)
        left = vertices[faces].mean(axis=1)[:, 0] < -0.05 * size
        right = vertices[faces].mean(axis=1)[:, 0] > 0.05 * size
        np.testing.assert_allclose(colors[left].mean(axis=0), [1, 0, 0], atol=0.02)
        np.testing.assert_allclose(colors[right].mean(axis=0), [0, 0, 1], atol=0.02)


def test_the_same_mesh_becomes_the_same() -> None:
    one, other = simplified(mesh_of(wavy(90))), simplified(mesh_of(wavy(90)))
    for mine, again in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, again)
