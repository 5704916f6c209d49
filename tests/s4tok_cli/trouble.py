"""A command that runs into the trouble it is told to; as a script, `s4tok` with this command added."""

import errno
import sysconfig
import time
from pathlib import Path

from s4tok.errors import InputError, MissingError, UsageError
from s4tok_cli import app as cli
from s4tok_cli import console
from s4tok_pipelines.report import Failure, Outcome

TROUBLES = {
    "usage": UsageError("no teacher is called 'x'.", "did you mean 'y'?"),
    "input": InputError("scan.ply: a cloud needs at least 2 points, and this one has 1."),
    "file": FileNotFoundError(errno.ENOENT, "No such file or directory", "data/[red]"),
    "missing": MissingError("no CLIP weights.", "fetch them on a login node."),
    "full": OSError(errno.ENOSPC, "No space left on device", "cache/seg.h5"),
    "io": OSError(errno.EIO, "Input/output error", "cache/seg.h5"),
    "full while writing": OSError(errno.ENOSPC, "No space left on device"),
    "defect": ZeroDivisionError("nobody foresaw this"),
    "nameless file": FileNotFoundError("an entry that the hub's cache lacks"),
    "file of a package": FileNotFoundError(errno.ENOENT, "No such file", f"{sysconfig.get_path('purelib')}/x.json"),
    "connection": ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
}


def trouble(kind: str, seconds: float = 0) -> None:
    """Raise an error, wait for a signal, fail some entries or print without end."""
    if kind in TROUBLES:
        raise TROUBLES[kind]
    if kind == "sleep":
        try:
            print("ready", flush=True)
            time.sleep(seconds)
        finally:
            print("wound down", flush=True)
    if kind == "failures":
        failures = [Failure("a", "it is [bold]empty")]
        console.finish_stage("clouds cut", Outcome(Path("out"), 2, 1, failures, figures={"points": 7.0}))
    if kind == "flood":
        for line in range(100_000):
            console.result(str(line))


if __name__ == "__main__":
    cli._add(trouble, "Tests")
    cli.main()
