"""How good superpoints are, measured against ground truth."""

import numpy as np

from s4tok.geometry import Graph
from s4tok.shapes import Array, Int


def majority(labels: Int[Array, " n"], truth: Int[Array, " n"]) -> Int[Array, " n"]:
    """Give each point the class that is most frequent in its superpoint, the lowest of several.

    These are the labels of an oracle that labels superpoints. Truth below 0 is not counted; a superpoint of nothing
    else gets -1.
    """
    found: Array = most_frequent(labels, truth)[labels]
    return found


def most_frequent(labels: Int[Array, " n"], truth: Int[Array, " n"]) -> Int[Array, " s"]:
    """Give each superpoint the class that is most frequent in it, as `majority` says."""
    known = truth >= 0
    n_classes = int(truth.max(initial=0)) + 1
    cells = labels[known].astype(np.int64) * n_classes + truth[known]
    table = np.bincount(cells, minlength=(int(labels.max()) + 1) * n_classes).reshape(-1, n_classes)
    return np.where(table.any(axis=1), table.argmax(axis=1), -1)


def purity(labels: Int[Array, " n"], truth: Int[Array, " n"]) -> float:
    """Give the share of points that are of the class most frequent in their superpoint; truth below 0 is left out.

    It is the accuracy that perfect knowledge of each superpoint could reach.
    """
    known = truth >= 0
    if not known.any():
        return float("nan")
    _, classes = np.unique(truth[known], return_inverse=True)
    _, pieces = np.unique(labels[known], return_inverse=True)
    table = np.zeros((pieces.max() + 1, classes.max() + 1), np.int64)
    np.add.at(table, (pieces, classes), 1)
    return float(table.max(axis=1).sum() / len(classes))


def boundary_recall(labels: Int[Array, " n"], truth: Int[Array, " n"], graph: Graph) -> float:
    """Give the share of the graph's edges between two classes that superpoints cut as well.

    Strict: an edge beside the cut does not count. Superpoints of single points would reach 1, so compare at equal
    numbers.
    """
    one, other = truth[graph.low], truth[graph.high]
    border = (one != other) & (one >= 0) & (other >= 0)
    if not border.any():
        return float("nan")
    return float((labels[graph.low] != labels[graph.high])[border].mean())


def summary(labels: Int[Array, " n"]) -> dict[str, float]:
    """Count superpoints, their median size and the share of points in those under 5."""
    size = np.bincount(labels)
    return {
        "superpoints": float(len(size)),
        "median_size": float(np.median(size)),
        "share_under_5": float(size[size < 5].sum() / len(labels)),
    }
