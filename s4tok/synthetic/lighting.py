"""The light of a room: daylight from windows and lamps over a glow from everywhere, weaker with distance."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from s4tok.shapes import Array, Float64

GRAZING = 0.15  # share of a light that a surface gets which faces away from it, off the walls around


class Light(NamedTuple):
    """Something that shines."""

    place: tuple[float, float, float]  # metres
    strength: float  # of what it adds to a surface right before it
    reach: float  # metres after which a quarter is left
    color: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Lighting:
    """The lights of a room and what is there without them."""

    lights: tuple[Light, ...]
    ambient: float
    exposure: float

    def shade(
        self, color: Float64[Array, "*n 3"], place: Float64[Array, "*n 3"], normal: Float64[Array, "*n 3"]
    ) -> Float64[Array, "*n 3"]:
        """Light surfaces of a colour at their places, normals towards the camera."""
        total = np.full(color.shape, self.ambient) + 0.08 * normal[..., 2:]
        for light in self.lights:
            way = np.array(light.place) - place
            length = np.maximum(np.sqrt((way**2).sum(-1)), 0.05)
            facing = np.maximum((way * normal).sum(-1) / length, 0.0)
            share = light.strength * (GRAZING + (1 - GRAZING) * facing) / (1 + length / light.reach) ** 2
            total = total + share[..., None] * np.array(light.color)
        lit: Array = color * total * self.exposure
        return lit
