"""How tests run s4tok: the command line in this process, and Python in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).parents[1]


class Ran(subprocess.CompletedProcess[str]):
    """What a run printed and its exit code."""

    @property
    def json(self) -> Any:
        """Read the one object that `--json` prints."""
        return json.loads(self.stdout)


Run = Callable[..., Ran]


def environment(**more: str | None) -> dict[str, str]:
    """Give the environment of a run of this checkout: one thread, no colours, no option or job of the tests' own."""
    roots = [str(ROOT), str(ROOT / "pipelines"), str(ROOT / "cache")]
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("S4TOK_", "SLURM_"))}
    settings = {
        **mine,
        "PYTHONPATH": os.pathsep.join([*roots, mine.get("PYTHONPATH", "")]).strip(os.pathsep),
        "OMP_NUM_THREADS": "1",
        "NO_COLOR": "1",
        **more,
    }
    return {name: value for name, value in settings.items() if value is not None}


def in_a_process(folder: Path, *arguments: object, timeout: float = 300, **variables: str | None) -> Ran:
    """Run Python in a process of its own; what it has started ends with it when it takes longer than `timeout`."""
    command = [sys.executable, *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=folder, env=environment(**variables), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return Ran(command, process.returncode, out, err)


def in_this_process(folder: Path, *arguments: object, **variables: str | None) -> Ran:
    """Run `s4tok` in this process, and leave settings, environment, folder and output as they were.

    A defect is raised, as it is in `s4tok_cli.app.run`. What worker processes print is not in the result.
    """
    from s4tok_cli import console
    from s4tok_cli.app import run

    command, out, err = [*map(str, arguments)], StringIO(), StringIO()
    with (
        patch.dict(os.environ, environment(**variables), clear=True),
        patch.multiple(console.Settings, json=False, level=0, debug=False),
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        console._stderr.cache_clear()  # it has looked whether colours are wanted
        try:
            code = run(command)
        finally:
            console._stderr.cache_clear()
    return Ran(command, code, out.getvalue(), err.getvalue())
