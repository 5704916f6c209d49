"""Meshes whose faces have labels, for other programs: binary PLY, GLB with a material a label, OBJ with groups."""

import json
import re
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree

from s4tok.datasets.dataset import Mesh
from s4tok.rendering.palette import UNKNOWN, paint
from s4tok.shapes import Array, Float64, Int, UInt8

SAME = 1e-5  # of the mesh's extent: points nearer than that to its vertices are its vertices


class LabelledMesh(NamedTuple):
    """A mesh with a label a face."""

    mesh: Mesh
    labels: Int[Array, " f"]  # index into names; -1 for unknown
    names: Sequence[str]
    colors: UInt8[Array, "t 3"]  # of each name


def labels_of_faces(mesh: Mesh, points: Float64[Array, "n 3"], labels: Int[Array, " n"]) -> Int[Array, " f"]:
    """Give faces the labels of points: that of most corners where the points are the vertices, else of the nearest."""
    extent = float(np.ptp(mesh.vertices, axis=0).max())
    if points.shape == mesh.vertices.shape and np.abs(points - mesh.vertices).max() <= SAME * extent:
        first, second, third = labels[mesh.faces].T
        return np.where(second == third, second, first)
    middles = mesh.vertices[mesh.faces].mean(axis=1)
    nearest: Array = np.asarray(KDTree(points).query(middles)[1])
    return labels[nearest]


def mesh_ply(found: LabelledMesh) -> bytes:
    """Write vertices with the colours they had, and faces with `label` and its colour, in their order."""
    mesh = found.mesh
    rgb = ("red", "green", "blue")
    vertices = np.empty(
        len(mesh.vertices), [("xyz", "<f8", 3), *([("rgb", "u1", 3)] if mesh.color is not None else [])]
    )
    vertices["xyz"] = mesh.vertices
    faces = np.empty(len(mesh.faces), [("count", "u1"), ("corners", "<i4", 3), ("rgb", "u1", 3), ("label", "<i4")])
    faces["count"], faces["corners"], faces["label"] = 3, mesh.faces, found.labels
    faces["rgb"] = paint(found.labels, found.colors)
    properties = [f"double {axis}" for axis in "xyz"]
    if mesh.color is not None:
        vertices["rgb"] = np.round(255 * mesh.color)
        properties += [f"uchar {name}" for name in rgb]
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    lines += [f"property {each}" for each in properties]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    lines += [*(f"property uchar {name}" for name in rgb), "property int label", "end_header", ""]
    return "\n".join(lines).encode() + vertices.tobytes() + faces.tobytes()


def mesh_glb(found: LabelledMesh) -> bytes:
    """Write a material and a piece of the mesh for each label; vertices stand around a middle that a node moves."""
    low, high = found.mesh.vertices.min(axis=0), found.mesh.vertices.max(axis=0)
    middle = low + (high - low) / 2
    places = (found.mesh.vertices - middle).astype("<f4")
    pieces = list(_pieces(found))
    body: bytes = places.tobytes()
    views = [{"buffer": 0, "byteOffset": 0, "byteLength": len(body), "target": 34962}]
    bounds = {"min": places.min(axis=0).tolist(), "max": places.max(axis=0).tolist()}
    accessors = [{"bufferView": 0, "componentType": 5126, "count": len(places), "type": "VEC3", **bounds}]
    for piece in pieces:
        corners = piece.faces.astype("<u4").tobytes()
        views.append({"buffer": 0, "byteOffset": len(body), "byteLength": len(corners), "target": 34963})
        count = {"count": 3 * len(piece.faces), "type": "SCALAR"}
        accessors.append({"bufferView": len(views) - 1, "componentType": 5125, **count})
        body += corners
    scene = {
        "asset": {"version": "2.0", "generator": "s4tok"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "translation": middle.tolist()}],
        "meshes": [{"primitives": [
            {"attributes": {"POSITION": 0}, "indices": 1 + i, "material": i, "extras": {"label": piece.label}}
            for i, piece in enumerate(pieces)
        ]}],
        "materials": [
            {"name": piece.name, "doubleSided": True, "pbrMetallicRoughness": {
                "baseColorFactor": [*_linear(piece.color), 1.0], "metallicFactor": 0.0, "roughnessFactor": 1.0}}
            for piece in pieces
        ],
        "accessors": accessors, "bufferViews": views, "buffers": [{"byteLength": len(body)}],
    }  # fmt: skip
    text = json.dumps(scene).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(body), 0x004E4942) + body
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def mesh_obj(found: LabelledMesh, library: str) -> tuple[bytes, bytes]:
    """Write a group and a material for each label, and the file of the materials, which is called `library`."""
    pieces = list(_pieces(found))
    safe = [re.sub(r"[^\w.-]+", "_", piece.name) for piece in pieces]
    often = Counter(safe)
    called = [f"{name}_{piece.label}" if often[name] > 1 else name for name, piece in zip(safe, pieces, strict=True)]
    lines = [f"mtllib {library}\n", _rows("v %.12g %.12g %.12g", found.mesh.vertices)]
    if found.mesh.color is not None:
        colored = np.concatenate([found.mesh.vertices, found.mesh.color], axis=1)
        lines[1] = _rows("v %.12g %.12g %.12g %.4g %.4g %.4g", colored)
    for name, piece in zip(called, pieces, strict=True):
        lines += [f"g {name}\nusemtl {name}\n", _rows("f %d %d %d", piece.faces + 1)]
    materials = [
        "newmtl {}\nKd {:.4f} {:.4f} {:.4f}\n".format(name, *(piece.color / 255).tolist())
        for name, piece in zip(called, pieces, strict=True)
    ]
    return "".join(lines).encode(), "".join(materials).encode()


class _Piece(NamedTuple):
    """The faces of one label."""

    label: int
    name: str
    color: UInt8[Array, "3"]
    faces: Int[Array, "f 3"]


def _pieces(found: LabelledMesh) -> Iterator[_Piece]:
    for label in map(int, np.unique(found.labels)):
        name = found.names[label] if label >= 0 else "unknown"
        color = found.colors[label] if label >= 0 else np.array(UNKNOWN, np.uint8)
        yield _Piece(label, name, color, found.mesh.faces[found.labels == label])


def _rows(form: str, table: Array) -> str:
    """Write a table's rows in a form, at once, for a mesh may have a million."""
    return f"{form}\n" * len(table) % tuple(table.ravel().tolist())


def _linear(color: UInt8[Array, "3"]) -> list[float]:
    """Undo the screen's gamma, as glTF asks for."""
    part = color / 255
    linear: Array = np.where(part > 0.04045, ((part + 0.055) / 1.055) ** 2.4, part / 12.92)
    return linear.round(5).tolist()  # type: ignore[no-any-return]
