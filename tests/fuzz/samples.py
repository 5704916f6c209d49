"""A small valid file of every format and form, the same on every machine: what malformed ones are made from."""

import struct
from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from s4tok.shapes import Array

N = 24  # points of a file of points
RNG = np.random.default_rng(0)
XYZ = RNG.random((N, 3)).round(4)
COLOR = RNG.integers(0, 256, (N, 3)).astype(np.uint8)
LABELS = RNG.integers(0, 9, N)
# A box of unit sides, each cut into two triangles.
CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
FACES = np.concatenate([QUADS[:, [0, 1, 2]], QUADS[:, [0, 2, 3]]])


class Sample(NamedTuple):
    """A valid file: how its name ends, what is in it, and how much a reader has to find."""

    suffix: str  # or all of its name, where that says the format
    content: bytes
    points: int
    faces: int = 0


def samples() -> list[Sample]:
    """Make one of each."""
    return [*_texts(), *_arrays(), *_ply(), *_pcd(), _las(), *_meshes(), *_glb(), _splats(), *_colmap()]


def _text(table: Array, head: str = "", separator: str = " ") -> bytes:
    rows = "\n".join(separator.join(f"{value:g}" for value in row) for row in table.tolist())
    return f"{head}{rows}\n".encode()


def _texts() -> Iterator[Sample]:
    full = np.c_[XYZ, COLOR, LABELS]
    yield Sample(".xyz", _text(XYZ, f"{N}\n"), N)
    yield Sample(".txt", _text(np.c_[XYZ, COLOR], "# a comment\n"), N)
    yield Sample(".txt", _text(full, "x,y,z,r,g,b,label\n", ","), N)


def _arrays() -> Iterator[Sample]:
    file = BytesIO()
    np.save(file, np.c_[XYZ, COLOR])
    yield Sample(".npy", file.getvalue(), N)
    for save in (np.savez, np.savez_compressed):
        file = BytesIO()
        save(file, points=XYZ, colors=COLOR, labels=LABELS)
        yield Sample(".npz", file.getvalue(), N)
    file = BytesIO()
    with h5py.File(file, "w") as store:
        store["points"], store["labels"] = XYZ, LABELS
        store.create_dataset("colors", data=COLOR, compression="gzip", fletcher32=True)
    yield Sample(".h5", file.getvalue(), N)


def _ply() -> Iterator[Sample]:
    names = [*("float " + axis for axis in "xyz"), *("uchar " + name for name in ("red", "green", "blue"))]
    head = f"element vertex {N}\n" + "".join(f"property {name}\n" for name in names) + "end_header\n"
    yield Sample(".ply", _text(np.c_[XYZ, COLOR], f"ply\nformat ascii 1.0\n{head}"), N)
    for order, form in (("<", "little"), (">", "big")):
        rows = np.zeros(N, [("xyz", f"{order}f4", 3), ("rgb", "u1", 3)])
        rows["xyz"], rows["rgb"] = XYZ, COLOR
        yield Sample(".ply", f"ply\nformat binary_{form}_endian 1.0\n{head}".encode() + rows.tobytes(), N)
    corners = "element vertex 8\nproperty double x\nproperty double y\nproperty double z\n"
    lists = "property list uchar int vertex_indices\nend_header\n"
    quads = _text(CORNERS) + _text(np.c_[np.full(6, 4), QUADS])
    yield Sample(".ply", f"ply\nformat ascii 1.0\n{corners}element face 6\n{lists}".encode() + quads, 0, 12)
    triangles = np.zeros(12, [("n", "u1"), ("v", "<i4", 3)])
    triangles["n"], triangles["v"] = 3, FACES
    uneven = triangles[:11].tobytes() + struct.pack("<B4i", 4, *QUADS[0])  # 11 triangles and a square
    for body, count in ((triangles.tobytes(), 12), (uneven, 13)):
        text = f"ply\nformat binary_little_endian 1.0\n{corners}element face 12\n{lists}"
        yield Sample(".ply", text.encode() + CORNERS.tobytes() + body, 0, count)


