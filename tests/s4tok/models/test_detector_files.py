import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from s4tok.backbones.pointnet import PointNetEncoder
from s4tok.backbones.scene_tokens import Scenes
from s4tok.backbones.set_abstraction import SetAbstractionEncoder
from s4tok.config import BackboneConfig, DetectConfig, DetectorConfig, TokenizerConfig
from s4tok.errors import InputError, UsageError
from s4tok.heads.group_free import GroupFreeHead
from s4tok.models.checkpoint import TrainedModel, load_trained, own_encoder
from s4tok.models.detector import ClipSceneEncoder, Detector, PlainSceneEncoder, SceneEncoder, surest
from s4tok.models.detector_files import load_detector, save_detector
from s4tok.models.model import Model
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.point_encoder_files import load_encoder

SMALL = DetectorConfig(
    n_tokens=12, radius=0.5, neighbors=8, adapter_widths=(4, 8, 16), encoder_layers=1, encoder_hidden=8, heads=2,
    width=16, decoder_layers=2, decoder_hidden=8, queries=6, angles=12,
)  # fmt: skip
CLASSES = ("bed", "chair")


def scenes() -> Scenes:
    points = 2 * torch.rand(2, 60, 3, generator=torch.Generator().manual_seed(0))
    superpoints = (points[..., 0] > 1).long()
    return Scenes(points, torch.ones(2, 60, dtype=torch.bool), superpoints, torch.arange(2))


def made(kind: str, checkpoint: TrainedModel) -> Detector:
    torch.manual_seed(1)
    encoder: SceneEncoder
    if kind in ("3detr", "3detr-m"):
        encoder = SetAbstractionEncoder(replace(SMALL, encoder=kind))  # type: ignore[arg-type]
    elif kind == "groupfree":
        encoder = PointNetEncoder(replace(SMALL, encoder="pointnet++"))
    elif kind == "plain":
        tokenizer = TokenizerConfig("knn", n_tokens=12, patch_size=8, adapter_widths=(4, 8, 8))
        encoder = PlainSceneEncoder(PointEncoder(tokenizer, BackboneConfig(16, 1, 2)))
    else:
        model = checkpoint.model
        assert model.clip is not None
        own = own_encoder(model.clip) if kind == "own" else None
        to_targets = torch.nn.Linear(24, 24, bias=False) if kind == "with a layer to targets" else None
        encoder = ClipSceneEncoder(Model(model.tokenizer, model.clip, model.attend, to_targets, own))
    if kind == "groupfree":
        detector = Detector(encoder, replace(SMALL, encoder="pointnet++", decoder="groupfree"), CLASSES)
        assert isinstance(detector.head, GroupFreeHead)
        detector.head.typical.uniform_(0.5, 2.0)
        return detector.eval()
    is_clip = isinstance(encoder, ClipSceneEncoder)
    assert not isinstance(encoder, ClipSceneEncoder) or encoder.tokenizer.scene == "room"
    return Detector(encoder, replace(SMALL, encoder="clip" if is_clip else kind), CLASSES).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["3detr", "3detr-m", "plain", "clip", "with a layer to targets", "own", "groupfree"])
def test_a_detector_comes_back_from_its_folder_and_finds_the_same(
    kind: str, checkpoint: TrainedModel, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    detector, clip = made(kind, checkpoint), checkpoint.model.clip
    assert clip is not None
    save_detector(tmp_path, detector, {"clip": {"name": clip.name, "weights": clip.sha256}, "superpoints": {}})
    loaded = load_detector(tmp_path, clip=str(make_clip(tmp_path / "tiny")))
    assert loaded.detector.classes == CLASSES
    with torch.no_grad():
        before, after = detector(scenes()), loaded.detector(scenes())
    torch.testing.assert_close(before.boxes(), after.boxes())
    torch.testing.assert_close(before.logits, after.logits)
    assert not any(weight.requires_grad for weight in loaded.detector.parameters())
    assert len(loaded.sha256) == 64
    names = load_file(tmp_path / "model.safetensors")
    assert any("encoder.visual" in name for name in names) == (kind == "own")


def test_a_detector_is_no_checkpoint_of_another_kind_and_says_so(checkpoint: TrainedModel, tmp_path: Path) -> None:
    save_detector(tmp_path, made("3detr", checkpoint), {})
    with pytest.raises(InputError, match="was trained to find boxes"):
        load_trained(tmp_path, checkpoint.model.clip)
    with pytest.raises(InputError, match="was trained to find boxes"):
        load_encoder(tmp_path)
    with pytest.raises(UsageError, match="was not trained to find boxes"):
        load_detector("universal")


def test_damage_is_told_in_one_sentence(checkpoint: TrainedModel, tmp_path: Path) -> None:
    save_detector(tmp_path, made("3detr", checkpoint), {})
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_detector(tmp_path)
    save_detector(tmp_path, made("3detr", checkpoint), {})
    card = json.loads((tmp_path / "config.json").read_text())
    card["detector"]["config"]["decoder_layers"] = 3
    (tmp_path / "config.json").write_text(json.dumps(card))
    with pytest.raises(InputError, match="its tensors are not those of its card"):
        load_detector(tmp_path)
    (tmp_path / "config.json").write_text("[")
    with pytest.raises(InputError, match="no card of a detector"):
        load_detector(tmp_path)


def test_a_detector_for_another_clip_is_refused(
    checkpoint: TrainedModel, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    clip = checkpoint.model.clip
    assert clip is not None
    save_detector(tmp_path, made("clip", checkpoint), {"clip": {"name": clip.name, "weights": "0" * 64}})
    with pytest.raises(UsageError, match="was trained for the CLIP"):
        load_detector(tmp_path, clip=str(make_clip(tmp_path / "tiny")))


@pytest.mark.parametrize("kind", ["3detr-m", "groupfree"])
def test_a_scene_of_one_place_is_defined(kind: str, checkpoint: TrainedModel) -> None:
    one = Scenes(
        torch.ones(1, 2, 3), torch.ones(1, 2, dtype=torch.bool), torch.zeros(1, 2).long(), torch.zeros(1).long()
    )
    with torch.no_grad():
        found = made(kind, checkpoint)(one)
    assert found.is_query.sum() == 1
    assert found.boxes().isfinite().all()
    assert len(surest(found, None, DetectConfig())[0].boxes.boxes) == 1


def test_boxes_that_hold_too_few_points_or_what_a_surer_one_holds_are_dropped(checkpoint: TrainedModel) -> None:
    detector, given = made("3detr", checkpoint), scenes()
    with torch.no_grad():
        found = detector(given)
    everything = DetectConfig(overlap=1.0, fewest_points=0)
    whole = surest(found, list(given.points), everything)[0]
    assert len(whole.boxes.boxes) == 6
    torch.testing.assert_close(whole.boxes.scores, 1 - found.logits[-1, 0].softmax(-1)[:, -1])
    torch.testing.assert_close(whole.boxes.labels, whole.probabilities.argmax(1))
    assert not len(surest(found, list(given.points), replace(everything, fewest_points=61))[0].boxes.boxes)
    large = found._replace(sizes=torch.full_like(found.sizes, 3.0))  # each holds a part of every other
    few = surest(large, None, replace(everything, overlap=0.01))[0]
    assert len(few.boxes.boxes) == len(few.boxes.labels.unique())  # type: ignore[no-untyped-call]
    assert few.boxes.scores.max() == whole.boxes.scores.max()
