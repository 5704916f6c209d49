"""Read files in a process of bounded time and memory, one after the other, and say what came of each.

As a script it is that process: paths on stdin, an answer a line on stdout. Its parent starts another when it dies.
"""

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.running import environment

SECONDS = 1  # of the processor, for one file
WALL = 120  # seconds in which a process that waits for ever is ended; other work on the machine may slow it down
MEMORY = 2 << 30  # bytes, beyond what is mapped before the first file


class Outcome(NamedTuple):
    """What came of a file."""

    kind: str  # "read" or "refused", else what must not be
    said: str = ""
    points: int = 0
    faces: int = 0


def read_all(paths: Iterable[Path]) -> Iterator[Outcome]:
    """Read files in turn."""
    process = None
    for path in paths:
        if process is None:
            process = _start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(str(path)) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if answer:
            yield Outcome(*json.loads(answer))
            continue
        code, process = process.wait(), None
        yield Outcome({-signal.SIGPROF: "hangs", -signal.SIGALRM: "waits for ever"}.get(code, f"dies of {code}"))
    if process is not None:
        process.communicate()


def _start() -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.fuzz.reading"]
    return subprocess.Popen(command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _read(path: Path) -> Outcome:
    from s4tok.datasets.open import open_dataset
    from s4tok.errors import S4TokError

    try:
        clouds = open_dataset(path)
        (key,) = clouds.keys
        cloud, mesh, present = clouds[key], clouds.mesh(key), clouds.present(key)
    except S4TokError as error:
        is_sentence = "\n" not in str(error) and str(error).endswith(".")
        return Outcome("refused" if is_sentence else "no sentence", str(error))
    except MemoryError:
        return Outcome("takes too much memory")
    except Exception as error:
        return Outcome("foreign exception", f"{type(error).__name__}: {error}")
    if mesh is not None:
        return Outcome("read", "", 0, len(mesh.faces))
    return Outcome("read", "", len(cloud) if present is None else len(present))


def _serve() -> None:
    import h5py  # noqa: F401 - what is loaded before the first file counts for none
    import trimesh  # noqa: F401 - as above

    import s4tok.datasets.own_files  # noqa: F401 - as above

    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # by default both end the process, whatever it computes
        signal.setitimer(signal.ITIMER_REAL, WALL)
        print(json.dumps(_read(Path(json.loads(line)))), flush=True)


if __name__ == "__main__":
    _serve()
