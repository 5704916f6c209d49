"""Commands that README and docs tell a reader to type are run: those for files that a reader has, and short ones."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from s4tok.clouds import PointCloud
from s4tok.rendering.ply import ply_of
from s4tok.shapes import Array, Float64
from tests.documents import ROOT, Line, documents, lines
from tests.running import in_this_process

PAGES = [path for path in documents() if not {"results", "mini_clip", "mini_students", "mini_detector"} & {*path.parts}]
WITHOUT_FILES = {("doctor",), ("data", "ls"), ("cache", "ls"), ("cache", "verify"), ("cache", "pack"), ("cache", "gc")}
FILES = (".ply", ".obj", ".glb", ".npy", ".txt", ".json")
MOST = 60  # clouds of synthetic data


def box(size: tuple[float, float, float], at: tuple[float, float, float], count: int) -> Float64[Array, "n 3"]:
    """Draw points of a box's faces."""
    random = np.random.default_rng(count)
    points, side = random.uniform(-0.5, 0.5, (count, 3)), random.integers(0, 3, count)
    points[np.arange(count), side] = np.where(random.random(count) < 0.5, -0.5, 0.5)
    placed: Array = points * size + at
    return placed


def save(path: Path, points: Float64[Array, "n 3"]) -> None:
    path.write_bytes(ply_of(PointCloud.of(points), np.full(points.shape, 180, np.uint8)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the files that a reader has: two rooms, two chairs and two mugs."""
    folder = tmp_path_factory.mktemp("reader")
    room = np.concatenate([box((4, 3, 2.6), (0, 0, 1.3), 6000), box((1.2, 0.8, 0.7), (0.5, 0, 0.35), 2000)])
    chair = np.concatenate([box((0.5, 0.5, 0.05), (0, 0, 0.45), 1500), box((0.5, 0.05, 0.5), (0, 0.25, 0.7), 1500)])
    for name in ("scan", "hall"):
        save(folder / f"{name}.ply", room)
    save(folder / "chair.ply", chair)
    save(folder / "mug.ply", box((0.08, 0.08, 0.1), (0, 0, 0.05), 2000))
    np.save(folder / "chair.npy", chair)
    trimesh.creation.cylinder(0.04, 0.1).export(folder / "mug.obj")
    trimesh.creation.box((0.5, 0.9, 0.5)).export(folder / "chair.glb")
    return folder


def can_run(line: Line, folder: Path) -> bool:
    """Tell whether all that a command names is there; the rest is parsed alone (test_documents.py)."""
    words = line.words[1:]
    if "..." in " ".join(words) or "--open" in words or "runs/mine" in words or "ViT-B-16" in words:
        return False
    if words[:1] in WITHOUT_FILES or words[:2] in WITHOUT_FILES:
        return True
    if any(word.startswith("toy-") for word in words):
        return "--limit" in words and int(words[words.index("--limit") + 1]) <= MOST
    made = {words[place + 1] for place, word in enumerate(words[:-1]) if word in ("--out", "--preview")}
    named = [word for word in words if word.endswith(FILES) and word not in made]
    return bool(named) and all((folder / word).exists() for word in named)


@pytest.mark.slow
def test_what_is_shown_can_be_typed_page_by_page(folder: Path) -> None:
    run, failed = list[str](), list[str]()
    for page in PAGES:
        for line in (each for each in lines("s4tok") if each.place == str(page.relative_to(ROOT))):
            if can_run(line, folder):
                done = in_this_process(folder, *line.words[1:])
                run.append(str(line))
                if done.returncode:
                    failed.append(f"{line}\nended with {done.returncode}: {done.stderr[-500:]}")
    assert not failed, "\n".join(failed)
    assert len(run) >= 30, run
