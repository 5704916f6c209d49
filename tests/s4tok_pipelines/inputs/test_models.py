from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from s4tok.config import SegmentConfig
from s4tok.errors import UsageError
from s4tok.models.checkpoint import Means, TrainedModel, save_trained
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_pipelines.inputs.models import ModelNames, load_calibrating, load_models
from tests.notes import Notes

CARD, ASKED = SegmentConfig(), SegmentConfig(calibrate="mean")


@pytest.fixture(scope="module")
def clip(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_clip(tmp_path_factory.mktemp("models") / "tiny"))


def checkpoint(folder: Path, clip: str, share: float, **more: Any) -> str:
    """Leave a checkpoint whose card wants labels calibrated by this share."""
    tokenizer = build_tokenizer(width=32, n_points=200, n_tokens=12, patch_size=8, adapter_widths=(8, 8, 8))
    frozen = FrozenClip.load(clip)
    card = {"clip": {"name": frozen.name, "weights": frozen.sha256}, "calibration": {"share": share}, **more}
    folder.mkdir(exist_ok=True)
    save_trained(folder, tokenizer, card, {"object": Means(0.1 * torch.randn(24), 0.1 * torch.randn(24))})
    return str(folder)


def calibrating(name: str, clip: str, config: SegmentConfig) -> TrainedModel | None:
    names = ModelNames(name, clip, "", vision_only=True, device="cpu")
    return load_calibrating(names, load_models(names), config)


def test_a_checkpoint_calibrates_the_2d_baseline_where_its_card_or_a_setting_says_so(
    clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_share, without = checkpoint(tmp_path / "a", clip, 0.5), checkpoint(tmp_path / "b", clip, 0.0)
    loaded = calibrating(with_share, clip, CARD)
    assert loaded is not None
    assert loaded.means
    assert calibrating(with_share, clip, SegmentConfig(calibrate="none")) is None
    assert calibrating(without, clip, CARD) is None
    assert calibrating(without, clip, SegmentConfig(calibration_share=0.5)) is not None
    assert calibrating(with_share, "ViT-S-32-alt", CARD) is None
    with pytest.raises(UsageError, match="was trained for the CLIP tiny"):
        calibrating(with_share, "ViT-S-32-alt", ASKED)
    monkeypatch.setattr("s4tok.models.checkpoint_files.SHIPPED_FOLDER", tmp_path / "none")
    assert calibrating("ball+rpn", clip, CARD) is None


def test_a_checkpoint_of_another_models_features_does_not_calibrate_clip(clip: str, tmp_path: Path) -> None:
    distilled = checkpoint(tmp_path, clip, 0.5, vision_model={"model": "siglip-base", "weights": "1"})
    assert calibrating(distilled, clip, CARD) is None
    with pytest.raises(UsageError, match="was distilled from siglip-base, and cannot calibrate tiny"):
        calibrating(distilled, clip, ASKED)


def test_a_checkpoint_that_labels_calibrates_itself(clip: str, tmp_path: Path) -> None:
    names = ModelNames(checkpoint(tmp_path, clip, 0.5), clip, device="cpu")
    models = load_models(names)
    assert models.checkpoint is not None
    assert load_calibrating(names, models, ASKED) is None


def test_what_is_not_named_suits_the_clouds_and_the_clip() -> None:
    models = load_models(ModelNames(device="cpu"))
    assert models.checkpoint is not None
    assert (models.texts.name, models.checkpoint.name, models.prompts.name) == ("mini2", "universal2+labels", "mini2")


def test_prompts_that_were_chosen_on_a_test_split_are_told(clip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, names = Notes(), ModelNames(clip=clip, prompts="mini", vision_only=True, device="cpu")
    load_models(names, notes)
    assert notes.said == []
    monkeypatch.setattr("s4tok_pipelines.inputs.models.TUNED", "mini")
    load_models(names, notes)
    assert notes.said == ["PointCLIP V2's prompts were chosen on the labels of a test split: this is not zero-shot."]
