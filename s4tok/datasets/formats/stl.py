"""STL, binary and ascii: triangles without shared corners, which are joined where they coincide."""

from pathlib import Path

import numpy as np

from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import parse_table, read_bytes, read_lines

HEADER = 84  # bytes: 80 of anything, then the count
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read_stl(path: Path) -> Contents:
    """Read triangles."""
    data = read_bytes(path)
    count = int.from_bytes(data[80:HEADER], "little")
    if len(data) >= HEADER and len(data) == HEADER + count * TRIANGLE.itemsize:
        corners = np.frombuffer(data, TRIANGLE, count, HEADER)["corners"].reshape(-1, 3).astype(np.float64)
    elif data[:5].lower() == b"solid" and b"facet" in data[:4096]:
        lines = read_lines(path)
        rows = [(i, line.split()[1:]) for i, line in enumerate(lines, 1) if line.lstrip().startswith("vertex")]
        texts, numbers = [" ".join(words) for _, words in rows], [i for i, _ in rows]
        if not rows or "endsolid" not in lines[-1] + lines[-min(len(lines), 2)]:
            raise DamagedFile(
                path, f"ends after {len(rows)} corners, within a solid", "get the file again.", len(lines)
            )
        n_facets = sum(line.lstrip().startswith("facet") for line in lines)
        if len(rows) != 3 * n_facets:
            raise DamagedFile(path, f"has {n_facets:,} facets and {len(rows):,} corners", "get the file again.")
        corners = parse_table(texts, path, columns=3, numbers=numbers, loose=False).finite(path).rows
    else:
        raise DamagedFile(
            path,
            f"promises {count:,} triangles, {HEADER + count * TRIANGLE.itemsize:,} bytes, and has {len(data):,}",
            "get the file again.",
        )
    if not len(corners):
        raise DamagedFile(path, "has no triangles")
    vertices, of_corner = np.unique(corners, axis=0, return_inverse=True)
    return Contents(vertices, faces=of_corner.reshape(-1, 3).astype(np.int64))
