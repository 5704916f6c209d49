"""Universal Scene Description (.usd, .usda, .usdc, .usdz) through usd-core: the meshes of a stage as one.

As a script it is the process that reads: the arrays of a file, or what is wrong with it, on stdout.
"""

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok.config import Axis
from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.faces import checked_faces, fans
from s4tok.errors import MissingError
from s4tok.shapes import Array, Float64, Int

MAGIC = (b"#usda", b"PXR-USDC", b"PK\x03\x04")  # its text, its binary form, and the archive that a .usdz is
LARGEST, MEMORY = 1 << 31, 16 << 30  # bytes of a scene with all its copies, and of the process that reads it
START, BYTES_A_SECOND = 10, 1 << 20  # seconds of the processor that reading may take: to start, and as large as it is
STAND_INS = ("guide", "proxy")  # purposes of meshes that nobody is to see
UP: dict[str, Axis] = {"Y": "y", "Z": "z"}


class Part(NamedTuple):
    """A mesh, or points without faces, where the stage places it."""

    points: Float64[Array, "p 3"]
    faces: Int[Array, "f 3"]
    color: Array | None


def read_usd(path: Path) -> Contents:
    """Read a stage in a process of its own, which a damaged binary file may abort or keep busy for ever."""
    try:
        with path.open("rb") as opened:
            head = opened.read(8)
        size = path.stat().st_size
    except OSError as error:
        raise DamagedFile(path, f"cannot be read: {error.strerror}") from error
    if not head.startswith(MAGIC):
        raise DamagedFile(path, "is no USD file: it begins neither as its text or binary form nor as an archive")
    if find_spec("pxr") is None:
        hint = 'pip install "s4tok[usd]", or write it as .glb or .obj, for example with Blender.'
        raise MissingError("usd-core, which reads USD files, is not here.", hint)
    seconds = START + size // BYTES_A_SECOND
    command = [sys.executable, "-m", "s4tok.datasets.formats.usd", str(path.absolute()), str(seconds)]
    places = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    if done.returncode:
        raise DamagedFile(path, f"is no whole USD file: usd-core ended with {done.returncode}")
    if done.stdout.startswith(b"{"):
        told = json.loads(done.stdout)
        raise DamagedFile(path, told["sentence"], told["hint"], told["line"])
    with np.load(BytesIO(done.stdout)) as found:
        arrays = {name: found[name] for name in found}
    return Contents(arrays["points"], arrays.get("color"), faces=arrays.get("faces"), up=str(arrays["up"]))  # type: ignore[arg-type]


def read_here(path: Path) -> Contents:
    """Read all visible meshes of a stage as one, or all its points, at the earliest time, and which axis it has up."""
    try:
        return _joined(path, *_read(path))
    except DamagedFile:
        raise
    except Exception as error:  # usd-core raises whatever its parsing meets, in several lines
        sentence = f"is no whole USD file: {type(error).__name__} of usd-core"
        raise DamagedFile(path, sentence, line=_line(error)) from error


def _line(error: Exception) -> int | None:
    """Find on which line of a text usd-core stopped."""
    try:
        found = re.search(r":(\d+):\d+: ", str(error))
    except UnicodeDecodeError:  # it quotes the file, which need not be text
        return None
    return int(found[1]) if found else None


def _read(path: Path) -> tuple[list[Part], Axis]:
    """Read all parts, and which axis is up."""
    sdf, usd, geom = (import_module(f"pxr.{name}") for name in ("Sdf", "Usd", "UsdGeom"))
    root = sdf.Layer.FindOrOpen(str(path))
    named = root.GetCompositionAssetDependencies()  # an empty name is the file itself
    outside = [name for name in named if name and not _is_inside(root, name, path)]
    stage = None if outside else usd.Stage.Open(root)
    if stage is not None:  # parts of an archive may refer to others in their turn
        places = (layer.realPath.partition("[")[0] for layer in stage.GetUsedLayers())
        outside = [place for place in places if place and Path(place) != Path(root.realPath)]
    if outside:
        hint = "make one file of them: usdcat --flatten FILE --out ONE.usdc."
        raise DamagedFile(path, f"refers to {outside[0]}, and other files are not followed", hint)
    return list(_parts(stage, usd, geom, path)), UP[str(geom.GetStageUpAxis(stage))]


