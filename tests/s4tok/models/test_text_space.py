from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from s4tok.config import VisionConfig
from s4tok.errors import UsageError
from s4tok.models.checkpoint import TrainedModel, load_trained, save_trained
from s4tok.models.text_space import text_model
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.siglip import Siglip

pytest.importorskip("open_clip")


@pytest.fixture(scope="module")
def distilled(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., TrainedModel]:
    home = tmp_path_factory.mktemp("checkpoints")
    clip = FrozenClip.load(str(make_clip(home / "tiny")))
    tokenizer = build_tokenizer("knn", width=32, adapter_widths=(4, 8, 8))

    def make(**card: Any) -> TrainedModel:
        save_trained(home, tokenizer, {"clip": {"name": clip.name, "weights": clip.sha256}, **card})
        return load_trained(home, clip)

    return make


def test_a_checkpoint_of_its_clip_is_asked_in_its_clips_texts(distilled: Callable[..., TrainedModel]) -> None:
    old = distilled()
    assert text_model(old) is old.model.clip
    new = distilled(vision_model={"model": "tiny", "weights": old.model.clip.sha256})
    assert text_model(new) is new.model.clip


def test_a_checkpoint_of_siglip_is_asked_in_siglips_texts(
    distilled: Callable[..., TrainedModel], make_siglip: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = make_siglip(tmp_path / "small-siglip")
    weights = Siglip.load(str(folder)).sha256
    checkpoint = distilled(vision_model={"model": "small-siglip", "weights": weights})
    found = text_model(checkpoint, VisionConfig(str(folder)))
    assert (type(found), found.identity["weights"]) == (Siglip, weights)
    other = distilled(vision_model={"model": "small-siglip", "weights": "0" * 64})
    with pytest.raises(UsageError, match=r"was distilled from small-siglip \(weights 000000000000\), and this is") as e:
        text_model(other, VisionConfig(str(folder)))
    assert "--text-model" in e.value.hint


def test_a_checkpoint_of_a_model_without_texts_says_so_in_one_sentence(distilled: Callable[..., TrainedModel]) -> None:
    checkpoint = distilled(vision_model={"model": "dinov2-small", "weights": "1"})
    with pytest.raises(UsageError, match="was distilled from dinov2-small, which has no text encoder") as found:
        text_model(checkpoint)
    assert "siglip-base" in found.value.hint
