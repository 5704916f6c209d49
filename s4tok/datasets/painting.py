"""Colours of a mesh's corners from materials and textures, for meshes here carry colours and no pictures.

A textured face is cut until its sides are short against the object, so that the colours of its corners show what the
picture shows: on the surface drawn, and on points that are sampled from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from s4tok.shapes import Array, Bool, Float32, Float64, Int

FINE = 1 / 48  # of the object's longest side: no side of a textured face is longer, four pixels of a view
MOST_FACES = 1 << 18  # where there are as many, faces are cut no further
INSIDE = 0.1  # of the way to the middle of a face: where the colour of its corner is looked up
SEEN = 0.3  # what is less opaque is a hole in a leaf or a net
INVISIBLE = 0.05  # a material less opaque than this is not there: halos of lamps, hints for other programs


@dataclass(frozen=True, eq=False)
class Paint:
    """What lies on a surface: one colour, or a picture in its place."""

    color: Float32[Array, "3"]  # 0 .. 1
    opacity: float = 1.0
    picture: Float32[Array, "h w 4"] | None = None  # red, green, blue, opacity in 0 .. 1; rows from the top


@dataclass(frozen=True, eq=False)
class Triangles:
    """Faces by the places of their corners, each face on its own."""

    corners: Float64[Array, "f 3 3"]
    uv: Float64[Array, "f 3 2"]  # nan where a corner has no place in a picture
    paint_of: Int[Array, " f"]
    labels: Int[Array, " f"]

    def take(self, which: Int[Array, " k"] | Bool[Array, " f"]) -> "Triangles":
        """Keep some faces."""
        return Triangles(self.corners[which], self.uv[which], self.paint_of[which], self.labels[which])


def painted(
    triangles: Triangles, paints: Sequence[Paint], fine: float = FINE
) -> tuple[Triangles, Float32[Array, "f 3 3"]]:
    """Give the faces that can be seen, textured ones cut, and the colours of their corners."""
    there = np.array([paint.opacity >= INVISIBLE for paint in paints])
    triangles = triangles.take(there[triangles.paint_of])
    has_picture = np.array([paint.picture is not None for paint in paints])
    textured = has_picture[triangles.paint_of] & np.isfinite(triangles.uv).all(axis=(1, 2))
    plain, cut = triangles.take(~textured), _finely_cut(triangles, textured, fine)
    plain_color = np.stack([paint.color for paint in paints])[plain.paint_of, None].repeat(3, axis=1)
    rgba = np.ones((len(cut.corners), 3, 4), np.float32)
    for number, paint in enumerate(paints):
        chosen = cut.paint_of == number
        if paint.picture is not None and chosen.any():
            rgba[chosen] = _from_picture(paint.picture, cut.uv[chosen])
    seen = rgba[..., 3].mean(axis=1) >= SEEN
    return _joined(plain, cut.take(seen)), np.concatenate([plain_color, rgba[seen, :, :3]])


def _finely_cut(triangles: Triangles, textured: Bool[Array, " f"], fine: float) -> Triangles:
    """Halve textured faces across their longest side until it is short enough."""
    if not textured.any():
        return triangles.take(textured)
    longest = fine * float(np.ptp(triangles.corners.reshape(-1, 3), axis=0).max())
    done, todo = triangles.take(textured & False), triangles.take(textured)
    while len(todo.corners):
        sides = np.linalg.norm(np.roll(todo.corners, -1, axis=1) - todo.corners, axis=2)  # from each corner to the next
        large = (sides.max(axis=1) > longest) & (len(done.corners) + 2 * len(todo.corners) <= MOST_FACES)
        done = _joined(done, todo.take(~large))
        todo = _halves(todo.take(large), sides[large].argmax(axis=1))
    return done


def _halves(faces: Triangles, side: Int[Array, " f"]) -> Triangles:
    order = (side[:, None] + np.arange(3)) % 3  # the side to cut comes first
    rows = np.arange(len(side))[:, None]

    def halves(corners: Float64[Array, "f 3 c"]) -> Float64[Array, "q 3 c"]:
        a, b, c = corners[rows, order].swapaxes(0, 1)
        middle = (a + b) / 2
        return np.concatenate([np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)])

    return Triangles(halves(faces.corners), halves(faces.uv), np.tile(faces.paint_of, 2), np.tile(faces.labels, 2))


def _joined(first: Triangles, second: Triangles) -> Triangles:
    return Triangles(
        np.concatenate([first.corners, second.corners]),
        np.concatenate([first.uv, second.uv]),
        np.concatenate([first.paint_of, second.paint_of]),
        np.concatenate([first.labels, second.labels]),
    )


def _from_picture(picture: Float32[Array, "h w 4"], uv: Float64[Array, "f 3 2"]) -> Float32[Array, "f 3 4"]:
    """Look corners up in the picture, made as coarse as the face is large in it; the picture repeats."""
    height, width, _ = picture.shape
    # A corner on the picture's border would show the border across from it, and is looked up a little inside its face.
    uv = uv + INSIDE * (uv.mean(axis=1, keepdims=True) - uv)
    sides = (uv[:, 1:] - uv[:, :1]) * (width, height)
    texels = np.sqrt(np.abs(sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]))
    # Colours are averaged by their opacity: what lies under a hole is not to be seen at its rim.
    coarser = _halved(np.concatenate([picture[..., :3] * picture[..., 3:], picture[..., 3:]], axis=2))
    level = np.log2(np.maximum(texels, 1)).round().astype(int).clip(max=len(coarser) - 1)
    found = np.empty((len(uv), 3, 4), np.float32)
    for number, pixels in enumerate(coarser):
        chosen = level == number
        rows = ((1 - uv[chosen, :, 1]) % 1 * pixels.shape[0]).astype(int).clip(max=pixels.shape[0] - 1)
        columns = (uv[chosen, :, 0] % 1 * pixels.shape[1]).astype(int).clip(max=pixels.shape[1] - 1)
        found[chosen] = pixels[rows, columns]
    found[..., :3] /= np.maximum(found[..., 3:], np.finfo(np.float32).tiny)
    return found.clip(0, 1)


def _halved(picture: Float32[Array, "h w 4"]) -> list[Float32[Array, "_ _ 4"]]:
    """Give a picture and its halves down to one pixel; each pixel is the mean of those it stands for."""
    pictures = [picture]
    while max(pictures[-1].shape[:2]) > 1:
        rows, columns = (np.arange(0, side, 2) for side in pictures[-1].shape[:2])
        sums = np.add.reduceat(np.add.reduceat(pictures[-1], rows, axis=0), columns, axis=1)
        counts = np.add.reduceat(np.add.reduceat(np.ones_like(pictures[-1]), rows, axis=0), columns, axis=1)
        pictures.append(sums / counts)
    return pictures
