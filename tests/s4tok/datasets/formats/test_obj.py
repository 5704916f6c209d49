from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.obj import read_obj


def test_a_line_that_ends_with_a_backslash_goes_on_in_the_next(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("# C:\\\nv 0 0 0\nv 1 \\\n0 0\nv 0 1 0\nf 1 \\\n 2 \\\n 3\n")
    found = read_obj(tmp_path / "a.obj")
    np.testing.assert_array_equal(found.points, [[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(np.asarray(found.faces), [[0, 1, 2]])


def test_a_vertex_that_is_nowhere_is_told_where_a_face_has_it_or_there_are_no_faces(tmp_path: Path) -> None:
    path, vertices = tmp_path / "a.obj", "v nan nan nan\nv 0 0 0\nv 1 0 0\nv 0 1 0\n"
    path.write_text(f"{vertices}f 2 3 4\n")
    assert np.isfinite(read_obj(path).points).all()
    for faces in ("", "f 1 2 3\n"):
        path.write_text(vertices + faces)
        with pytest.raises(DamagedFile, match=r"a\.obj:1: coordinates must be finite"):
            read_obj(path)
