from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.dataset import Mesh
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.sh3d.catalogue import UPRIGHT, Piece
from s4tok.datasets.sh3d.model import read_model
from tests.furniture import MTL, OBJ, box, picture

TALL = (1.0, 2.0, 0.5)
Z_UP = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0)


def _piece(size: tuple[float, float, float] = TALL, rotation: tuple[float, ...] = UPRIGHT) -> Piece:
    return Piece("Small", "x/bed/bed.obj", "Bed", "Bedroom", (), "A. Maker", size, rotation)


def _mesh(obj: str, piece: Piece | None = None, more: Mapping[str, bytes] | None = None) -> Mesh:
    files = {"x/bed/bed.obj": obj.encode(), "x/bed/thing.mtl": MTL.encode(), **(more or {})}
    return read_model(piece or _piece(), files, Path("Small.sh3f"))


def _area(mesh: Mesh) -> float:
    corners = mesh.vertices[mesh.faces]
    return float(
        np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
    )


def test_a_model_is_as_large_as_its_catalogue_says_and_stands_in_the_middle_of_the_floor() -> None:
    mesh = _mesh(f"{box((5, 5, 5), (7, 6, 9))}\nv 100 100 100\n")  # a vertex that no face has is no part of it
    np.testing.assert_allclose(mesh.vertices.min(axis=0), [-0.5, 0, -0.25])
    np.testing.assert_allclose(mesh.vertices.max(axis=0), [0.5, 2, 0.25])


def test_a_model_with_z_up_is_turned_before_it_is_measured() -> None:
    mesh = _mesh(f"{box((0, 0, 0), (1, 0.5, 2))}\nf 1 3 5\n", _piece(rotation=Z_UP))
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), TALL)
    turned = mesh.vertices[mesh.faces[-1]]
    np.testing.assert_allclose(turned[0], [-0.5, 0, 0.25])  # its corner at y = 0 is in front now


def test_a_flat_model_stays_flat() -> None:
    mesh = _mesh("v 0 3 0\nv 1 3 0\nv 1 3 1\nf 1 2 3\n", _piece((1.0, 0.003, 1.0)))
    assert np.ptp(mesh.vertices[:, 1]) == 0


def test_colours_are_the_materials_or_their_pictures() -> None:
    mesh = _mesh(
        OBJ.replace("f 9 10 12 11", "vt 0.5 0.5\nf 9/1 10/1 12/1 11/1"),
        more={"x/bed/paint.png": picture([(0, 0, 255, 255)])},
    )
    assert mesh.color is not None
    found = {tuple(color) for color in mesh.color.round(3).tolist()}
    assert found == {(0.5, 0.25, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 1.0)}  # wood, paint without places, the picture
    assert mesh.labels is None


def test_a_picture_that_was_never_published_leaves_the_colour_and_a_broken_one_is_told() -> None:
    obj = OBJ.replace("f 9 10 12 11", "vt 0.5 0.5\nf 9/1 10/1 12/1 11/1")
    mesh = _mesh(obj)
    assert mesh.color is not None
    assert mesh.color.max() == 1
    with pytest.raises(DamagedFile, match=r"paint\.png: cannot be decoded"):
        _mesh(obj, more={"x/bed/paint.png": b"not a picture"})


def test_materials_in_a_file_of_another_name_than_the_model_says_are_found() -> None:
    mesh = _mesh(OBJ.replace("thing.mtl", "elsewhere.mtl"))
    assert mesh.color is not None
    np.testing.assert_allclose(mesh.color[0], [0.5, 0.25, 0])


def test_cloth_that_is_modelled_once_for_each_side_is_kept_once() -> None:
    cloth = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nv 1 0 1\nv 1 1 1\n"
    once = _mesh(f"{cloth}f 1 2 3 4\nf 5 6 7\n")
    twice = _mesh(f"{cloth}f 1 2 3 4\nf 5 6 7\nf 4 3 2 1\nf 7 6 5\nf 3 4 1 2\n")
    assert len(twice.faces) == len(once.faces) == 3
    assert _area(twice) == pytest.approx(_area(once))


def test_surfaces_are_labelled_by_their_names() -> None:
    files = {"x/bed/bed.obj": OBJ.encode()}
    mesh = read_model(_piece(), files, Path("a"), lambda surface: 7 if "Door" in surface.object else -1)
    assert mesh.labels is not None
    assert (mesh.labels == -1).sum() == 12
    assert (mesh.labels == 7).sum() == 10  # the face that it shares with the body is the body's
    front = mesh.vertices[mesh.faces[mesh.labels == 7]]
    assert front[..., 2].min() > 0.2


@pytest.mark.parametrize(
    ("obj", "told"),
    [
        ("v 0 0 0\nv 1 1 1\n", "has no faces"),
        ("v 0 0 0\nv 1 1 1\nf 1 2\n", "has no faces"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "there are 3 vertices"),
        ("v 0 0 0\nv 1 0 x\nf 1 2 3\n", "'x' is not a number"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1/1 2/x 3/1\n", "is no face"),
    ],
)
def test_a_model_that_cannot_be_read_is_told_with_its_place_in_the_library(obj: str, told: str) -> None:
    with pytest.raises(DamagedFile, match=rf"Small\.sh3f/x/bed/bed\.obj.*{told}"):
        _mesh(obj)
