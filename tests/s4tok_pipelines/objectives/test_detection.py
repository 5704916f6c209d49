import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from s4tok.backbones.scene_tokens import Scenes
from s4tok.config import (
    BackboneConfig,
    DetectionPreset,
    FinetuneRecipe,
    PretrainPreset,
    RunConfig,
    SuperpointConfig,
    TokenizerConfig,
    detection_recipe,
)
from s4tok.errors import UsageError
from s4tok.models.checkpoint import save_trained
from s4tok.models.detector import Detector, PlainSceneEncoder
from s4tok.models.detector_files import save_detector
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.point_encoder_files import save_point_encoder
from s4tok.tokenizers import PointFeatures, build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_pipelines.objectives.detection import encoder_for
from s4tok_pipelines.stages.by_name import detect_by_name
from s4tok_pipelines.stages.finetune import finetune
from tests.s4tok_pipelines.stages.test_detect import Blocks, small


class Renamed(Blocks):
    """The same rooms, whose boxes have other names, and one more."""

    box_classes = ("short", "tall", "wide")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Give the folder of a plain transformer as the SAM-guided system trains it: its tokens are regions."""
    torch.manual_seed(0)
    tokenizer = TokenizerConfig("region", n_tokens=9, patch_size=4, adapter_widths=(4, 8, 8))
    (tmp_path / "plain").mkdir()
    save_point_encoder(tmp_path / "plain", PointEncoder(tokenizer, BackboneConfig(16, 1, 2)), {})
    return tmp_path / "plain"


@pytest.fixture
def tuned(make_clip: Callable[..., Path], tmp_path: Path) -> tuple[Path, str]:
    """Give the folder of a tokenizer for a frozen CLIP, and that CLIP's."""
    clip = str(make_clip(tmp_path / "tiny"))
    frozen = FrozenClip.load(clip)
    torch.manual_seed(0)
    tokenizer = build_tokenizer(width=32, n_points=60, n_tokens=12, patch_size=4, adapter_widths=(4, 8, 8))
    (tmp_path / "tokenizer").mkdir()
    save_trained(tmp_path / "tokenizer", tokenizer, {"clip": {"name": frozen.name, "weights": frozen.sha256}})
    return tmp_path / "tokenizer", clip


def begun(recipe: FinetuneRecipe, checkpoint: Path | str, **more: Any) -> FinetuneRecipe:
    return replace(recipe, checkpoint=str(checkpoint), **more)


def test_a_plain_transformer_reads_farthest_points_with_the_weights_it_was_trained_with(
    plain: Path, tmp_path: Path
) -> None:
    recipe = begun(small(epochs=1, held_out=0.0), plain)
    found = encoder_for(recipe, "cpu")
    weights = load_file(plain / "model.safetensors")
    for name, each in found.encoder.state_dict().items():
        torch.testing.assert_close(each, weights[name])
    out = finetune(Blocks(), tmp_path / "cache", recipe, out=tmp_path / "run").out
    card = json.loads((out / "ckpt" / "last" / "config.json").read_text())
    tokenizer, detector = card["detector"]["tokenizer"], card["detector"]["config"]
    assert (tokenizer["tokenizer"], tokenizer["n_tokens"], tokenizer["patch_size"]) == ("knn", 24, 8)
    assert detector["encoder"] == "plain"
    assert card["begun_with"]["name"] == str(plain)
    assert detect_by_name(Blocks("val", (2,)), tmp_path / "cache", str(out)).facts()["clouds"] == 1


@pytest.mark.parametrize(("boxes", "stage"), [("toy", "sam-stage2-toy"), ("scannet", "sam-stage2")])
def test_a_new_plain_transformer_has_the_size_of_the_one_that_is_pre_trained(
    boxes: DetectionPreset, stage: PretrainPreset, tmp_path: Path
) -> None:
    trained = RunConfig.of(stage)
    save_point_encoder(tmp_path, PointEncoder(trained.tokenizer, trained.backbone), {})
    recipe = detection_recipe(boxes)
    recipe = replace(recipe, detector=replace(recipe.detector, encoder="plain"))
    new, old = (encoder_for(each, "cpu").encoder for each in (recipe, begun(recipe, tmp_path)))
    assert isinstance(new, PlainSceneEncoder)
    assert {name: each.shape for name, each in new.state_dict().items()} == {
        name: each.shape for name, each in old.state_dict().items()
    }


@pytest.mark.slow
def test_a_frozen_clip_reads_superpoints_which_are_cut_where_that_is_asked_for(
    tuned: tuple[Path, str], tmp_path: Path
) -> None:
    folder, clip = tuned
    recipe = begun(small(epochs=1, held_out=0.0), folder, clip=clip)
    recipe = replace(recipe, training=replace(recipe.training, train="tokenizer,head"))
    run = finetune(Blocks(), tmp_path / "cache", recipe, out=tmp_path / "run", auto=True).out
    card = json.loads((run / "ckpt" / "last" / "config.json").read_text())
    assert (card["detector"]["config"]["encoder"], card["detector"]["tokenizer"]["n_tokens"]) == ("clip", 24)
    assert card["superpoints"]["room"]["neighbors"] == SuperpointConfig.of("room").neighbors
    assert not any("encoder.visual" in name for name in load_file(run / "ckpt" / "last" / "training.safetensors"))
    found = detect_by_name(Blocks("val", (2,)), tmp_path / "cache", str(run), clip=clip, auto=True)
    assert found.about["superpoints"] is not None


