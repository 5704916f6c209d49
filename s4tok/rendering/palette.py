"""The colours of labels and of superpoints: a legend has the same everywhere, and its names are told apart."""

import colorsys
from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np

from s4tok.randomness import hashed
from s4tok.shapes import Array, Float64, Int, Int32, UInt8

UNKNOWN = (150, 150, 150)  # of what has no label
# What rooms are made of stays quiet, so that what stands in them is seen.
QUIET = {"wall": (148, 163, 184), "floor": (203, 178, 125), "ceiling": (232, 233, 237)}
LIGHTNESS, CHROMA, HUES = (0.52, 0.66, 0.8), (0.1, 0.17), 18  # of the candidates, in OKLCH
GOLDEN = 0.618034  # turns of the colour circle; superpoints of neighbouring numbers get distant hues
APART = 0.13  # in OKLab; two dozen such colours fit, beyond that they come closer


def colors_of_names(names: Sequence[str]) -> UInt8[Array, "c 3"]:
    """Give each name a colour.

    A name has an order of its own among the candidates and takes the first that is clear of the names before it, so
    its colour depends on nothing but them. Beyond two dozen names colours come closer.
    """
    bytes_of, places = _candidates()
    chosen = [QUIET.get(name) for name in names]
    taken = [_oklab(np.array(color)) for color in [*(color for color in chosen if color), UNKNOWN]]
    for i, name in enumerate(names):
        if chosen[i] is not None:
            continue
        order = _order(name, len(places))
        gap = np.linalg.norm(places[order, None] - np.array(taken), axis=2).min(axis=1)
        clear = gap >= APART
        pick = order[clear.argmax() if clear.any() else gap.argmax()]
        chosen[i] = tuple(bytes_of[pick].tolist())
        taken.append(places[pick])
    colors: Array = np.array(chosen, np.uint8).reshape(-1, 3)
    return colors


def colors_of_superpoints(labels: Int32[Array, " n"]) -> UInt8[Array, "n 3"]:
    """Give each superpoint a colour of its own, the same in every run."""
    table = [
        colorsys.hsv_to_rgb(GOLDEN * each % 1, 0.55 + 0.4 * (each * 7 % 5) / 4, 0.6 + 0.4 * (each * 3 % 4) / 3)
        for each in range(int(labels.max()) + 1)
    ]
    colors: Array = (255 * np.array(table)).round().astype(np.uint8)[labels]
    return colors


def paint(labels: Int[Array, " n"], colors: UInt8[Array, "c 3"]) -> UInt8[Array, "n 3"]:
    """Give every point its label's colour; -1 is unknown."""
    table: Array = np.concatenate([colors, np.array([UNKNOWN], np.uint8)])
    return table[labels]


def hexadecimal(color: UInt8[Array, "3"]) -> str:
    """Write a colour as web pages do."""
    return "#{:02x}{:02x}{:02x}".format(*color.tolist())


def _order(name: str, count: int) -> Int[Array, " k"]:
    return np.random.Generator(np.random.PCG64(hashed(name.strip().lower()))).permutation(count)


@cache
def _candidates() -> tuple[UInt8[Array, "k 3"], Float64[Array, "k 3"]]:
    """Spread colours evenly for the eye; those that no screen can show are left out."""
    lightness, chroma, turn = np.array(list(product(LIGHTNESS, CHROMA, np.arange(HUES) / HUES))).T
    places = np.stack([lightness, chroma * np.cos(2 * np.pi * turn), chroma * np.sin(2 * np.pi * turn)], axis=1)
    linear = (places @ _TO_ROOTS.T) ** 3 @ _TO_LINEAR.T
    shown = ((linear >= 0) & (linear <= 1)).all(axis=1)
    encoded = np.where(linear > 0.0031308, 1.055 * np.clip(linear, 0, 1) ** (1 / 2.4) - 0.055, 12.92 * linear)
    return (255 * encoded[shown]).round().astype(np.uint8), places[shown]


def _oklab(color: Int[Array, "3"]) -> Float64[Array, "3"]:
    part = color / 255
    linear = np.where(part > 0.04045, ((part + 0.055) / 1.055) ** 2.4, part / 12.92)
    place: Array = np.linalg.solve(_TO_ROOTS, np.cbrt(np.linalg.solve(_TO_LINEAR, linear)))
    return place


# OKLab to the cube roots of the eye's responses, and these, cubed, to linear sRGB (Ottosson 2020).
_TO_ROOTS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
