"""OFF, with the header that ModelNet40 glues to its counts: `OFF3514 3546 0`."""

from itertools import chain
from pathlib import Path

import numpy as np

from s4tok.datasets.formats.contents import Contents, byte_colors
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.faces import checked_faces, fans
from s4tok.datasets.formats.text import parse_table, read_lines
from s4tok.shapes import Array, Int


def read_off(path: Path) -> Contents:
    """Read vertices and faces; colours of vertices in a COFF."""
    lines = [(number, line.partition("#")[0].strip()) for number, line in enumerate(read_lines(path), 1)]
    lines = [(number, line) for number, line in lines if line]
    head = lines[0][1] if lines else ""
    kind, _, glued = head.partition("OFF")
    if "OFF" not in head or kind not in ("", "C", "N", "CN"):
        raise DamagedFile(path, f"does not begin with OFF but with {head[:20]!r}")
    if not glued.strip() and len(lines) > 1:
        lines = lines[1:]
        glued = lines[0][1]
    counts = glued.split()
    if len(counts) < 2 or not all(count.isdecimal() for count in counts[:2]):
        raise DamagedFile(path, f"has {glued[:20]!r} where its counts belong", line=lines[0][0] if lines else None)
    n_vertices, n_faces = map(int, counts[:2])
    body = lines[1:]
    if len(body) < n_vertices + n_faces:
        raise DamagedFile(
            path,
            f"promises {n_vertices:,} vertices and {n_faces:,} faces, and holds {len(body):,} lines",
            "get the file again; it is cut short.",
            line=lines[0][0],
        )
    if len(body) > n_vertices + n_faces:
        sentence = f"promises {n_vertices:,} vertices and {n_faces:,} faces, and goes on after them"
        raise DamagedFile(path, sentence, "correct its counts.", line=body[n_vertices + n_faces][0])
    if not n_vertices:
        raise DamagedFile(path, "has no vertices")
    numbers, vertices = zip(*body[:n_vertices], strict=True)
    rows = parse_table(vertices, path, numbers=numbers, loose=False)
    wanted = {"": 3, "C": 6, "N": 6, "CN": 9}[kind]
    if rows.rows.shape[1] < wanted:
        raise DamagedFile(path, f"{rows.rows.shape[1]} numbers a vertex, where {wanted} belong", line=body[0][0])
    values = rows.finite(path).rows
    color = values[:, wanted - 3 : wanted] if "C" in kind else None
    return Contents(
        values[:, :3],
        color=None if color is None else byte_colors(color),
        normals=values[:, 3:6] if "N" in kind else None,
        faces=_faces(body[n_vertices : n_vertices + n_faces], n_vertices, path),
    )


def _faces(lines: list[tuple[int, str]], n_vertices: int, path: Path) -> Int[Array, "f 3"]:
    corners: list[list[str]] = []
    for number, line in lines:
        words = line.split()
        if not words[0].isdecimal() or not 0 < int(words[0]) < len(words):
            raise DamagedFile(path, f"{line[:40]!r} is no face: a count, then as many vertices", line=number)
        corners.append(words[1 : 1 + int(words[0])])
    try:
        flat = np.array(list(map(int, chain.from_iterable(corners))), np.int64)
    except (ValueError, OverflowError) as error:
        raise DamagedFile(path, f"has a face whose corners are not whole numbers: {error}") from error
    return checked_faces(fans(flat, np.array([len(each) for each in corners], np.int64)), n_vertices, path)