@pytest.mark.parametrize("kind", ["plain", "clip", "3detr-m"])
def test_each_encoder_can_be_new(kind: Any, tuned: tuple[Path, str], tmp_path: Path) -> None:
    recipe = small(epochs=1, held_out=0.0)
    recipe = replace(recipe, detector=replace(recipe.detector, encoder=kind), clip=tuned[1])
    out = finetune(Blocks(), tmp_path / "cache", recipe, out=tmp_path / "run", auto=True).out
    card = json.loads((out / "ckpt" / "last" / "config.json").read_text())
    assert card["detector"]["config"]["encoder"] == kind


def test_a_detectors_encoder_can_be_begun_with_for_other_classes(tmp_path: Path) -> None:
    first = finetune(Blocks(), tmp_path / "cache", small(epochs=1, held_out=0.0), out=tmp_path / "first").out
    other = Renamed("other")
    recipe = small(epochs=1, held_out=0.0)
    recipe = replace(recipe, detector=replace(recipe.detector, encoder_layers=3, queries=7), checkpoint=str(first))
    out = finetune(other, tmp_path / "cache", recipe, out=tmp_path / "second").out
    card = json.loads((out / "ckpt" / "last" / "config.json").read_text())
    detector = card["detector"]
    assert (detector["config"]["encoder_layers"], detector["config"]["queries"]) == (1, 7)
    assert detector["classes"] == ["short", "tall", "wide"]


def test_points_and_tokens_can_be_asked_for_and_labels_can_be_few(tmp_path: Path) -> None:
    recipe = replace(small(epochs=1, held_out=0.0, shots=2), n_points=99, n_tokens=11)
    out = finetune(Blocks(), tmp_path / "cache", recipe, out=tmp_path / "run").out
    card = json.loads((out / "ckpt" / "last" / "config.json").read_text())
    config = card["detector"]["config"]
    assert (config["n_points"], config["n_tokens"], card["dataset"]["clouds"]) == (99, 11, 2)


@pytest.mark.parametrize("kind", ["3detr", "plain"])
def test_the_tokens_asked_for_are_those_of_a_detectors_encoder_that_is_begun_with(kind: Any, tmp_path: Path) -> None:
    new = encoder_for(replace(small(), detector=replace(small().detector, encoder=kind)), "cpu").encoder
    first = Detector(new, replace(small().detector, encoder=kind, n_tokens=12), ("short",))
    (tmp_path / "first").mkdir()
    save_detector(tmp_path / "first", first, {})
    scenes = Scenes(
        torch.rand(1, 60, 3), torch.ones(1, 60, dtype=torch.bool), torch.zeros(1, 60, dtype=torch.int64),
        torch.zeros(1, dtype=torch.int64),
    )  # fmt: skip
    for wanted in (11, 30):
        found = encoder_for(begun(small(), tmp_path / "first", n_tokens=wanted), "cpu").encoder(scenes)
        assert int(found.is_token.sum()) == wanted


def test_what_no_encoder_reads_is_refused(plain: Path, tmp_path: Path) -> None:
    for recipe in (small(), begun(small(), plain)):
        with pytest.raises(UsageError, match="--group-as is for tokenizers in front of a CLIP"):
            finetune(Blocks(), tmp_path / "cache", replace(recipe, group_as="ball"), out=tmp_path / "run")
    with pytest.raises(UsageError, match="--transformer is for labels of points") as error:
        finetune(Blocks(), tmp_path / "cache", replace(small(), transformer="plain"), out=tmp_path / "run")
    assert error.value.hint == "--scene-encoder plain."


def test_a_checkpoint_that_reads_more_than_coordinates_is_refused(tmp_path: Path) -> None:
    tokenizer = TokenizerConfig("s4token+context", n_tokens=9, patch_size=4, adapter_widths=(4, 8, 8))
    (tmp_path / "plain").mkdir()
    save_point_encoder(tmp_path / "plain", PointEncoder(tokenizer, BackboneConfig(16, 1, 2)), {})
    with pytest.raises(UsageError, match="reads more of points than where they are"):
        encoder_for(begun(small(), tmp_path / "plain"), "cpu")
    (tmp_path / "colours").mkdir()
    reader = PointEncoder(
        replace(tokenizer, tokenizer="knn"), BackboneConfig(16, 1, 2), PointFeatures(("rgb",), (0.5,) * 3, (0.5,) * 3)
    )
    save_point_encoder(tmp_path / "colours", reader, {})
    with pytest.raises(UsageError, match="reads rgb, and boxes are found by coordinates alone"):
        encoder_for(begun(small(), tmp_path / "colours"), "cpu")
