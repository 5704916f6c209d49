"""Arrays out of a pickle without unpickling it: its opcodes are read, and those that build arrays are understood.

A pickle is a program. Here nothing of it runs: a small machine knows the opcodes that NumPy's arrays, lists and
numbers are written with, and the six names that rebuild an array stand for inert notes. Whatever else a file asks
for is refused by name. Arrays are views of bytes that the file really holds, so memory stays below the file's size.
"""

import math
import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile

_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")
RECONSTRUCT = {f"{module} _reconstruct" for module in _MODULES}
FROM_BUFFER = {f"{module} _frombuffer" for module in _MODULES}
SCALAR = {f"{module} scalar" for module in _MODULES}
NDARRAY, DTYPE, ENCODE = "numpy ndarray", "numpy dtype", "_codecs encode"
KNOWN = {*RECONSTRUCT, *FROM_BUFFER, *SCALAR, NDARRAY, DTYPE, ENCODE}

_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
    "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
}  # fmt: skip
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_LIST": list, "EMPTY_TUPLE": tuple,
}  # fmt: skip


class _Refused(Exception):
    """The file asks for something that arrays do not need."""


@dataclass(frozen=True)
class _Name:
    text: str


@dataclass
class _Type:
    code: str
    order: str = "="

    def real(self) -> np.dtype[Any]:
        if self.code[:1] not in tuple("iufb") or not self.code[1:].isdigit():
            raise _Refused(f"an array of type {self.code!r}")
        return np.dtype(f"{self.order if self.order in '<>' else '='}{self.code}")


class _Array:
    value: "np.ndarray[Any, Any] | None" = None

    def fill(self, shape: tuple[int, ...], kind: Any, fortran: Any, data: Any) -> None:
        if isinstance(data, str):  # bytes of Python 2, one character a byte
            data = data.encode("latin-1")
        sound = isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)
        if not sound or not isinstance(kind, _Type) or not isinstance(data, bytes | bytearray):
            raise _Refused("an array that is not made of a shape, a type and bytes")
        dtype = kind.real()
        if math.prod(shape) * dtype.itemsize != len(data):
            raise _Refused(f"an array {shape} of {dtype} in {len(data):,} bytes")
        self.value = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran in (True, 1, "F") else "C")


def read_pickled_arrays(path: Path) -> Any:
    """Read arrays, numbers, and lists of them, from a pickle of any protocol.

    Raises:
        DamagedFile: For anything else, and for a file that is cut short.
    """
    hint = "s4tok never runs a pickle; only NumPy arrays in lists are read from one. Get the file again."
    try:
        with path.open("rb") as file:
            bounded: Any = _Bounded(file, path.stat().st_size)
            value = _run(pickletools.genops(bounded))
            return _plain(value, [path.stat().st_size + 1])
    except _Refused as error:
        raise DamagedFile(path, f"asks for {error}; it is refused", hint) from error
    except OSError as error:
        raise DamagedFile(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise DamagedFile(path, f"is no whole pickle: {error}", hint) from error


class _Bounded:
    """A file that is never asked for more bytes than it has left."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.file, self.size = file, size

    def read(self, count: int) -> bytes:
        left = self.size - self.file.tell()
        if count > left:
            raise _Refused(f"{count:,} bytes where {left:,} are left")
        return self.file.read(count)

    def readline(self) -> bytes:
        return self.file.readline(1 << 16)

    def tell(self) -> int:
        return self.file.tell()


def _run(opcodes: Iterator[tuple[Any, Any, int | None]]) -> Any:
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def since_mark() -> list[Any]:
        start = marks.pop()
        taken = stack[start:]
        del stack[start:]
        return taken

    for opcode, argument, _ in opcodes:
        name = opcode.name
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name]())
        elif name in ("PROTO", "FRAME"):
            pass
        elif name == "MARK":
            marks.append(len(stack))
        elif name in ("LIST", "TUPLE"):
            taken = since_mark()
            stack.append(taken if name == "LIST" else tuple(taken))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            length = int(name[-1])
            stack[-length:] = [tuple(stack[-length:])]
        elif name in ("APPEND", "APPENDS"):
            taken = since_mark() if name == "APPENDS" else [stack.pop()]
            _list(stack[-1]).extend(taken)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[int(argument)])
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            words = argument.split(" ") if name == "GLOBAL" else [stack.pop(), stack.pop()][::-1]
            stack.append(_known(" ".join(map(str, words))))
        elif name == "REDUCE":
            arguments = stack.pop()
            stack[-1] = _rebuild(stack[-1], arguments)
        elif name == "BUILD":
            state = stack.pop()
            _fill(stack[-1], state)
        elif name in ("POP", "POP_MARK"):
            _ = since_mark() if name == "POP_MARK" else stack.pop()
        elif name == "STOP":
            return stack.pop()
        else:
            raise _Refused(f"the opcode {name}")
    raise _Refused("more than it holds")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _Refused("items to be appended to what is no list")
    return value


def _known(name: str) -> _Name:
    if name not in KNOWN:
        raise _Refused(name.replace(" ", ".", 1))
    return _Name(name)


def _rebuild(called: Any, arguments: Any) -> Any:
    name = called.text if isinstance(called, _Name) and isinstance(arguments, tuple) else ""
    if name in RECONSTRUCT:
        return _Array()
    if name == DTYPE and isinstance(arguments[0], str):
        return _Type(arguments[0])
    if name == ENCODE and arguments[1:] == ("latin1",):
        return arguments[0].encode("latin-1")
    if name in FROM_BUFFER | SCALAR:
        array = _Array()
        if name in SCALAR:
            array.fill((), arguments[0], False, arguments[1])
        else:
            array.fill(arguments[2], arguments[1], arguments[3], arguments[0])
        return array
    raise _Refused("a call that rebuilds no array")


def _fill(target: Any, state: Any) -> None:
    if isinstance(target, _Array) and isinstance(state, tuple) and len(state) == 5:
        target.fill(*state[1:])
    elif isinstance(target, _Type) and isinstance(state, tuple) and len(state) >= 2 and isinstance(state[1], str):
        target.order = state[1]
    else:
        raise _Refused("a state that no array has")


def _plain(value: Any, left: list[int], depth: int = 3) -> Any:
    """Take the notes out; `left` bounds how many values come out, for a pickle can name one list many times."""
    left[0] -= 1
    if depth < 0 or left[0] < 0:
        raise _Refused("lists in lists without end")
    if isinstance(value, list | tuple):
        return [_plain(each, left, depth - 1) for each in value]
    if isinstance(value, _Array) and value.value is not None:
        return value.value
    if isinstance(value, int | float) or value is None:
        return value
    raise _Refused(f"a {type(value).__name__.strip('_').lower()} where an array belongs")