def _pcd() -> Iterator[Sample]:
    sides = f"WIDTH {N // 4}\nHEIGHT 4\nPOINTS {N}\nDATA "
    head = f"VERSION 0.7\nFIELDS x y z label\nSIZE 4 4 4 1\nTYPE F F F U\nCOUNT 1 1 1 1\n{sides}ascii\n"
    yield Sample(".pcd", _text(np.c_[XYZ, LABELS], head), N)
    head = f"VERSION 0.7\nFIELDS x y z rgb label\nSIZE 4 4 4 4 1\nTYPE F F F U U\nCOUNT 1 1 1 1 1\n{sides}"
    packed = (COLOR.astype(np.uint32) << [16, 8, 0]).sum(axis=1)
    rows = np.zeros(N, [("xyz", "<f4", 3), ("rgb", "<u4"), ("label", "u1")])
    rows["xyz"] = np.where(np.arange(N)[:, None] % 5 == 3, np.nan, XYZ)  # with holes
    rows["rgb"], rows["label"] = packed, LABELS
    yield Sample(".pcd", f"{head}binary\n".encode() + rows.tobytes(), N)
    columns = [rows["xyz"][:, axis].tobytes() for axis in range(3)] + [rows["rgb"].tobytes(), rows["label"].tobytes()]
    plain = b"".join(columns)
    runs = [plain[at : at + 32] for at in range(0, len(plain), 32)]  # LZF that compresses nothing
    body = b"".join(bytes([len(run) - 1]) + run for run in runs)
    yield Sample(".pcd", f"{head}binary_compressed\n".encode() + struct.pack("<II", len(body), len(plain)) + body, N)


def _las() -> Sample:
    size, length = 227, 26
    header = bytearray(size)
    header[:4], header[24:26], header[94:96] = b"LASF", bytes([1, 2]), size.to_bytes(2, "little")
    header[96:100], header[104:107] = size.to_bytes(4, "little"), bytes([2, length, 0])
    header[107:111] = N.to_bytes(4, "little")
    header[131:179] = np.array([1e-4] * 3 + [100.0] * 3, "<f8").tobytes()
    rows = np.zeros((N, length), np.uint8)
    rows[:, :12] = (XYZ / 1e-4).round().astype("<i4").view(np.uint8).reshape(N, 12)
    rows[:, 15], rows[:, 20:26] = LABELS, COLOR.astype("<u2").view(np.uint8).reshape(N, 6)
    return Sample(".las", bytes(header) + rows.tobytes(), N)


