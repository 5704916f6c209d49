"""Binary glTF: its promises are checked against its size, then trimesh reads it and places its parts."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.faces import checked_faces
from s4tok.datasets.formats.text import read_bytes
from s4tok.dependencies import load

ITEM_BYTES = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
ITEMS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
SHARED, LARGEST = 4, 1 << 31  # how often arrays may share their bytes; bytes of a scene with all its copies
JSON_CHUNK = 0x4E4F534A


def read_glb(path: Path) -> Contents:
    """Read all meshes of a scene as one, or all clouds of points, each where the scene places it."""
    _check_promises(path)
    trimesh = load("trimesh")
    try:
        with path.open("rb") as file:  # a file and no path: what it refers to outside itself is not followed
            scene = trimesh.load(file, file_type="glb", force="scene", process=False)
        found = scene.dump()
        parts = [part for part in found if isinstance(part, trimesh.Trimesh) and len(part.faces)]
        clouds = [part for part in found if isinstance(part, trimesh.PointCloud) and len(part.vertices)]
    except Exception as error:  # trimesh raises whatever its parsing meets
        raise DamagedFile(path, f"is no whole .glb file: {type(error).__name__}: {error}") from error
    if parts and clouds:
        raise DamagedFile(path, "holds both triangles and points", "write them to two files.")
    if clouds:
        points = np.concatenate([np.asarray(cloud.vertices, np.float64) for cloud in clouds])
        has_color = all(len(cloud.colors) == len(cloud.vertices) for cloud in clouds)
        rgba = np.concatenate([np.asarray(cloud.colors) for cloud in clouds]) if has_color else None
        return Contents(points, color=None if rgba is None else rgba[:, :3].astype(np.uint8))
    if not parts:
        raise DamagedFile(path, "has no triangles and no points")
    starts = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    vertices = np.concatenate([np.asarray(part.vertices, np.float64) for part in parts])
    faces = np.concatenate([np.asarray(p.faces, np.int64) + start for p, start in zip(parts, starts, strict=True)])
    return Contents(vertices, color=_colors(parts), faces=checked_faces(faces, len(vertices), path))


def _colors(parts: list[Any]) -> Any:
    if any(part.visual.kind != "vertex" for part in parts):
        return None
    return np.concatenate([np.asarray(part.visual.vertex_colors)[:, :3] for part in parts]).astype(np.uint8)


def _check_promises(path: Path) -> None:
    data = read_bytes(path)
    if len(data) < 20 or data[:4] != b"glTF":
        raise DamagedFile(path, "is no .glb file, or only the beginning of one", "get the file again.")
    _, total, length, kind = struct.unpack_from("<IIII", data, 4)
    if total > len(data) or kind != JSON_CHUNK or 20 + length > len(data):
        raise DamagedFile(path, f"promises {total:,} bytes and has {len(data):,}", "get the file again.")
    try:
        scene = json.loads(data[20 : 20 + length])
        # An accessor without bytes of its own stands for zeros, as many as it says; a mesh may be placed many times.
        arrays = scene.get("accessors", [])
        sizes = [each["count"] * ITEM_BYTES[each["componentType"]] * ITEMS[each["type"]] for each in arrays]
        placed = len(scene.get("nodes", [])) * max(sizes, default=0)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedFile(path, "has a JSON part that cannot be read", "get the file again.") from error
    if sum(sizes) > SHARED * len(data) or placed > LARGEST:
        raise DamagedFile(path, f"would unpack {len(data):,} bytes to {max(sum(sizes), placed):,}; it is refused")
