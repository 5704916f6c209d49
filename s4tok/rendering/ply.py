"""Points for other programs: binary PLY, coordinates as doubles so that no map's easting loses its centimetres."""

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.rendering.palette import paint
from s4tok.shapes import Array, Int, UInt8


def ply_of(cloud: PointCloud, color: UInt8[Array, "n 3"], **numbers: Int[Array, " n"]) -> bytes:
    """Write a cloud where it came from, coloured, with a whole number a point under each name."""
    fields = [("xyz", "<f8", 3), ("rgb", "u1", 3), *((name, "<i4") for name in numbers)]
    vertices = np.empty(len(cloud), np.dtype(fields))
    vertices["xyz"], vertices["rgb"] = cloud.original_xyz(), color
    for name, values in numbers.items():
        vertices[name] = values
    properties = ["double x", "double y", "double z", "uchar red", "uchar green", "uchar blue"]
    properties += [f"int {name}" for name in numbers]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(cloud)}"]
    header += [f"property {each}" for each in properties] + ["end_header", ""]
    return "\n".join(header).encode() + vertices.tobytes()


def labels_ply(
    cloud: PointCloud, labels: Int[Array, " n"], superpoints: Int[Array, " n"], colors: UInt8[Array, "t 3"]
) -> bytes:
    """Write a cloud in the colours of its labels, -1 for unknown, with each point's label and superpoint."""
    return ply_of(cloud, paint(labels, colors), label=labels, superpoint=superpoints)
