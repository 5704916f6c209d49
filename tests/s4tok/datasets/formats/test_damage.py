"""Every format, damaged in every way: a cloud comes out, or an error that names the file, and nothing else happens."""

import io
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from s4tok.clouds import PointCloud
from s4tok.datasets import open_dataset
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.errors import MissingError
from s4tok.shapes import Array

MEMORY = 64 << 20
CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 2) for z in (0, 3)], np.float64)
FACES = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]]


def _text() -> bytes:
    rows = [f"{x:.6f} {y:.6f} {z:.6f} {10 * i} 20 30" for i, (x, y, z) in enumerate(CORNERS)]
    return ("\n".join(rows) + "\n").encode()


def _ply(kind: str) -> bytes:
    header = (
        f"ply\nformat {kind} 1.0\ncomment made by a test\nelement vertex 8\nproperty float x\nproperty float y\n"
        "property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nelement face 6\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    if kind == "ascii":
        rows = [f"{x} {y} {z} 1 2 3" for x, y, z in CORNERS] + [f"3 {a} {b} {c}" for a, b, c in FACES]
        return (header + "\n".join(rows) + "\n").encode()
    order = "<" if "little" in kind else ">"
    vertex = np.zeros(8, np.dtype([("xyz", order + "f4", 3), ("rgb", "u1", 3)]))
    vertex["xyz"] = CORNERS
    face = np.zeros(6, np.dtype([("n", "u1"), ("v", order + "i4", 3)]))
    face["n"], face["v"] = 3, FACES
    return header.encode() + vertex.tobytes() + face.tobytes()


def _pcd(form: str) -> bytes:
    header = (
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 8\nHEIGHT 1\n"
        f"VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 8\nDATA {form}\n"
    ).encode()
    if form == "ascii":
        return header + "\n".join(f"{x} {y} {z}" for x, y, z in CORNERS).encode()
    if form == "binary":
        return header + CORNERS.astype("<f4").tobytes()
    plain = CORNERS.T.astype("<f4").tobytes()
    packed = b"".join(bytes([len(plain[i : i + 32]) - 1]) + plain[i : i + 32] for i in range(0, len(plain), 32))
    return header + np.array([len(packed), len(plain)], "<u4").tobytes() + packed


def _las() -> bytes:
    header = bytearray(227)
    header[:4], header[24:26] = b"LASF", b"\1\2"
    header[96:104] = np.array([227, 0], "<u4").tobytes()
    header[104:105], header[105:107], header[107:111] = b"\2", (26).to_bytes(2, "little"), (8).to_bytes(4, "little")
    header[131:179] = np.array([0.01, 0.01, 0.01, 0, 0, 0], "<f8").tobytes()
    rows = np.zeros(
        8, np.dtype([("xyz", "<i4", 3), ("rest", "u1", 3), ("class", "u1"), ("more", "u1", 4), ("rgb", "<u2", 3)])
    )
    rows["xyz"] = CORNERS * 100
    return bytes(header) + rows.tobytes()


def _npy(array: Array = CORNERS) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, points=CORNERS, labels=np.arange(8))
    return file.getvalue()


def _h5() -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5["points"], h5["labels"] = CORNERS, np.arange(8)
    return file.getvalue()


def _obj() -> bytes:
    rows = [f"v {x} {y} {z}" for x, y, z in CORNERS] + [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in FACES]
    return "\n".join(rows).encode()


def _off() -> bytes:
    rows = ["OFF8 6 0"] + [f"{x} {y} {z}" for x, y, z in CORNERS] + [f"3 {a} {b} {c}" for a, b, c in FACES]
    return "\n".join(rows).encode()


