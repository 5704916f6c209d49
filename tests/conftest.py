"""What every room's tests share: the command line as a user runs it, and a place for real files where there are any."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
Run = Callable[..., subprocess.CompletedProcess[str]]


def _environment(**more: str | None) -> dict[str, str]:
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


@pytest.fixture(scope="session")
def environment() -> Callable[..., dict[str, str]]:
    """Give the environment of a process that runs this checkout, one thread each, without colours."""
    return _environment


@pytest.fixture
def python(tmp_path: Path) -> Run:
    """Run Python on this checkout, as a process of its own in an empty folder: `python("driver.py", HOME="x")`."""

    def run(*arguments: object, timeout: float = 120, **variables: str | None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path,
            env=_environment(**variables),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def s4tok(python: Run) -> Run:
    """Run the command line as a user does: `s4tok("doctor", "--json", S4TOK_CACHE="c")`."""
    return partial(python, "-m", "s4tok_cli")


@pytest.fixture
def real_data() -> Path:
    """Give the folder of real dataset files beside the checkout; it is not part of the project."""
    folder = ROOT.parent / "shared" / "data" / "real"
    if not folder.is_dir():
        pytest.skip("no real dataset files beside the checkout")
    return folder


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., Path]:
    """Make a small CLIP in open_clip's own form, all weights drawn from one seed: `make_clip(tmp_path / "tiny")`."""

    def make(folder: Path, **preprocessing: Any) -> Path:
        open_clip = pytest.importorskip("open_clip")
        import torch
        from safetensors.torch import save_file

        model = {
            "embed_dim": 24,
            "vision_cfg": {"image_size": 48, "layers": 3, "width": 32, "head_width": 16, "patch_size": 16},
            "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
        }
        folder.mkdir()
        preprocessing = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3], **preprocessing}
        (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": preprocessing}))
        with torch.random.fork_rng():
            torch.manual_seed(5)
            save_file(open_clip.CLIP(**model).state_dict(), folder / "open_clip_model.safetensors")
        return folder

    return make
