"""Gaussian splats, which trainers write as .ply: the means that are opaque enough are points."""

from collections.abc import Container, Mapping

import numpy as np

from s4tok.datasets.formats.contents import Contents
from s4tok.shapes import Array, Real

FIRST_HARMONIC = ("f_dc_0", "f_dc_1", "f_dc_2")  # red, green, blue: the part that is the same from all sides
CONSTANT = 0.5 / np.sqrt(np.pi)  # of the spherical harmonic of degree 0; colours are 0.5 + this times the coefficient
OPAQUE = 0.1  # of a Gaussian that is a point; a scene's haze and most of what floats before it are fainter


def are_gaussians(names: Container[str]) -> bool:
    """Tell by the names of its properties whether an element is one of Gaussians."""
    return "opacity" in names and all(name in names for name in FIRST_HARMONIC)


def gaussians(vertex: Mapping[str, object], means: Real[Array, "n 3"]) -> Contents | None:
    """Take the opaque of some Gaussians for points, in their colour; None where they are no Gaussians."""
    columns = [column for name in (*FIRST_HARMONIC, "opacity") if isinstance(column := vertex.get(name), np.ndarray)]
    if len(columns) < 4:
        return None
    values = np.stack(columns, axis=1).astype(np.float64)
    with np.errstate(over="ignore"):
        opacity = 1 / (1 + np.exp(-values[:, 3]))  # kept as the logit
    present = (opacity >= OPAQUE) & np.isfinite(means).all(axis=1) & np.isfinite(values).all(axis=1)
    color = (0.5 + CONSTANT * values[present, :3]).clip(0, 1)
    return Contents(means[present], color=color, present=None if present.all() else present)