def _meshes() -> Iterator[Sample]:
    yield Sample(".off", _text(CORNERS, "OFF\n8 6 12\n") + _text(np.c_[np.full(6, 4), QUADS]), 0, 12)
    vertices = "".join(f"v {x:g} {y:g} {z:g}\n" for x, y, z in CORNERS)
    yield Sample(".obj", (vertices + "".join(f"f {a} {b} {c}\n" for a, b, c in FACES + 1)).encode(), 0, 12)
    yield Sample(".obj", "".join(f"v {x:g} {y:g} {z:g} {r} {g} {b}\n" for x, y, z, r, g, b in np.c_[XYZ, COLOR]
                                 .tolist()).encode(), N)  # fmt: skip
    rows = np.zeros(12, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows["corners"] = CORNERS[FACES]
    yield Sample(".stl", bytes(80) + struct.pack("<I", 12) + rows.tobytes(), 0, 12)
    facets = "".join(
        "facet normal 0 0 0\nouter loop\n" + "".join(f"vertex {x:g} {y:g} {z:g}\n" for x, y, z in corners)
        + "endloop\nendfacet\n" for corners in CORNERS[FACES]
    )  # fmt: skip
    yield Sample(".stl", f"solid box\n{facets}endsolid box\n".encode(), 0, 12)


def _splats() -> Sample:
    names = ("x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity")
    rows = np.c_[XYZ, COLOR / 255, np.where(np.arange(N) % 4, 3.0, -9.0)].astype("<f4")
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex {N}\n"
    head += "".join(f"property float {name}\n" for name in names) + "end_header\n"
    return Sample(".ply", head.encode() + rows.tobytes(), N)


def _colmap() -> Iterator[Sample]:
    points = enumerate(zip(XYZ.tolist(), COLOR.tolist(), strict=True))
    rows = [(number, *place, *color, 0.5, number % 3) for number, (place, color) in points]
    body = b"".join(struct.pack("<Q3d3BdQ", *row) + bytes(8 * row[-1]) for row in rows)
    yield Sample("points3D.bin", struct.pack("<Q", N) + body, N)
    lines = "".join(" ".join(map(str, [*row[:-1], *(2 * row[-1] * [7])])) + "\n" for row in rows)
    yield Sample("points3D.txt", f"# a comment\n{lines}".encode(), N)


def e57_sample(folder: Path) -> Sample:
    """Make one by pye57, which may not be here; no two are alike, for each has a number of its own."""
    file = import_module("pye57").E57(str(folder / "valid.e57"), mode="w")
    names = ("cartesianX", "cartesianY", "cartesianZ", "colorRed", "colorGreen", "colorBlue")
    file.write_scan_raw(dict(zip(names, [*XYZ.T.copy(), *COLOR.T.copy()], strict=True)))
    file.close()
    return Sample(".e57", (folder / "valid.e57").read_bytes(), N)


def usd_samples(folder: Path) -> list[Sample]:
    """Make a box by usd-core, which may not be here, in each of its forms."""
    usd, geom, utils = (import_module(f"pxr.{name}") for name in ("Usd", "UsdGeom", "UsdUtils"))
    stage = usd.Stage.CreateNew(str(folder / "box.usda"))
    box = geom.Mesh.Define(stage, "/box")
    box.GetPointsAttr().Set([tuple(corner) for corner in CORNERS.tolist()])
    box.GetFaceVertexCountsAttr().Set([4] * len(QUADS))
    box.GetFaceVertexIndicesAttr().Set(QUADS.ravel().tolist())
    stage.Save()
    stage.Export(str(folder / "box.usdc"))
    utils.CreateNewUsdzPackage(str(folder / "box.usdc"), str(folder / "box.usdz"))
    return [Sample(end, (folder / f"box{end}").read_bytes(), 0, 12) for end in (".usda", ".usdc", ".usdz")]


def _glb() -> Iterator[Sample]:
    places, corners = CORNERS.astype("<f4").tobytes(), FACES.astype("<u2").tobytes()
    text = (
        '{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],"nodes":[{"mesh":0}],"meshes":[{"primitives":'
        '[{"attributes":{"POSITION":0},"indices":1}]}],"accessors":[{"bufferView":0,"componentType":5126,"count":8,'
        '"type":"VEC3","min":[0,0,0],"max":[1,1,1]},{"bufferView":1,"componentType":5123,"count":36,"type":"SCALAR"}],'
        f'"bufferViews":[{{"buffer":0,"byteOffset":0,"byteLength":{len(places)}}},{{"buffer":0,"byteOffset":'
        f'{len(places)},"byteLength":{len(corners)}}}],"buffers":[{{"byteLength":{len(places) + len(corners)}}}]}}'
    )
    for chunk, points, faces in ((text, 0, 12), (text.replace(',"indices":1', ',"mode":0'), 8, 0)):  # or its corners
        padded = (chunk + " " * (-len(chunk) % 4)).encode()
        body = struct.pack("<II", len(padded), 0x4E4F534A) + padded
        body += struct.pack("<II", len(places) + len(corners), 0x004E4942) + places + corners
        yield Sample(".glb", b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body, points, faces)
