import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch

from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.plain_clip import PlainClip, load_plain, tokenize
from s4tok.vision.weights import CARRIED

FOLDER = CARRIED["mini"]
TEXTS = ["a chair", "a depth map of a coffee table's leg, 3D", "", "Über  naïve &amp; café", "word " * 40]


@pytest.fixture(scope="module")
def theirs() -> Any:
    return open_clip.create_model(f"local-dir:{FOLDER}").eval().requires_grad_(False)


@pytest.fixture(scope="module")
def ours() -> PlainClip:
    model = load_plain(FOLDER)
    assert model is not None
    return model.eval().requires_grad_(False)


def test_texts_are_split_and_read_as_open_clip_does(theirs: Any, ours: PlainClip) -> None:
    tokens = tokenize(TEXTS, ours.context_length)
    assert torch.equal(tokens, open_clip.get_tokenizer(f"local-dir:{FOLDER}")(TEXTS))
    assert torch.equal(ours.encode_text(tokens), theirs.encode_text(tokens))


def test_pictures_and_tokens_of_points_are_read_as_open_clip_does(theirs: Any, ours: PlainClip) -> None:
    pictures = torch.rand(3, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    of_both = [visual._pool(visual.transformer(visual._embeds(pictures))) for visual in (ours.visual, theirs.visual)]
    for one, other in zip(*of_both, strict=True):
        assert torch.equal(one, other)
    tokens = torch.randn(2, 5, 192, generator=torch.Generator().manual_seed(1), requires_grad=True)
    is_token = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    found = [FrozenEncoder(visual)(tokens, is_token) for visual in (ours.visual, theirs.visual)]
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
    gradients = [torch.autograd.grad(each.whole.sum(), tokens)[0] for each in found]
    assert torch.equal(*gradients)


def test_activations_computed_again_give_the_same_gradients(ours: PlainClip) -> None:
    tokens = torch.randn(2, 5, 192, generator=torch.Generator().manual_seed(1), requires_grad=True)
    kept = torch.autograd.grad(FrozenEncoder(ours.visual)(tokens).whole.sum(), tokens)[0]
    again = torch.autograd.grad(FrozenEncoder(ours.visual, checkpointing=True)(tokens).whole.sum(), tokens)[0]
    ours.visual.transformer.grad_checkpointing = False
    assert torch.equal(kept, again)


@pytest.mark.parametrize("more", [{"vision_cfg": {"ls_init_value": 0.1}}, {"quick_gelu": True}])
def test_what_is_not_plain_is_left_to_open_clip(tmp_path: Path, more: dict[str, Any]) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(FOLDER, folder)
    config = json.loads((folder / "open_clip_config.json").read_text())
    for name, value in more.items():
        config["model_cfg"][name] = config["model_cfg"].get(name, {}) | value if isinstance(value, dict) else value
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    assert load_plain(folder) is None


def test_the_mini_clip_is_loaded_without_open_clip_and_torchvision() -> None:
    code = (
        "import sys; from s4tok.vision.frozen_clip import FrozenClip; FrozenClip.load('mini').text(['a chair']);"
        "print([name for name in ('open_clip', 'torchvision', 'timm') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_is_the_frozen_clips_model() -> None:
    assert isinstance(FrozenClip.load("mini").model, PlainClip)
