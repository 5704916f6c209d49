"""Surface normals, and the form in which two of them can be compared."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from s4tok.dependencies import load
from s4tok.geometry.neighbors import Graph
from s4tok.shapes import Array, Float, Float64

NEIGHBORS = 30  # App. A.1 uses Open3D; its habit


def estimate_normals(xyz: Float[Array, "n 3"], k: int = NEIGHBORS) -> Float64[Array, "n 3"]:
    """Estimate unit normals through Open3D, as the paper does; their signs mean nothing."""
    open3d = load("open3d")
    points = xyz.astype(np.float64)
    extent = float(np.ptp(points, axis=0).max()) or 1.0
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points / extent))
    cloud.estimate_normals(open3d.geometry.KDTreeSearchParamKNN(min(k, len(points))))
    return np.asarray(cloud.normals).copy()


def outer_products(normals: Float64[Array, "n 3"]) -> Float64[Array, "n 6"]:
    r"""Write each normal as the six values of :math:`n n^T`, the same for n and -n.

    The off-diagonal ones count twice in the matrix and so carry :math:`\sqrt 2`: distances between rows are those
    between matrices, whatever the axes, and a row has length 1.
    """
    x, y, z = normals.T
    root = np.sqrt(2)
    return np.stack([x * x, y * y, z * z, root * x * y, root * x * z, root * y * z], axis=1)


def orient(normals: Float64[Array, "n 3"], graph: Graph) -> Float64[Array, "n 3"]:
    """Turn normals so that neighbours agree, along a minimum spanning tree of 1 - |n n'| (Hoppe et al., 1992).

    The sign of each connected part is arbitrary still: its first point decides.
    """
    agreement = np.einsum("ei,ei->e", normals[graph.low], normals[graph.high])
    price = 1 - np.abs(agreement) + 1e-9  # SciPy takes a zero for no edge
    matrix = coo_array((price, (graph.low, graph.high)), shape=(graph.n_points, graph.n_points)).tocsr()
    tree = minimum_spanning_tree(matrix)
    _, part = connected_components(tree, directed=False)
    turned = normals.copy()
    for root in np.unique(part, return_index=True)[1]:
        order, parent = breadth_first_order(tree, root, directed=False)
        for point in order[1:]:
            if turned[point] @ turned[parent[point]] < 0:
                turned[point] = -turned[point]
    return turned
