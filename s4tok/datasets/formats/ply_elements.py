"""The elements of a PLY file: ascii and binary of both byte orders, properties in any order, lists of any length."""

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import TextTable, parse_table
from s4tok.shapes import Array, Int

LONGEST_HEADER = 1 << 16
ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip
PADDING = b"\0\t\n\r "  # what may follow the last row


class Lists(NamedTuple):
    """A list property: the values of all rows in one array, and how many each row has."""

    values: Array
    lengths: Int[Array, " n"]


class Property(NamedTuple):
    """A line of the header."""

    name: str
    type: str
    length_type: str = ""  # of a list


@dataclass(frozen=True)
class Element:
    """A kind of rows, such as vertices, and what each row has."""

    name: str
    count: int
    properties: list[Property]


def read_elements(path: Path) -> dict[str, dict[str, Array | Lists]]:
    """Read everything: element -> property -> values, a list property as `Lists`."""
    try:
        with path.open("rb") as file:
            order, elements, n_lines = read_header(file, path)
            left = path.stat().st_size - file.tell()
            for element in elements:
                least = max(sum(_least_bytes(each, order) for each in element.properties), 1)
                if element.count * least > left:
                    raise _cut(path, f"promises {element.count:,} rows of {element.name} and holds {left:,} bytes")
            if order:
                body = file.read()
                return _read_binary(body, elements, order, path)
            return _read_ascii(file.read(), elements, n_lines + 1, path)
    except OSError as error:
        raise DamagedFile(path, f"cannot be read: {error.strerror}") from error


def read_header(file: IO[bytes], path: Path) -> tuple[str, list[Element], int]:
    """Read the order of bytes, the elements, and how many lines the header has."""
    if file.readline(8).strip() != b"ply":
        raise DamagedFile(path, "is no PLY file: it does not begin with 'ply'")
    order: str | None = None
    elements: list[Element] = []
    words: list[str] = []
    number = 1
    while file.tell() < LONGEST_HEADER:
        number += 1
        words = file.readline(LONGEST_HEADER).decode("latin-1").split()
        try:
            match words:
                case ["end_header"] if order is not None:
                    return order, elements, number
                case ["format", name, _]:
                    order = ORDERS[name]
                case ["element", name, count] if int(count) >= 0:
                    elements.append(Element(name, int(count), []))
                case ["property", "list", length_type, value_type, name] if TYPES[length_type][0] in "iu":
                    elements[-1].properties.append(Property(name.lower(), TYPES[value_type], TYPES[length_type]))
                case ["property", kind, name]:
                    elements[-1].properties.append(Property(name.lower(), TYPES[kind]))
                case ["comment" | "obj_info", *_]:
                    pass
                case _:
                    break
        except (KeyError, ValueError, IndexError):
            break
    what = f"has {' '.join(words)[:60]!r} in its header" if words else "ends within its header"
    raise DamagedFile(path, what, "get the file again.", line=number)


def _least_bytes(each: Property, order: str) -> int:
    if not order:
        return 2  # a digit and a blank
    return np.dtype(each.length_type or each.type).itemsize


def _read_binary(body: bytes, elements: list[Element], order: str, path: Path) -> dict[str, dict[str, Array | Lists]]:
    found, at = {}, 0
    for element in elements:
        has_lists = any(each.length_type for each in element.properties)
        read = _even_rows(body, at, element, order)
        if read is None and not has_lists:
            raise _cut(path, f"promises {element.count:,} rows of {element.name} and ends before they are through")
        found[element.name], at = read or _uneven_rows(body, at, element, order, path)
    if body[at:].strip(PADDING):
        raise _longer(path)
    return found


def _even_rows(body: bytes, at: int, element: Element, order: str) -> tuple[dict[str, Array | Lists], int] | None:
    """Read rows that are all as long as the first, in one stroke; None where they are not."""
    lengths, position = {}, at
    for i, each in enumerate(element.properties):
        if each.length_type and element.count:
            read = np.frombuffer(
                body[position : position + np.dtype(each.length_type).itemsize], order + each.length_type
            )
            if not len(read) or read[0] < 0:
                return None
            lengths[i] = int(read[0])
            position += read.itemsize
        position += np.dtype(each.type).itemsize * lengths.get(i, 0 if each.length_type else 1)
    if element.count and position > len(body):
        return None
    fields: list[Any] = []
    for i, each in enumerate(element.properties):
        if each.length_type:
            fields += [(f"l{i}", order + each.length_type), (f"v{i}", order + each.type, (lengths.get(i, 0),))]
        else:
            fields.append((f"v{i}", order + each.type))
    row = np.dtype(fields)
    if at + element.count * row.itemsize > len(body):
        return None
    rows = np.frombuffer(body, row, count=element.count, offset=at) if row.itemsize else np.zeros(element.count, row)
    if any((rows[f"l{i}"] != length).any() for i, length in lengths.items()):
        return None
    columns: dict[str, Array | Lists] = {}
    for i, each in enumerate(element.properties):
        values = rows[f"v{i}"].astype(each.type)
        if each.length_type:
            columns[each.name] = Lists(values.reshape(-1), np.full(element.count, lengths.get(i, 0), np.int64))
        else:
            columns[each.name] = values
    return columns, at + element.count * row.itemsize


