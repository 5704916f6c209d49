from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from s4tok.errors import InputError, MissingError, UsageError
from s4tok.vision.dinov2 import Dinov2

timm = pytest.importorskip("timm")


@pytest.fixture(scope="module")
def tiny() -> Dinov2:
    return Dinov2.load("test_vit", "")  # timm's own, for tests: six layers of width 64


def test_features_are_those_of_timms_own_forward(tiny: Dinov2) -> None:
    images = torch.rand(2, 3, 224, 224)
    model: Any = tiny.model
    with torch.no_grad():
        prepared = (images - torch.tensor(tiny.mean).view(1, 3, 1, 1)) / torch.tensor(tiny.std).view(1, 3, 1, 1)
        whole, tokens = model(prepared), model.forward_features(prepared)
    torch.testing.assert_close(tiny.whole(images), functional.normalize(whole, dim=-1))
    expected = functional.normalize(tokens[1, 1 + 14 * 3 + 4], dim=0)  # row 3, column 4
    torch.testing.assert_close(tiny.dense(images)[1, 3, 4], expected)
    assert (tiny.width, tiny.dense(images).shape) == (64, (2, 14, 14, 64))


def test_weights_of_another_size_of_image_are_fitted_as_timm_fits_them(tmp_path: Path) -> None:
    torch.manual_seed(4)
    large = timm.create_model("test_vit", pretrained=False, num_classes=0, img_size=160)
    file = tmp_path / "model.safetensors"
    save_file(large.state_dict(), file)
    overlay = {"file": str(file), "num_classes": 0}
    expected = timm.create_model(
        "test_vit", pretrained=True, pretrained_cfg_overlay=overlay, num_classes=0, img_size=224
    )
    for given in (file, tmp_path):
        model: Any = Dinov2.load("test_vit", str(given)).model
        torch.testing.assert_close(model.pos_embed, expected.pos_embed)
        torch.testing.assert_close(model.state_dict(), expected.state_dict())


def test_it_has_no_text(tiny: Dinov2) -> None:
    assert tiny.can == {"dense", "whole"}
    with pytest.raises(UsageError, match="test_vit has no text encoder"):
        tiny.text(["a chair"])


def test_random_weights_follow_the_seed_and_nothing_can_train_them(tiny: Dinov2) -> None:
    state = torch.random.get_rng_state()
    assert Dinov2.load("test_vit", "").identity == tiny.identity
    assert Dinov2.load("test_vit", "", seed=1).sha256 != tiny.sha256
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not any(weight.requires_grad for weight in tiny.model.parameters())


def test_what_is_not_there_or_does_not_fit_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="timm knows no model 'vit_tiny_dinov2'"):
        Dinov2.load("vit_tiny_dinov2", "")
    with pytest.raises(InputError, match="has no weights"):
        Dinov2.load("test_vit", str(tmp_path))
    save_file({"odd": torch.zeros(1)}, tmp_path / "odd.safetensors")
    with pytest.raises(InputError, match="cannot be loaded as test_vit"):
        Dinov2.load("test_vit", str(tmp_path / "odd.safetensors"))
    monkeypatch.setattr("s4tok.vision.weights.reachable", lambda: False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        MissingError, match=r"the weights of dinov2-small \(lvd142m\) are not on this machine"
    ) as caught:
        Dinov2.load("dinov2-small")
    assert "hub_file('timm/vit_small_patch14_dinov2.lvd142m'" in caught.value.hint


@pytest.mark.slow
def test_the_published_size_has_16_by_16_patches() -> None:
    model = Dinov2.load("dinov2-small", "")
    assert (model.name, model.width, model.size) == ("dinov2-small", 384, 224)
    assert model.dense(torch.rand(1, 1, 224, 224)).shape == (1, 16, 16, 384)
