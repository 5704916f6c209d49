"""What a machine can do, tried in a process of its own, which may crash or hang."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Literal

from s4tok.dependencies import first_line

PATIENCE = 60  # seconds for a probe; a cold import from a network file system is slow


@dataclass(frozen=True)
class Probe:
    """One thing examined. A `problem` keeps a stage from running; a `note` is worth knowing."""

    name: str
    state: Literal["ok", "note", "problem"]
    found: str
    fix: str = ""


def offscreen(platform: str) -> Probe:
    """Render nothing through EGL or OSMesa in a process of its own, which may crash, and say who would render."""
    code = (
        f"import gc, os; os.environ['PYOPENGL_PLATFORM'] = {platform!r}; gc.disable()\n"
        "import numpy as np; np.infty = np.inf\n"
        "import pyrender; from OpenGL import GL\n"
        "renderer = pyrender.OffscreenRenderer(8, 8)\n"
        "renderer._platform.make_current()\n"
        "print(GL.glGetString(GL.GL_RENDERER).decode()); gc.freeze()"
    )
    failure, output = run_elsewhere(code)
    if failure is None:
        who = output.splitlines()[-1]
        slow = " (software, on the CPU)" if "llvmpipe" in who or "softpipe" in who else ""
        return Probe(platform, "ok", f"{who}{slow}")
    return Probe(
        platform,
        "problem",
        f"meshes cannot be rendered without a screen: {first_line(failure)} (needed for render-views of meshes)",
        "sudo apt-get install libegl1 libgl1; in a container also NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics",
    )


def run_elsewhere(code: str, *arguments: str) -> tuple[str | None, str]:
    """Run Python elsewhere and give what it died of, or None, and what it printed until then."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
        return f"no answer within {PATIENCE} seconds", said.decode() if isinstance(said, bytes) else said
    if done.returncode == 0:
        return None, done.stdout
    if done.returncode < 0:
        return f"the process died of signal {-done.returncode}", done.stdout
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    return (lines[-1] if lines else f"exit code {done.returncode}"), done.stdout
