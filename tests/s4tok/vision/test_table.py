from collections.abc import Callable
from pathlib import Path

import pytest

from s4tok.config import VisionConfig
from s4tok.errors import UsageError
from s4tok.vision.dinov2 import Dinov2
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.graph_masks import GraphMasks
from s4tok.vision.sam import Sam
from s4tok.vision.siglip import Siglip
from s4tok.vision.table import VISION_MODELS, find_kind, load_vision_model, require

pytest.importorskip("open_clip")


def test_a_model_has_one_name_however_it_is_spelled() -> None:
    for name, kind, called in (
        ("mini", FrozenClip, "mini"),
        ("ViT-B-16", FrozenClip, "ViT-B-16"),
        ("clip:ViT-B-16", FrozenClip, "ViT-B-16"),
        ("siglip-base", Siglip, "siglip-base"),
        ("ViT-B-16-SigLIP", Siglip, "siglip-base"),
        ("siglip:ViT-B-16-SigLIP", Siglip, "siglip-base"),
        ("ViT-B-32-SigLIP2-256", Siglip, "siglip:ViT-B-32-SigLIP2-256"),
        ("dinov2-small", Dinov2, "dinov2-small"),
        ("vit_small_patch14_dinov2", Dinov2, "dinov2-small"),
        ("dinov2:vit_small_patch14_reg4_dinov2", Dinov2, "dinov2:vit_small_patch14_reg4_dinov2"),
    ):
        assert find_kind(name) == (kind, called)
        assert find_kind(called) == (kind, called)


def test_a_folder_is_what_lies_in_it(
    make_clip: Callable[..., Path], make_siglip: Callable[..., Path], tmp_path: Path
) -> None:
    for make, kind in ((make_clip, FrozenClip), (make_siglip, Siglip)):
        folder = make(tmp_path / kind.__name__)
        for name in (str(folder), f"local-dir:{folder}"):
            model = load_vision_model(VisionConfig(name))
            assert (type(model), model.name) == (kind, kind.__name__)


def test_clip_is_loaded_with_the_kind_of_dense_features_that_is_asked_for() -> None:
    model = load_vision_model(VisionConfig("mini", dense="maskclip"))
    assert model.stamp["dense"] == "maskclip"


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        UsageError, match="no vision model is called 'dinov2-smal'; there are: mini, mini2, siglip-base"
    ) as found:
        load_vision_model(VisionConfig("dinov2-smal"))
    assert found.value.hint == "did you mean 'dinov2-small'?"
    with pytest.raises(UsageError, match="no vision model is called 'dinov2'; there are") as found:
        load_vision_model(VisionConfig("dinov2"))  # a family and no model of it


def test_a_model_that_lacks_what_is_needed_is_refused_before_its_weights_are_looked_for() -> None:
    with pytest.raises(UsageError, match="dinov2-small has no text encoder, which this needs") as found:
        load_vision_model(VisionConfig("dinov2-small"), "cpu", "dense", "text")
    assert "mini, mini2, siglip-base" in found.value.hint
    assert "dinov2" not in found.value.hint
    for name, kind in VISION_MODELS.items():
        if kind in (GraphMasks, Sam):
            require(kind, name, "masks")
            continue
        with pytest.raises(UsageError, match="has no masks of regions"):
            require(kind, name, "masks")
