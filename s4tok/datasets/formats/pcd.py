"""PCD, the format of the Point Cloud Library: ascii, binary and binary_compressed."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s4tok.datasets.formats.contents import Contents, whole_numbers
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import parse_table, read_bytes
from s4tok.shapes import Array

TYPES = {
    f"{kind}{size}": f"{kind.lower()}{size}"
    for kind, sizes in (("I", "1248"), ("U", "1248"), ("F", "48"))
    for size in sizes
}
PADDING = b"\0\t\n\r "  # what may follow the last point
LABELS = ("label", "labels", "class", "classification")


class PcdHeader(NamedTuple):
    """What a PCD promises."""

    row: np.dtype[np.void]
    points: int
    form: str
    body: int  # where it begins
    lines: int


def read_pcd(path: Path) -> Contents:
    """Read points; those that organised clouds mark by NaN are holes."""
    data = read_bytes(path)
    header = _read_header(data, path)
    read = {"ascii": _read_ascii, "binary": _read_binary, "binary_compressed": _read_compressed}
    if header.form not in read:
        raise DamagedFile(path, f"has DATA {header.form!r}, and ascii, binary and binary_compressed are known")
    columns = read[header.form](data, header, path)
    if not {"x", "y", "z"} <= set(columns):
        raise DamagedFile(path, f"has the fields {', '.join(columns)}, without x, y, z")
    points = np.stack([columns[axis] for axis in "xyz"], axis=1)
    valid = np.isfinite(points).all(axis=1)
    label = next((columns[name] for name in LABELS if name in columns), None)
    normals = [columns[name] for name in ("normal_x", "normal_y", "normal_z") if name in columns]
    color = _colors(columns)
    return Contents(
        points[valid],
        color=None if color is None else color[valid],
        normals=np.stack(normals, axis=1)[valid] if len(normals) == 3 else None,
        labels=None if label is None else whole_numbers(label[valid], path, "labels"),
        present=None if valid.all() else valid,
    )


def _read_header(data: bytes, path: Path) -> PcdHeader:
    entries: dict[str, list[str]] = {}
    at = number = 0
    while "DATA" not in entries:
        end = data.find(b"\n", at)
        if end < 0 or number > 64:
            raise DamagedFile(path, "is no PCD file, or ends within its header", "get the file again.")
        words = data[at:end].decode("latin-1").partition("#")[0].split()
        if words:
            entries[words[0].upper()] = words[1:]
        at, number = end + 1, number + 1
    try:
        names = entries["FIELDS"]
        counts = [int(count) for count in entries.get("COUNT", ["1"] * len(names))]
        types = [TYPES[kind + size] for kind, size in zip(entries["TYPE"], entries["SIZE"], strict=True)]
        fields = [(f"{name} {i}", f"<{kind}", (count,)) for i, (name, kind, count) in enumerate(
            zip(names, types, counts, strict=True))]  # fmt: skip
        given = entries.get("POINTS") or [str(math.prod(int(entries[side][0]) for side in ("WIDTH", "HEIGHT")))]
        points = int(given[0])
        if points < 0 or min(counts) < 1:
            raise ValueError
        sides = [int(entries[side][0]) for side in ("WIDTH", "HEIGHT") if side in entries]
        if len(sides) == 2 and math.prod(sides) != points:
            sentence = f"has {points:,} POINTS, and its WIDTH times its HEIGHT are {math.prod(sides):,}"
            raise DamagedFile(path, sentence, "correct its header, or get the file again.")
        return PcdHeader(np.dtype(fields), points, entries["DATA"][0], at, number)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise DamagedFile(
            path, "has a header whose FIELDS, SIZE, TYPE, COUNT and POINTS do not fit together"
        ) from error


def _read_ascii(data: bytes, header: PcdHeader, path: Path) -> dict[str, Array]:
    lines = data[header.body :].decode("latin-1").splitlines()
    rows = [line for line in lines if line.strip()]
    if len(rows) < header.points:
        raise _cut(path, header, f"{len(rows):,} lines", header.lines + len(lines))
    if len(rows) > header.points:
        raise _longer(path, header, f"{len(rows):,} lines")
    names = header.row.names or ()
    widths = [header.row[name].shape[0] for name in names]
    first = range(header.lines + 1, header.lines + 1 + len(lines))
    table = parse_table(lines, path, columns=sum(widths), numbers=first)
    starts = dict(zip((name.split()[0] for name in names), np.cumsum([0, *widths])[:-1].tolist(), strict=True))
    holes = np.isnan(table.rows[:, [starts[axis] for axis in "xyz" if axis in starts]]).any(axis=1)
    columns = {}
    for name in names:
        called, kind = name.split()[0], header.row[name].base
        if called in ("rgb", "rgba") and kind.kind != "f":  # written as one large whole number
            kind = np.dtype("<u4")
        values = table.rows[:, starts[called]]
        if kind.kind != "f":  # some writers put NaN there too, where a point is none
            values[holes & np.isnan(values)] = 0
        columns[called] = table.column(starts[called], kind, path)
    return columns


def _read_binary(data: bytes, header: PcdHeader, path: Path) -> dict[str, Array]:
    end = header.body + header.points * header.row.itemsize
    if end > len(data):
        raise _cut(path, header, f"{len(data) - header.body:,} bytes")
    if data[end:].strip(PADDING):
        raise _longer(path, header, f"{len(data) - header.body:,} bytes")
    rows = np.frombuffer(data, header.row, header.points, header.body)
    return {name.split()[0]: rows[name][:, 0] for name in header.row.names or ()}


def _read_compressed(data: bytes, header: PcdHeader, path: Path) -> dict[str, Array]:
    packed, unpacked = np.frombuffer(data[header.body : header.body + 8].ljust(8, b"\0"), "<u4").tolist()
    body = data[header.body + 8 :]
    if packed > len(body):
        raise _cut(path, header, f"{len(body):,} of {packed:,} compressed bytes")
    if unpacked != header.points * header.row.itemsize:
        raise DamagedFile(path, f"promises {header.points:,} points and {unpacked:,} bytes, which do not fit together")
    plain = decompress_lzf(body[:packed], unpacked)
    if plain is None:
        raise DamagedFile(path, "has compressed bytes that are broken", "get the file again.")
    columns, at = {}, 0
    for name in header.row.names or ():  # one field after the other, not one point after the other
        kind = header.row[name]
        values = np.frombuffer(plain, kind.base, header.points * kind.shape[0], at)
        columns[name.split()[0]] = values.reshape(header.points, -1)[:, 0]
        at += values.nbytes
    return columns


def decompress_lzf(data: bytes, size: int) -> bytes | None:
    """Undo LibLZF, whose matches reach back at most 8 KiB; None where the bytes are broken or not `size` long."""
    out = bytearray()
    at = 0
    try:
        while at < len(data) and len(out) <= size:
            control = data[at]
            at += 1
            if control < 32:
                out += data[at : at + control + 1]
                at += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += data[at]
                at += 1
            start = len(out) - ((control & 31) << 8) - data[at] - 1
            at += 1
            if start < 0:
                return None
            length += 2
            match = bytes(out[start : start + length])
            out += (match * (length // len(match) + 1))[:length]  # a match may reach into what it writes
    except IndexError:
        return None
    return bytes(out) if len(out) == size else None


def _colors(columns: dict[str, Array]) -> Array | None:
    if {"r", "g", "b"} <= set(columns):
        return np.stack([columns[name] for name in "rgb"], axis=1)
    packed = columns.get("rgb", columns.get("rgba"))
    if packed is None or packed.dtype.itemsize != 4:
        return None
    bits: Array = np.ascontiguousarray(packed).view("<u4")  # a float's bits are the colour, as PCL has it
    channels: list[Array] = [bits >> shift & 255 for shift in (16, 8, 0)]
    return np.stack(channels, axis=1).astype(np.uint8)


def _longer(path: Path, header: PcdHeader, held: str) -> DamagedFile:
    return DamagedFile(
        path, f"promises {header.points:,} points and holds {held}, which are more", "correct its header."
    )


def _cut(path: Path, header: PcdHeader, held: str, line: int | None = None) -> DamagedFile:
    return DamagedFile(
        path, f"promises {header.points:,} points and holds {held}", "get the file again; it is cut short.", line=line
    )