def _is_inside(layer: Any, name: str, path: Path) -> bool:
    """Tell whether what a layer refers to lies in the same archive."""
    return str(layer.ComputeAbsolutePath(name)).startswith(f"{path.absolute()}[")


def _parts(stage: Any, usd: Any, geom: Any, path: Path) -> Iterator[Part]:
    """Walk through a stage, through the copies of what is placed more than once too."""
    now = usd.TimeCode.EarliestTime()
    places, size = geom.XformCache(now), 0
    for prim in usd.PrimRange(stage.GetPseudoRoot(), usd.TraverseInstanceProxies()):
        shape = geom.PointBased(prim)
        if not shape or str(shape.ComputeVisibility(now)) == "invisible" or str(shape.ComputePurpose()) in STAND_INS:
            continue
        points = np.array(shape.GetPointsAttr().Get(now) or (), np.float64).reshape(-1, 3)
        faces = _faces(geom.Mesh(prim), now, len(points), path)
        size += points.nbytes + faces.nbytes
        if size > LARGEST:
            raise DamagedFile(path, f"would unpack to more than {LARGEST:,} bytes; it is refused")
        if len(faces) or (len(points) and prim.IsA(geom.Points)):
            place = np.array(places.GetLocalToWorldTransform(prim))  # of rows of points
            yield Part(points @ place[:3, :3] + place[3, :3], faces, _color(shape, now, len(points)))


def _faces(mesh: Any, now: Any, n_points: int, path: Path) -> Int[Array, "f 3"]:
    """Cut a mesh's polygons into triangles; other shapes have none."""
    if not mesh:
        return np.zeros((0, 3), np.int64)
    lengths = np.array(mesh.GetFaceVertexCountsAttr().Get(now) or (), np.int64)
    corners = np.array(mesh.GetFaceVertexIndicesAttr().Get(now) or (), np.int64)
    if (lengths < 0).any() or lengths.sum() != len(corners):
        raise DamagedFile(path, f"{mesh.GetPath()} has {len(corners):,} corners, and its faces ask for others")
    return checked_faces(fans(corners, lengths), n_points, path)


def _color(shape: Any, now: Any, n_points: int) -> Array | None:
    """Give the colours of points, where there is one for each or one for all."""
    values = shape.GetDisplayColorPrimvar().ComputeFlattened(now)
    color = np.array(values if values is not None else (), np.float64).reshape(-1, 3)
    if len(color) not in (1, n_points):
        return None
    return np.broadcast_to(color.clip(0, 1), (n_points, 3))


def _joined(path: Path, parts: list[Part], up: Axis) -> Contents:
    """Put the parts into one."""
    meshes = [part for part in parts if len(part.faces)]
    if not parts:
        raise DamagedFile(path, "has no triangles and no points that are visible")
    if meshes and len(meshes) < len(parts):
        raise DamagedFile(path, "holds both triangles and points", "write them to two files.")
    starts = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    color = [part.color for part in parts if part.color is not None]
    return Contents(
        np.concatenate([part.points for part in parts]),
        color=np.concatenate(color) if len(color) == len(parts) else None,
        faces=np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)])
        if meshes
        else None,
        up=up,
    )


def _serve(path: Path, seconds: int) -> None:
    """Read a file within bounds of time and memory, and write what was found."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most), most))
    try:
        found = read_here(path)
    except DamagedFile as error:
        told = {"sentence": error.sentence, "hint": error.hint, "line": error.line}
        sys.stdout.write(json.dumps(told))
        return
    arrays = {"points": found.points, "color": found.color, "faces": found.faces, "up": np.array(found.up)}
    np.savez(sys.stdout.buffer, **{name: array for name, array in arrays.items() if array is not None})


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
