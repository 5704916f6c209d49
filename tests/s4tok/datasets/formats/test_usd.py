import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.usd import read_here, read_usd

CORNERS = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
RED = (1.0, 0.0, 0.0)


def _stage(path: Path, up: str = "Z") -> tuple[Any, Any]:
    """Make a stage with a square that is placed 1, 2, 3 from the origin, red."""
    geom, usd = (pytest.importorskip(f"pxr.{name}") for name in ("UsdGeom", "Usd"))
    stage = usd.Stage.CreateNew(str(path))
    geom.SetStageUpAxis(stage, up)
    geom.Xform.Define(stage, "/place").AddTranslateOp().Set((1, 2, 3))
    _square(geom.Mesh.Define(stage, "/place/square"))
    return stage, geom


def _square(mesh: Any) -> None:
    mesh.GetPointsAttr().Set(CORNERS)
    mesh.GetFaceVertexCountsAttr().Set([4])
    mesh.GetFaceVertexIndicesAttr().Set([0, 1, 2, 3])
    mesh.CreateDisplayColorPrimvar("constant").Set([RED])


@pytest.mark.parametrize("suffix", ["usda", "usdc", "usd", "usdz"])
def test_every_form_has_the_same_meshes_where_they_are_placed(tmp_path: Path, suffix: str) -> None:
    stage, _ = _stage(tmp_path / "text.usda")
    stage.Save()
    path = tmp_path / f"a.{suffix}"
    if suffix == "usdz":
        utils = pytest.importorskip("pxr.UsdUtils")
        assert utils.CreateNewUsdzPackage(str(tmp_path / "text.usda"), str(path))
    else:
        stage.Export(str(path))
    found = read_here(path)
    np.testing.assert_array_equal(found.points, np.array(CORNERS) + [1, 2, 3])
    np.testing.assert_array_equal(np.asarray(found.faces), [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_array_equal(np.asarray(found.color), [RED] * 4)
    if suffix == "usdz":  # through the process that reads
        same = read_usd(path)
        np.testing.assert_array_equal(same.points, found.points)
        np.testing.assert_array_equal(np.asarray(same.faces), np.asarray(found.faces))
        np.testing.assert_array_equal(np.asarray(same.color), np.asarray(found.color))
        assert same.up == found.up == "z"


def test_what_is_hidden_is_left_out_and_copies_are_placed_each(tmp_path: Path) -> None:
    stage, geom = _stage(tmp_path / "a.usda")
    for name in ("hidden", "guide"):
        _square(geom.Mesh.Define(stage, f"/{name}"))
    geom.Imageable(stage.GetPrimAtPath("/hidden")).MakeInvisible()
    geom.Imageable(stage.GetPrimAtPath("/guide")).CreatePurposeAttr("guide")
    for shift in (10, 20):
        copy = geom.Xform.Define(stage, f"/copy{shift}")
        copy.AddTranslateOp().Set((shift, 0, 0))
        copy.GetPrim().GetReferences().AddInternalReference("/place")
        copy.GetPrim().SetInstanceable(True)
    stage.Save()
    found = read_here(tmp_path / "a.usda")
    assert len(found.points) == 12
    assert {float(x) for x in found.points[:, 0]} >= {1.0, 2.0, 10.0, 20.0}


@pytest.mark.parametrize("up", ["Y", "Z"])
def test_the_axis_that_the_file_says_is_up_counts(tmp_path: Path, up: str) -> None:
    stage, geom = _stage(tmp_path / "a.usda", up)
    cube = geom.Cube.Define(stage, "/cube")  # no mesh: it is passed over
    assert cube
    stage.Save()
    assert read_here(tmp_path / "a.usda").up == up.lower()
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    box = geom.Mesh.Define(stage, "/place/square")  # as like from all sides as can be
    box.GetPointsAttr().Set([tuple(corner) for corner in corners.tolist()])
    box.GetFaceVertexCountsAttr().Set([4] * 6)
    box.GetFaceVertexIndicesAttr().Set([0, 1, 3, 2, 4, 6, 7, 5, 0, 4, 5, 1, 2, 3, 7, 6, 0, 2, 6, 4, 1, 5, 7, 3])
    stage.Save()
    clouds: Any = open_dataset(tmp_path / "a.usda")
    assert clouds.guess("a.usda").placement.up == up.lower()


def test_points_are_read_where_there_are_no_meshes(tmp_path: Path) -> None:
    stage, geom = _stage(tmp_path / "a.usda")
    points = geom.Points.Define(stage, "/points")
    points.GetPointsAttr().Set(CORNERS)
    stage.Save()
    with pytest.raises(DamagedFile, match="both triangles and points"):
        read_here(tmp_path / "a.usda")
    stage.RemovePrim("/place")
    stage.Save()
    found = read_here(tmp_path / "a.usda")
    np.testing.assert_array_equal(found.points, CORNERS)
    assert found.faces is None


def test_other_files_are_not_followed(tmp_path: Path) -> None:
    _stage(tmp_path / "other.usda")[0].Save()
    (tmp_path / "a.usda").write_text('#usda 1.0\ndef "a" (references = @./other.usda@</place>) {}\n')
    with pytest.raises(DamagedFile, match=r"refers to \./other\.usda, and other files are not followed"):
        read_here(tmp_path / "a.usda")


def test_damage_is_told_in_a_sentence(tmp_path: Path) -> None:
    stage, geom = _stage(tmp_path / "a.usda")
    stage.Save()
    whole = (tmp_path / "a.usda").read_text()
    mesh = geom.Mesh(stage.GetPrimAtPath("/place/square"))
    mesh.GetFaceVertexIndicesAttr().Set([0, 1, 2])
    stage.Save()
    with pytest.raises(DamagedFile, match="/place/square has 3 corners"):
        read_here(tmp_path / "a.usda")
    mesh.GetFaceVertexIndicesAttr().Set([0, 1, 2, 9])
    stage.Save()
    with pytest.raises(DamagedFile, match=r"corners \[0, 2, 9\]"):
        read_here(tmp_path / "a.usda")
    broken = tmp_path / "broken.usda"
    broken.write_text(whole[: whole.index("points") + 20])
    for read in (read_here, read_usd):
        with pytest.raises(DamagedFile, match=r"broken\.usda:\d+: is no whole USD file"):
            read(broken)
    broken.write_bytes(b"not one")
    with pytest.raises(DamagedFile, match="is no USD file"):
        read_usd(broken)
    broken.write_text("#usda 1.0\n")
    with pytest.raises(DamagedFile, match="no triangles and no points"):
        read_here(broken)


def test_a_file_that_ends_usd_core_is_one_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _stage(tmp_path / "a.usda")[0].Save()
    monkeypatch.setattr("s4tok.datasets.formats.usd.START", 0)  # no time at all: the process is ended
    with pytest.raises(DamagedFile, match="usd-core ended with -"):
        read_usd(tmp_path / "a.usda")


def test_without_usd_core_the_way_to_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pxr", None)
    (tmp_path / "a.usda").write_bytes(b"#usda 1.0")
    with pytest.raises(DamagedFile, match=r'usd-core.* pip install "s4tok\[usd\]"'):
        open_dataset(tmp_path / "a.usda")["a.usda"]
