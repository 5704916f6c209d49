"""Loops that Numba compiles; without it they run as they stand, with the same result and some hundred times slower.

Importing Numba takes a quarter of a second. Modules with such loops are therefore imported where they are used.
"""

import shutil
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from inspect import unwrap
from typing import Any, TypeVar

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """Compile a loop when it is first called; what was compiled is kept on the disk, where it can be written to."""
    if not is_compiling():
        return loop
    from numba import njit

    bare = unwrap(loop)  # the tests wrap a function to check shapes
    compile_: Any = njit(cache=True, nogil=True)
    try:
        made: Loop = compile_(bare)
    except RuntimeError:
        compile_ = njit(nogil=True)
        made = compile_(bare)
    return made


def is_compiling() -> bool:
    """Say whether loops are compiled."""
    return find_spec("numba") is not None


def is_worth_compiling(work: int, least: int) -> bool:
    """Say whether loops are compiled for so much work: for little only where Numba has been imported anyway."""
    return is_compiling() and (work >= least or "numba" in sys.modules)


@cache
def is_compiling_for_gpu() -> bool:
    """Say whether Triton makes kernels for a GPU, for which it needs a C compiler."""
    return find_spec("triton") is not None and any(shutil.which(name) for name in ("cc", "gcc", "clang"))
