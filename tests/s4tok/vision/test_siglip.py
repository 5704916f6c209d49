from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from s4tok.errors import MissingError, UsageError
from s4tok.vision.siglip import Siglip

open_clip = pytest.importorskip("open_clip")


@pytest.fixture(scope="module")
def folder(make_siglip: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_siglip(tmp_path_factory.mktemp("models") / "tiny-siglip")


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Siglip:
    return Siglip.load(str(folder))


def test_images_and_texts_have_the_features_of_open_clips_own_forward(tiny: Siglip, folder: Path) -> None:
    images, prompts = torch.rand(2, 3, 160, 160), ["a leg of a chair", "a wing"]
    model: Any = tiny.model
    with torch.no_grad():
        whole = model.encode_image((images - 0.5) / 0.5, normalize=True)
        text = model.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(prompts), normalize=True)
    torch.testing.assert_close(tiny.whole(images), whole)
    torch.testing.assert_close(tiny.text(prompts), text)
    assert (tiny.width, tiny.dense(images).shape) == (64, (2, 10, 10, 64))


def test_a_patch_has_the_feature_of_an_image_that_is_that_patch_alone(tiny: Siglip) -> None:
    images = torch.rand(2, 3, 160, 160)
    trunk: Any = tiny.model.visual.trunk  # type: ignore[union-attr]
    with torch.no_grad():
        tokens = trunk.forward_features((images - 0.5) / 0.5)[:, 1:]
        alone = trunk.forward_head(tokens[1, 34][None, None])[0]  # row 3, column 4
    torch.testing.assert_close(tiny.dense(images)[1, 3, 4], functional.normalize(alone, dim=0))


def test_its_identity_names_it_and_its_weights(tiny: Siglip) -> None:
    identity = tiny.identity
    assert (identity["model"], identity["weights"], identity["size"]) == ("tiny-siglip", tiny.sha256, 160)
    assert tiny.stamp == identity


def test_a_clip_is_no_siglip(make_clip: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no SigLIP"):
        Siglip.load(str(make_clip(tmp_path / "clip")))


def test_weights_without_their_tokenizer_say_how_to_have_it(tiny: Siglip, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(name: str) -> None:
        raise OSError("no hub")

    monkeypatch.setattr("s4tok.vision.open_clip_network._tokenizer", unreachable)
    with pytest.raises(MissingError, match="tokenizer of tiny-siglip cannot be loaded: no hub") as caught:
        tiny.text(["a chair"])
    assert "pip install transformers" in caught.value.hint


@pytest.mark.slow
def test_the_published_size_with_random_weights_has_texts_without_a_hub() -> None:
    model = Siglip.load("siglip-base", "")
    texts = model.text(["a chair", "a table"])
    assert texts.shape == (2, model.width) == (2, 768)
    assert float((texts[0] - texts[1]).norm()) > 0.01
    assert (model.name, model.size) == ("siglip-base", 224)
