"""A small furniture library as tests write it: a cupboard with a door, and what else a test wants in its catalogue."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

CATALOGUE = "PluginFurnitureCatalog.properties"


def box(low: tuple[float, float, float], high: tuple[float, float, float], first: int = 1) -> str:
    """Write the vertices and faces of a box; `first` is the number of its first vertex."""
    places = [[low[0], high[0]], [low[1], high[1]], [low[2], high[2]]]
    lines = [f"v {x} {y} {z}" for x in places[0] for y in places[1] for z in places[2]]
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    return "\n".join([*lines, *("f " + " ".join(str(first + corner) for corner in quad) for quad in quads)])


OBJ = f"""mtllib thing.mtl
o Body_Cube.001
usemtl wood
{box((-1, 0, -1), (1, 2, 1))}
o FrontDoor_Plane
usemtl paint
{box((-1, 0, 1), (1, 2, 1.1), 9)}
"""
MTL = "newmtl wood\nKd 0.5 0.25 0\nnewmtl paint\nKd 1 1 1\nmap_Kd paint.png\n"


def picture(*rows: list[tuple[int, int, int, int]]) -> bytes:
    """Write a PNG of these pixels."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.array(rows, np.uint8)).save(file, format="PNG")
    return file.getvalue()


def properties(number: int, name: str, **more: str) -> str:
    """Write a model of a catalogue; its file is `x/<name>/thing.obj`, but for spaces in the name."""
    values = {
        "name": name,
        "category": "Bedroom",
        "model": f"/x/{name.replace(' ', '')}/{name.replace(' ', '')}.obj",
        "width": "100",
        "depth": "50",
        "height": "200",
        "creator": "A. Maker",
    }
    return f"id#{number}=X\n" + "".join(f"{key}#{number}={value}\n" for key, value in (values | more).items())


def write_library(path: Path, catalogue: str, files: Mapping[str, bytes | str]) -> Path:
    """Write a library: its catalogue and the files of its models."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CATALOGUE, "# made by hand\nname=Small\n\n" + catalogue)
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def wardrobes(path: Path, *names: str, obj: str = OBJ) -> Path:
    """Write a library of cupboards of these names."""
    files: dict[str, bytes | str] = {}
    for name in names:
        files |= {f"x/{name}/{name}.obj": obj, f"x/{name}/thing.mtl": MTL}
        files[f"x/{name}/paint.png"] = picture([(0, 0, 255, 255)])
    return write_library(path, "".join(properties(i, name) for i, name in enumerate(names, 1)), files)