def _uneven_rows(
    body: bytes, at: int, element: Element, order: str, path: Path
) -> tuple[dict[str, Array | Lists], int]:
    parts: list[list[Array]] = [[] for _ in element.properties]
    types = [(np.dtype(order + (p.length_type or p.type)), np.dtype(order + p.type)) for p in element.properties]
    for row in range(element.count):
        for i, (first, kind) in enumerate(types):
            length = 1
            if element.properties[i].length_type:
                if at + first.itemsize > len(body):
                    raise _cut(path, f"ends in row {row:,} of {element.count:,} of {element.name}")
                length = int(np.frombuffer(body, first, 1, at)[0])
                at += first.itemsize
            if length < 0 or at + length * kind.itemsize > len(body):
                raise _cut(path, f"ends in row {row:,} of {element.count:,} of {element.name}")
            parts[i].append(np.frombuffer(body, kind, length, at))
            at += length * kind.itemsize
    return {p.name: _joined(p, part) for p, part in zip(element.properties, parts, strict=True)}, at


def _read_ascii(
    body: bytes, elements: list[Element], first_line: int, path: Path
) -> dict[str, dict[str, Array | Lists]]:
    lines = body.decode("latin-1").split("\n")
    found: dict[str, dict[str, Array | Lists]] = {}
    at = 0
    for element in elements:
        rows = lines[at : at + element.count]
        held = len(rows) - (at + element.count >= len(lines) and not lines[-1].strip())
        if held < element.count:
            raise _cut(path, f"promises {element.count:,} rows of {element.name} and holds {held:,}", first_line + at)
        found[element.name] = _ascii_rows(rows, element, first_line + at, path)
        at += element.count
    more = next((number for number, line in enumerate(lines[at:], first_line + at) if line.strip()), None)
    if more is not None:
        raise _longer(path, more)
    return found


def _ascii_rows(rows: list[str], element: Element, first_line: int, path: Path) -> dict[str, Array | Lists]:
    if not rows or not element.properties:
        return {each.name: _joined(each, []) for each in element.properties}
    numbers = range(first_line, first_line + len(rows))
    if not any(each.length_type for each in element.properties):
        whole = parse_table(rows, path, columns=len(element.properties), numbers=numbers, loose=False)
        return {each.name: whole.column(j, each.type, path) for j, each in enumerate(element.properties)}
    by_width: dict[int, list[int]] = {}  # rows of one length make a table
    for i, row in enumerate(rows):
        by_width.setdefault(len(row.split()), []).append(i)
    parts: list[list[Array]] = [[np.empty(0)] * len(rows) for _ in element.properties]
    for width, members in by_width.items():
        table = parse_table([rows[i] for i in members], path, numbers=[numbers[i] for i in members], loose=False).rows
        for values, i in zip(table, members, strict=True):
            at = 0
            for j, each in enumerate(element.properties):
                length = 1
                if each.length_type:
                    said = values[at] if at < width else -1
                    length = int(said) if 0 <= said <= width else width
                    at += 1
                parts[j][i] = values[at : at + length]
                at += length
            if at != width:
                sentence = f"{width} numbers in a row of {element.name}, whose properties ask for {at}"
                raise DamagedFile(path, sentence, line=numbers[i])
    found: dict[str, Array | Lists] = {}
    for each, part in zip(element.properties, parts, strict=True):
        lengths = np.array([len(values) for values in part], np.int64)
        flat = TextTable(np.concatenate(part)[:, None], np.repeat(numbers, lengths).tolist())
        column = flat.column(0, each.type, path)
        found[each.name] = Lists(column, lengths) if each.length_type else column
    return found


def _joined(each: Property, parts: list[Array]) -> Array | Lists:
    values = np.concatenate(parts).astype(each.type) if parts else np.zeros(0, each.type)
    return Lists(values, np.array([len(part) for part in parts], np.int64)) if each.length_type else values


def _longer(path: Path, line: int | None = None) -> DamagedFile:
    return DamagedFile(path, "goes on after the last row that its header promises", "correct its header.", line=line)


def _cut(path: Path, sentence: str, line: int | None = None) -> DamagedFile:
    return DamagedFile(path, sentence, "get the file again; it is cut short.", line=line)
