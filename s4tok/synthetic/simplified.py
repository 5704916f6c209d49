"""Models of real things with few faces, each of one colour, so that a room of them is drawn quickly."""

import numpy as np

from s4tok.datasets.dataset import Mesh
from s4tok.dependencies import load
from s4tok.shapes import Array, Float64, Int
from s4tok.synthetic.objects import areas

MOST_FACES = 5000  # of a piece as long as a metre or more; of smaller ones fewer
FEWEST_FACES = 1200
WELD = 1e-5  # metres within which corners are one
COARSE, FINEST = 1 / 300, 0.002  # of the longest side, and metres: corners so near are one where there are ...
MANY_FACES = 40_000  # ... so many faces
SAMPLES = 20_000  # faces whose colours are carried over


def simplified(mesh: Mesh) -> tuple[Float64[Array, "p 3"], Int[Array, "f 3"], Float64[Array, "f 3"]]:
    """Give vertices, faces and the colour of each face: the mean of the surface that it stands for."""
    assert mesh.color is not None
    longest = float(np.ptp(mesh.vertices, axis=0).max())
    grain = WELD if len(mesh.faces) < MANY_FACES else max(COARSE * longest, FINEST)
    vertices, faces = _welded(mesh.vertices, mesh.faces, grain)
    most = int(np.clip(MOST_FACES * longest, FEWEST_FACES, MOST_FACES))
    if len(faces) > most:
        vertices, faces = _decimated(vertices, faces, most)
    return vertices, faces, _carried(mesh, vertices, faces)


def _welded(
    vertices: Float64[Array, "p 3"], faces: Int[Array, "f 3"], grain: float
) -> tuple[Float64[Array, "q 3"], Int[Array, "g 3"]]:
    _, first, one = np.unique(np.round(vertices / grain), axis=0, return_index=True, return_inverse=True)
    joined = one.reshape(-1)[faces]
    a, b, c = joined.T
    return _used(vertices[first], joined[(a != b) & (b != c) & (a != c)])


def _decimated(vertices: Array, faces: Array, most: int) -> tuple[Array, Array]:
    geometry, utility = (load("open3d").geometry, load("open3d").utility)
    mesh = geometry.TriangleMesh(utility.Vector3dVector(vertices), utility.Vector3iVector(faces.astype(np.int32)))
    fewer = mesh.simplify_quadric_decimation(most)
    return _used(np.asarray(fewer.vertices).copy(), np.asarray(fewer.triangles).astype(np.int64))


def _used(vertices: Array, faces: Array) -> tuple[Array, Array]:
    kept, renamed = np.unique(faces[areas(vertices, faces) > 0], return_inverse=True)
    return vertices[kept], renamed.reshape(-1, 3)


def _carried(mesh: Mesh, vertices: Array, faces: Array) -> Float64[Array, "f 3"]:
    """Bring the colours of the old faces to the nearest new ones; one that is nearest to none takes its own."""
    assert mesh.color is not None
    some = mesh.faces[:: -(-len(mesh.faces) // SAMPLES)]
    old = mesh.color[some].mean(axis=1).astype(np.float64)
    weight = np.maximum(areas(mesh.vertices, some), 1e-12)
    nearest = _nearest(vertices, faces, mesh.vertices[some].mean(axis=1))
    total = np.bincount(nearest, weight, len(faces))
    color = np.stack([np.bincount(nearest, weight * old[:, k], len(faces)) for k in range(3)], axis=1)
    alone = total == 0
    color[~alone] /= total[~alone, None]
    if alone.any():
        color[alone] = old[_nearest(mesh.vertices, some, vertices[faces[alone]].mean(axis=1))]
    return color


def _nearest(vertices: Array, faces: Array, points: Array) -> Int[Array, " n"]:
    open3d = load("open3d")
    tensor, scene = open3d.core.Tensor, open3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(tensor(vertices.astype(np.float32)), tensor(faces.astype(np.uint32)))
    found = scene.compute_closest_points(tensor(points.astype(np.float32)), nthreads=1)
    numbers: Array = found["primitive_ids"].numpy().astype(np.int64)
    return numbers
