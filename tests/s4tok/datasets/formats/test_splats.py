from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets import open_dataset

N = 60
NAMES = ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "f_rest_0", "opacity", "scale_0", "rot_0"]


def test_gaussians_that_are_opaque_are_points_in_the_colour_they_have_from_all_sides(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    color, opacity = rng.uniform(-0.2, 1.2, (N, 3)), rng.uniform(0, 0.3, N)
    rows = rng.standard_normal((N, len(NAMES))).astype("<f4")
    rows[:, 6:9] = (color - 0.5) / 0.28209479177387814
    rows[:, 10] = np.log(opacity / (1 - opacity))
    rows[7, 1] = np.nan  # as training leaves some
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {N}\n"
    header += "".join(f"property float {name}\n" for name in NAMES) + "end_header\n"
    (tmp_path / "point_cloud.ply").write_bytes(header.encode() + rows.tobytes())
    clouds = open_dataset(tmp_path)
    cloud, present = clouds["point_cloud.ply"], clouds.present("point_cloud.ply")
    assert present is not None
    np.testing.assert_array_equal(present, (opacity >= 0.1) & (np.arange(N) != 7))
    np.testing.assert_allclose(cloud.original_xyz(), rows[present, :3], atol=1e-6)
    np.testing.assert_allclose(np.asarray(cloud.color), color[present].clip(0, 1), atol=1e-5)


def test_a_cloud_with_an_opacity_and_no_harmonics_is_a_cloud(tmp_path: Path) -> None:
    header = "ply\nformat ascii 1.0\nelement vertex 2\n" + "".join(
        f"property float {n}\n" for n in ("x", "y", "z", "opacity")
    )
    (tmp_path / "a.ply").write_text(f"{header}end_header\n0 0 0 -9\n1 1 1 -9\n")
    clouds = open_dataset(tmp_path)
    assert len(clouds["a.ply"]) == 2
    assert clouds.present("a.ply") is None


def test_gaussians_without_an_opaque_one_are_told(tmp_path: Path) -> None:
    names = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"]
    header = "ply\nformat ascii 1.0\nelement vertex 3\n" + "".join(f"property float {name}\n" for name in names)
    (tmp_path / "a.ply").write_text(f"{header}end_header\n" + "0 0 0 0 0 0 -9\n" * 3)
    with pytest.raises(Exception, match="needs at least 2 points"):
        open_dataset(tmp_path)["a.ply"]
