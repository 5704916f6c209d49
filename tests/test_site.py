"""The site is built without a warning, the tutorial runs, and so do the first commands that a reader types."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from s4tok.datasets import open_dataset
from tests.documents import ROOT, lines
from tests.running import in_a_process, in_this_process

pytestmark = pytest.mark.slow


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = in_a_process(ROOT, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path, NO_MKDOCS_2_WARNING="1")
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = ("index.html", "commands/segment/index.html", "api/index.html", "tutorials/points-to-labels/index.html")
    assert all((tmp_path / page).is_file() for page in pages)


def test_the_tutorial_runs(tmp_path: Path) -> None:
    copy = tmp_path / "tutorial.ipynb"
    copy.write_bytes((ROOT / "docs/tutorials/points-to-labels.ipynb").read_bytes())
    done = in_a_process(ROOT, "-m", "tools.pages.run_notebook", copy)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "count"), [("docs/quickstart.md", 3), ("docs/own-scans.md", 4)])
def test_the_first_commands_of_a_page_run(page: str, count: int, own_files: Path) -> None:
    for line in [line for line in lines("s4tok") if line.place == page][:count]:
        if line.words[1] == "doctor":
            continue  # half a minute, and its exit code is the machine's
        done = in_this_process(own_files, *line.words[1:])
        assert done.returncode == 0, f"{line}\n{done.stderr}"


@pytest.fixture
def own_files(tmp_path: Path) -> Path:
    """Write the files that pages speak of: a scan, a mug and a chair."""
    shapes, scans = open_dataset("toy-shapes", split="test"), open_dataset("toy-scans", split="test", limit=1)
    points = scans[scans.keys[0]].xyz
    few = np.random.default_rng(0).permutation(len(points))[:6000]
    trimesh.PointCloud(points[few]).export(tmp_path / "scan.ply")  # type: ignore[no-untyped-call]
    for key, names in (("test-000012-mug", ("mug.obj", "mug.ply")), ("test-000006-chair", ("chair.glb", "chair.ply"))):
        mesh = shapes.mesh(key)
        assert mesh is not None
        for name in names:
            trimesh.Trimesh(mesh.vertices, mesh.faces).export(tmp_path / name)
    return tmp_path
