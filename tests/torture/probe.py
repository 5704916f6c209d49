"""Read a cache in a process of its own, where a crash of HDF5, a hang or a flood of memory can be watched."""

import resource
import signal
from pathlib import Path

from s4tok_cache import CacheError, CacheReader, examine
from tests.torture.toys import STAMP, TOY, exit_code, in_child, is_right

HARMLESS, DETECTED, SILENT = 10, 11, 12
SECONDS = 10
MEMORY = 2 << 30  # bytes, beyond what the tests have mapped already

OUTCOMES = {
    HARMLESS: "harmless",
    DETECTED: "detected",
    SILENT: "SILENT",
    1: "UNCLEAR ERROR",
    -signal.SIGALRM: "HANG",
}


def probe(root: Path, keys: set[str]) -> str:
    """Say what became of a cache that held these keys; small letters are good news, capitals bad."""
    code = exit_code(in_child(lambda: _read_all(root, keys)))
    return OUTCOMES.get(code, f"CRASH {code}")


def _read_all(root: Path, keys: set[str]) -> int:
    signal.alarm(SECONDS)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    outcome = HARMLESS
    try:
        reader = CacheReader(root, TOY, STAMP)
        if examine(root / STAMP.folder).missing:
            outcome = DETECTED
    except CacheError:
        return DETECTED
    if set(reader.keys()) != keys:
        outcome = DETECTED
    for key in reader:
        try:
            if not is_right(reader.read(key)):
                return SILENT
        except CacheError:
            outcome = DETECTED
    return outcome
