import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.formats.damage import DamagedFile

RNG = np.random.default_rng(0)
XYZ, COLOR = RNG.random((50, 3)), RNG.integers(0, 256, (50, 3)).astype(np.uint8)
EAST = np.array([5e5, 4e6, 0.0])
TURNED = np.array([np.sqrt(0.5), 0, 0, np.sqrt(0.5)])  # a quarter about z


def _write(path: Path, *, invalid: bool = False, colored: bool = True) -> None:
    pye57 = pytest.importorskip("pye57")
    scan: dict[str, Any] = dict(zip(("cartesianX", "cartesianY", "cartesianZ"), XYZ.T.copy(), strict=True))
    if colored:
        scan |= dict(zip(("colorRed", "colorGreen", "colorBlue"), COLOR.T.copy(), strict=True))
    if invalid:
        scan["cartesianInvalidState"] = (np.arange(50) % 5 == 0).astype(np.int8)
    file = pye57.E57(str(path), mode="w")
    file.write_scan_raw(scan, rotation=TURNED, translation=EAST)
    file.write_scan_raw({**scan})
    file.close()


def test_scans_of_a_file_are_one_cloud_each_where_its_pose_places_it(tmp_path: Path) -> None:
    _write(tmp_path / "a.e57")
    clouds = open_dataset(tmp_path / "a.e57")
    cloud = clouds["a.e57"]
    turned = np.c_[-XYZ[:, 1], XYZ[:, 0], XYZ[:, 2]]
    np.testing.assert_allclose(cloud.original_xyz(), np.concatenate([turned + EAST, XYZ]), atol=0.5)  # 4,000 km apart
    np.testing.assert_allclose(np.asarray(cloud.color), np.concatenate([COLOR, COLOR]) / 255, atol=1e-6)
    assert clouds.present("a.e57") is None


def test_rows_in_which_a_scanner_found_nothing_are_no_points(tmp_path: Path) -> None:
    _write(tmp_path / "a.e57", invalid=True, colored=False)
    clouds = open_dataset(tmp_path / "a.e57")
    np.testing.assert_array_equal(np.asarray(clouds.present("a.e57")), np.tile(np.arange(50) % 5 != 0, 2))
    assert len(clouds["a.e57"]) == 80


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.e57"
    path.write_bytes(b"not one")
    with pytest.raises(DamagedFile, match="does not begin with ASTM-E57"):
        open_dataset(path)["a.e57"]
    _write(path)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], content[:48], content[:3000] + b"\xff" * 64 + content[3064:]):
        path.write_bytes(damaged)
        with pytest.raises(DamagedFile, match=r"a\.e57: is no whole E57 file"):
            open_dataset(path)["a.e57"]


def test_without_pye57_the_way_to_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pye57", None)
    (tmp_path / "a.e57").write_bytes(b"ASTM-E57")
    with pytest.raises(DamagedFile, match=r'pye57.* pip install "s4tok\[e57\]"'):
        open_dataset(tmp_path / "a.e57")["a.e57"]