def _stl(ascii: bool) -> bytes:
    corners = CORNERS[FACES]
    if ascii:
        facets = [
            "facet normal 0 0 1\nouter loop\n"
            + "".join(f"vertex {x} {y} {z}\n" for x, y, z in three)
            + "endloop\nendfacet\n"
            for three in corners
        ]
        return f"solid box\n{''.join(facets)}endsolid box\n".encode()
    rows = np.zeros(6, np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")]))
    rows["corners"] = corners
    return bytes(80) + (6).to_bytes(4, "little") + rows.tobytes()


def _glb() -> bytes:
    trimesh = pytest.importorskip("trimesh")
    made: bytes = trimesh.Trimesh(CORNERS, FACES, process=False).export(file_type="glb")
    return made


FILES: dict[str, Callable[[], bytes]] = {
    "a.txt": _text,
    "a.xyz": _text,
    "ascii.ply": lambda: _ply("ascii"),
    "little.ply": lambda: _ply("binary_little_endian"),
    "big.ply": lambda: _ply("binary_big_endian"),
    "ascii.pcd": lambda: _pcd("ascii"),
    "binary.pcd": lambda: _pcd("binary"),
    "packed.pcd": lambda: _pcd("binary_compressed"),
    "a.las": _las,
    "a.npy": _npy,
    "a.npz": _npz,
    "a.h5": _h5,
    "a.obj": _obj,
    "a.off": _off,
    "binary.stl": lambda: _stl(False),
    "ascii.stl": lambda: _stl(True),
    "a.glb": _glb,
}


def _read(path: Path) -> PointCloud | DamagedFile:
    """Read a file that may be damaged; any error but the one with the file's name is a defect."""
    told: PointCloud | DamagedFile
    try:
        told = open_dataset(path)[path.name]
    except DamagedFile as damage:
        told = damage
    except MissingError as missing:  # a .las whose damage makes it look compressed
        told = DamagedFile(path, str(missing))
    if isinstance(told, DamagedFile):
        assert path.name in str(told)
        assert "\n" not in str(told)
    return told


def test_damage_found_by_a_worker_arrives_whole() -> None:
    damage = DamagedFile(Path("a.txt"), "has a\nNUL byte", "get it again.", line=7)
    arrived = pickle.loads(pickle.dumps(damage))
    assert str(arrived) == str(damage) == "a.txt:7: has a NUL byte."
    assert (arrived.hint, arrived.line, arrived.path) == ("get it again.", 7, Path("a.txt"))


@pytest.mark.parametrize("name", FILES)
def test_a_whole_file_of_each_format_gives_the_same_box(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name]())
    cloud = _read(path)
    assert isinstance(cloud, PointCloud)
    np.testing.assert_allclose(np.sort(np.ptp(cloud.original_xyz(), axis=0)), [1, 2, 3], atol=0.1)


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_anywhere_is_told_by_name_or_was_whole_without_the_rest(name: str, tmp_path: Path) -> None:
    path, data = tmp_path / name, FILES[name]()
    verdicts = []
    for length in range(0, len(data) - 16, max(len(data) // 60, 1)):  # a text's last number can lose a digit unnoticed
        path.write_bytes(data[:length])
        verdicts.append(isinstance(_read(path), DamagedFile))
    assert verdicts[0]
    if name not in ("a.txt", "a.xyz", "a.obj"):  # formats that promise no number of rows can lose the last unnoticed
        assert all(verdicts)


@pytest.mark.parametrize("name", FILES)
def test_bytes_gone_bad_give_a_cloud_or_an_error_with_the_files_name(name: str, tmp_path: Path) -> None:
    path, data = tmp_path / name, FILES[name]()
    rng = np.random.default_rng(0)
    damaged = 0
    tracemalloc.start()
    for _ in range(60):
        broken = np.frombuffer(data, np.uint8).copy()
        at = rng.integers(0, len(broken), rng.integers(1, 6))
        broken[at] = rng.choice([0, 255, 32, 57, 128], len(at)) if rng.random() < 0.5 else rng.integers(0, 256, len(at))
        path.write_bytes(broken.tobytes())
        damaged += isinstance(_read(path), DamagedFile)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert damaged
    assert peak < MEMORY


@pytest.mark.parametrize("name", FILES)
def test_another_files_bytes_under_this_name_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    for junk in (b"\0" * 4096, b"<html>404 Not Found</html>\n", b"version https://git-lfs.github.com/spec/v1\n"):
        path.write_bytes(junk)
        assert isinstance(_read(path), DamagedFile)


@pytest.mark.parametrize(
    ("name", "honest", "lie"),
    [
        ("ascii.ply", b"vertex 8", b"vertex 9000000000000"),
        ("little.ply", b"vertex 8", b"vertex 9000000000000"),
        ("big.ply", b"face 6", b"face 4000000000"),
        ("ascii.pcd", b"POINTS 8", b"POINTS 8000000000"),
        ("binary.pcd", b"POINTS 8", b"POINTS 8000000000"),
        ("packed.pcd", b"POINTS 8", b"POINTS 8000000000"),
        ("a.npy", b"(8, 3)", b"(8000000000, 3)"),
        ("a.off", b"OFF8 6", b"OFF8000000000 6"),
        ("a.glb", b'"count":', b'"count":9999999'),
        ("a.las", b"\x1a\x00\x08\x00\x00\x00", b"\x1a\x00\xff\xff\xff\x7f"),
        ("binary.stl", b"\x00\x06\x00\x00\x00", b"\x00\xff\xff\xff\x7f"),
    ],
)
def test_a_header_that_lies_about_its_size_is_refused_before_memory_is_taken(
    name: str, honest: bytes, lie: bytes, tmp_path: Path
) -> None:
    data = FILES[name]()
    if name == "a.npy":  # keep the header's own length true
        lie += b" " * 0
        data = data.replace(b" " * (len(lie) - len(honest)) + b"\n", b"\n", 1)
    assert honest in data
    path = tmp_path / name
    path.write_bytes(data.replace(honest, lie, 1))
    tracemalloc.start()
    verdict = _read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(verdict, DamagedFile)
    assert peak < MEMORY


@pytest.mark.parametrize("name", ["a.txt", "a.off", "a.obj", "ascii.stl"])
def test_a_text_names_the_line_of_a_word_a_nan_and_a_nul_byte(name: str, tmp_path: Path) -> None:
    path, lines = tmp_path / name, FILES[name]().split(b"\n")
    row = 4 if name == "ascii.stl" else 3
    for bad in (b"zwei", b"nan", b"inf", b"1\x002"):
        words = lines[row - 1].split(b" ")
        words[-3 if name != "a.txt" else 1] = bad
        path.write_bytes(b"\n".join([*lines[: row - 1], b" ".join(words), *lines[row:]]))
        damage = _read(path)
        assert isinstance(damage, DamagedFile)
        assert damage.line == row
        assert f"{name}:{row}: " in str(damage)
