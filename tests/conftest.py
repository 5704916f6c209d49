"""What every room's tests share: the command line as a user runs it, and a place for real files where there are any."""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import running
from tests.running import ROOT, Run

if TYPE_CHECKING:
    from s4tok.models.checkpoint import TrainedModel
    from s4tok.vision.frozen_clip import FrozenClip


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a GPU where there is none."""
    if item.get_closest_marker("gpu") is not None:
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device is visible to PyTorch")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """Give each device that tensors can live on."""
    return str(request.param)


@pytest.fixture
def python(tmp_path: Path) -> Run:
    """Run Python on this checkout, as a process of its own in an empty folder: `python("driver.py", HOME="x")`."""
    return partial(running.in_a_process, tmp_path)


@pytest.fixture
def s4tok(tmp_path: Path) -> Run:
    """Run the command line in this process and in an empty folder: `s4tok("doctor", "--json", S4TOK_CACHE="c")`.

    Signals, start-up and what comes of a process that dies need `python("-m", "s4tok_cli", ...)`.
    """
    return partial(running.in_this_process, tmp_path)


@pytest.fixture
def real_data() -> Path:
    """Give the folder of real dataset files beside the checkout; it is not part of the project."""
    folder = ROOT.parent / "shared" / "data" / "real"
    if not folder.is_dir():
        pytest.skip("no real dataset files beside the checkout")
    return folder


@pytest.fixture(scope="session")
def furniture() -> Path:
    """Give the folder of the real furniture libraries, installed or fetched; they are not part of the project."""
    places = [Path(os.environ.get("S4TOK_DATA", ROOT / "data")) / "sh3d", Path("/usr/share/sweethome3d/furniture")]
    found = next((place for place in places if (place / "Scopia.sh3f").is_file()), None)
    if found is None:
        pytest.skip("no furniture libraries: `s4tok data fetch sh3d`, or install sweethome3d-furniture")
    return found


@pytest.fixture(scope="session")
def mini_clip() -> "FrozenClip":
    """Load the CLIP that s4tok carries, once: it is frozen."""
    from s4tok.vision.frozen_clip import FrozenClip

    return FrozenClip.load("mini")


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


@pytest.fixture(scope="session")
def make_siglip() -> Callable[..., Path]:
    """Make a small SigLIP in open_clip's own form, all weights drawn from one seed."""

    def make(folder: Path) -> Path:
        open_clip = pytest.importorskip("open_clip")
        import torch
        from safetensors.torch import save_file

        model = {
            "embed_dim": 64,
            "init_logit_bias": -10,
            "custom_text": True,
            "vision_cfg": {"image_size": 160, "timm_model_name": "test_vit", "timm_pool": "map", "timm_proj": "none"},
            "text_cfg": {
                "context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2,
                "no_causal_mask": True, "proj_bias": True, "pool_type": "last",
            },
        }  # fmt: skip
        folder.mkdir()
        preprocessing = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
        (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": preprocessing}))
        with torch.random.fork_rng():
            torch.manual_seed(6)
            made = open_clip.CustomTextCLIP(**{key: each for key, each in model.items() if key != "custom_text"})
            save_file(made.state_dict(), folder / "open_clip_model.safetensors")
        return folder

    return make


@pytest.fixture(scope="session")
def checkpoint(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> "TrainedModel":
    """Make a checkpoint called X of 1,024 points and 32 tokens, whose card says nothing of superpoints or windows."""
    import torch

    from s4tok.models.checkpoint import load_trained, save_trained
    from s4tok.tokenizers import build_tokenizer
    from s4tok.vision.frozen_clip import FrozenClip

    home = tmp_path_factory.mktemp("home")
    clip = FrozenClip.load(str(make_clip(home / "tiny")))
    torch.manual_seed(0)
    tokenizer = build_tokenizer(width=32, n_points=1024, n_tokens=32, patch_size=4, adapter_widths=(4, 8, 8))
    save_trained(home, tokenizer, {"clip": {"name": clip.name, "weights": clip.sha256}})
    return load_trained(home, clip)._replace(name="X")
