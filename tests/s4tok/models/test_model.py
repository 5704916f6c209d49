from typing import Any

import open_clip
import pytest
import torch

import s4tok
from s4tok.config import TokenizerConfig, VisionConfig
from s4tok.models.model import Model
from s4tok.tokenizers import Tokenizer
from s4tok.vision.frozen_clip import FrozenClip

TINY = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 48, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 100, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Let every CLIP that is loaded be a tiny one, and remember what was asked for."""
    calls: list[tuple[str, str, str]] = []

    def load(name: str, pretrained: str = "", device: str = "cpu", **more: Any) -> FrozenClip:
        calls.append((name, pretrained, device))
        torch.manual_seed(0)
        model = open_clip.CLIP(**TINY)
        return FrozenClip(model, name, "", 32, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2), "bicubic", name)

    monkeypatch.setattr(FrozenClip, "load", load)
    return calls


def cloud() -> tuple[torch.Tensor, torch.Tensor]:
    points = torch.rand(2, 300, 3, generator=torch.Generator().manual_seed(0))
    return points, (points * 2).long() @ torch.tensor([1, 2, 4])


def test_a_model_of_rooms_has_the_weights_of_that_of_objects(asked: list[tuple[str, str, str]]) -> None:
    model = s4tok.build_model("ViT-B-32", "openai", n_tokens=20, patch_size=8, by_scene=True).eval()
    rooms = model.of_scene("room")
    assert [id(each) for each in rooms.parameters()] == [id(each) for each in model.parameters()]
    assert not rooms.training
    given = cloud()
    assert torch.equal(rooms(*given).tokens, model(*given).tokens)  # nothing is learned yet
    assert model.tokenizer.adapter.rooms is not None
    torch.nn.init.normal_(model.tokenizer.adapter.rooms[2].get_parameter("shift"))
    assert (rooms(*given).tokens - model(*given).tokens).abs().max() > 0.01
    assert model.tokenizer.scene == "object"


def test_a_model_takes_its_width_from_clip_and_speaks_in_clips_space(asked: list[tuple[str, str, str]]) -> None:
    model: Model = s4tok.build_model("ViT-B-32", "openai", n_tokens=20, patch_size=8).eval()
    assert asked == [("ViT-B-32", "openai", "cpu")]
    points, superpoints = cloud()
    found = model(points, superpoints)
    assert found.whole.shape == (2, 24)
    assert found.tokens.shape == (2, 20, 24)
    of_points = model.of_points(found, points, superpoints)
    assert of_points.shape == (2, 300, 24)
    dense, labels = points.repeat(1, 2, 1), superpoints.repeat(1, 2)
    torch.testing.assert_close(model.of_points(found, dense, labels), of_points.repeat(1, 2, 1))


def test_only_the_tokenizer_of_a_model_is_trained(asked: list[tuple[str, str, str]]) -> None:
    model = s4tok.build_model(n_tokens=20, patch_size=8)
    assert asked == [(VisionConfig.model, "", "cpu")]
    trained = {name.split(".")[0] for name, weight in model.named_parameters() if weight.requires_grad}
    assert trained == {"tokenizer"}
    model(*cloud()).whole.square().sum().backward()
    gradient = model.tokenizer.adapter.point.weight.grad
    assert gradient is not None
    assert gradient.abs().max() > 0


def test_a_tokenizer_stands_alone_with_the_papers_numbers() -> None:
    tokenizer: Tokenizer = s4tok.build_tokenizer("s4token")
    assert tokenizer.config == TokenizerConfig()
    tokens = tokenizer(*cloud()).tokens
    assert tokens.shape == (2, 128, 768)
