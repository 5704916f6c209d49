"""What a depth camera does not bring home: dark things, thin things, rims, grazed and far surfaces."""

import numpy as np

from s4tok.shapes import Array, Bool, Float64
from s4tok.synthetic.randomness import Draw

DARK = 0.14  # brightness below which the pattern begins to fade
FADE = (3.5, 6.0)  # metres between which the far is lost
STEEP = 0.18  # cosine below which a surface is grazed
JUMP = 0.06  # share of the distance from which on two neighbours are no one surface
PATCH = 8  # pixels; holes come in patches of about that size
REACH = 2  # pixels to both sides between which a thing is thin


def lost(
    distance: Float64[Array, "h w"], brightness: Float64[Array, "h w"], slope: Float64[Array, "h w"], draw: Draw
) -> Bool[Array, "h w"]:
    """Tell which pixels have no depth; `slope` is the cosine between ray and normal."""
    dark = 0.85 * np.clip(1 - brightness / DARK, 0, 1)
    grazed = 0.9 * np.clip(1 - slope / STEEP, 0, 1)
    far = 0.8 * np.clip((distance - FADE[0]) / (FADE[1] - FADE[0]), 0, 1)
    rim, thin = _edges(distance)
    chance = np.maximum.reduce([dark, grazed, far, 0.45 * rim, 0.55 * thin])
    rows, columns = distance.shape
    patches = draw.generator.random((rows // PATCH + 1, columns // PATCH + 1))
    clumped = np.kron(patches, np.ones((PATCH, PATCH)))[:rows, :columns]
    mixed = 0.6 * clumped + 0.4 * draw.generator.random((rows, columns))
    missed: Array = mixed < chance
    return missed


def _edges(distance: Float64[Array, "h w"]) -> tuple[Bool[Array, "h w"], Bool[Array, "h w"]]:
    """Tell pixels beside a jump of depth, and those that stand before what is behind them to both sides."""
    near = np.where(np.isfinite(distance), distance, 1e6)
    beside = [np.roll(near, step, axis) for axis in (0, 1) for step in (-1, 1)]
    rim = np.max([np.abs(other - near) for other in beside], axis=0) > JUMP * near
    pairs = [(np.roll(near, -REACH, axis), np.roll(near, REACH, axis)) for axis in (0, 1)]
    thin = np.max([np.minimum(one, other) for one, other in pairs], axis=0) > (1 + JUMP) * near
    return rim, thin
