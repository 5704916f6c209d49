"""Neighbours, samples and shapes of points, in NumPy for one cloud and in PyTorch for batches."""

from s4tok.geometry.descriptors import eigenvalues, normals_of, second_moments, shape_features
from s4tok.geometry.neighbors import Graph, Neighbors, nearest, neighbor_graph
from s4tok.geometry.normals import estimate_normals, orient, outer_products
from s4tok.geometry.sampling import farthest_points

__all__ = [
    "Graph",
    "Neighbors",
    "eigenvalues",
    "estimate_normals",
    "farthest_points",
    "nearest",
    "neighbor_graph",
    "normals_of",
    "orient",
    "outer_products",
    "second_moments",
    "shape_features",
]
