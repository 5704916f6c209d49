from pathlib import Path

import pytest
import torch
from torch import nn

import s4tok
from s4tok.config import BackboneConfig, HeadConfig, TokenizerConfig
from s4tok.errors import InputError, UsageError
from s4tok.inference.loading import load
from s4tok.models.checkpoint import TrainedModel, load_trained, save_loaded
from s4tok.models.labeller import Labeller, Labels
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.point_encoder_files import load_encoder, save_point_encoder
from s4tok.tokenizers import NO_FEATURES, PointFeatures

TOKENIZER = TokenizerConfig("region", n_points=100, n_tokens=6, patch_size=8, adapter_widths=(8, 8, 8))
BACKBONE = BackboneConfig(width=24, layers=2, heads=2)


def encoder(read: PointFeatures = NO_FEATURES) -> PointEncoder:
    torch.manual_seed(0)
    return PointEncoder(TOKENIZER, BACKBONE, read).eval()


def cloud() -> tuple[torch.Tensor, torch.Tensor]:
    points = torch.rand(2, 90, 3, generator=torch.Generator().manual_seed(1))
    return points, (points[..., 0] * 3).long()


def test_every_point_has_the_feature_of_its_own_regions_token() -> None:
    points, regions = cloud()
    model = encoder()
    found = model(points, regions)
    of_points = model.of_points(found, points, regions)
    for one in range(2):
        for token in found.read.is_token[one].nonzero()[:, 0].tolist():
            mine = regions[one] == found.read.superpoints[one, token]
            torch.testing.assert_close(of_points[one, mine], found.tokens[one, token].expand(int(mine.sum()), -1))
    whole = found.tokens[found.read.is_token].view(2, 3, -1).mean(1)
    torch.testing.assert_close(found.whole, whole)


def test_a_saved_encoder_comes_back_with_all_it_had(tmp_path: Path) -> None:
    read = PointFeatures(("rgb",), (0.5,) * 3, (0.2,) * 3)
    model, projection = encoder(read), nn.Sequential(nn.Linear(24, 24), nn.GELU(), nn.Linear(24, 5))
    save_point_encoder(tmp_path, model, {"objective": "region_distillation", "command": "s4tok pretrain x"}, projection)
    back = load_encoder(tmp_path)
    points, regions = cloud()
    colors = torch.rand(2, 90, 4)
    one, other = (each(points, regions, features=colors) for each in (model, back.encoder))
    torch.testing.assert_close(one.tokens, other.tokens)  # without gradients attention takes a quicker way
    assert back.projection is not None
    torch.testing.assert_close(projection(one.whole), back.projection(other.whole))
    assert back.card["objective"] == "region_distillation"
    assert not any(weight.requires_grad for weight in back.encoder.parameters())
    assert "2 layers of 24" in (tmp_path / "README.md").read_text()
    save_point_encoder(tmp_path, model, {})
    assert load_encoder(tmp_path).projection is None


def test_as_a_model_it_gives_heads_and_embeddings_the_same_features(tmp_path: Path) -> None:
    points, regions = cloud()
    save_point_encoder(tmp_path, encoder(), {})
    loaded, own = load(tmp_path), load_encoder(tmp_path).encoder
    found, wanted = loaded.model(points, regions), own(points, regions)
    assert torch.equal(found.tokens, wanted.tokens)
    assert torch.equal(found.whole, wanted.whole)
    read = loaded.model.read(points, regions)
    assert [each.shape for each in read.layers] == [(2, 6, 24)] * 3
    assert torch.equal(read.layers[-1], wanted.tokens)
    assert not torch.equal(read.layers[0], read.layers[1])
    xyz = points[0].numpy()
    embedded = s4tok.embed(xyz, loaded, superpoints=regions[0].numpy().astype("int32"), up="y", scene="object")
    assert embedded.points.shape == (90, 24)


def test_a_head_comes_back_with_it(tmp_path: Path) -> None:
    labels = Labels("scenes", ("wall", "floor", "chair"))
    trained = TrainedModel(encoder().model, {"backbone": {}}, "own")
    torch.manual_seed(3)
    labeller = Labeller.build(labels, HeadConfig(head_widths=(8, 8, 8, 8)), 24)
    labeller.head.eval()
    save_loaded(tmp_path, trained._replace(labeller=labeller, card={"labels": labeller.facts()}))
    back = load_trained(tmp_path, None)
    assert back.labeller is not None
    points, regions = cloud()
    read = trained.model.read(points, regions)
    assert torch.equal(back.labeller.head(read, points, regions), labeller.head(read, points, regions))
    assert back.sha256 == trained._replace(labeller=labeller).sha256
    page = (tmp_path / "README.md").read_text()
    assert "labels by a head: wall, floor, chair" in page
    assert "2 layers of 24, its own" in page


def test_the_projection_of_stage_1_is_saved_again_with_it(tmp_path: Path) -> None:
    torch.manual_seed(4)
    projection = nn.Sequential(nn.Linear(24, 24), nn.GELU(), nn.Linear(24, 8))
    (tmp_path / "run").mkdir()
    save_point_encoder(tmp_path / "run", encoder(), {}, projection)
    load(tmp_path / "run").save_pretrained(tmp_path / "mine")
    back = load_encoder(tmp_path / "mine").projection
    assert back is not None
    features = torch.rand(5, 24)
    assert torch.equal(back(features), projection(features))


def test_what_is_no_encoder_is_refused_in_a_sentence(tmp_path: Path, checkpoint: TrainedModel) -> None:
    save_loaded(tmp_path / "s", checkpoint)
    with pytest.raises(InputError, match="is a tokenizer for a frozen CLIP, and has no transformer of its own"):
        load_encoder(tmp_path / "s")
    save_point_encoder(tmp_path, encoder(), {})
    with pytest.raises(UsageError, match="was trained without a CLIP"):
        load_trained(tmp_path, checkpoint.model.clip)
    with pytest.raises(UsageError, match="it has no texts to label by") as error:
        load(tmp_path).texts  # noqa: B018 - it is asked for
    assert "s4tok finetune puts a head behind it" in str(error.value.hint)
    (tmp_path / "model.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match="holds no encoder that can be loaded"):
        load_encoder(tmp_path)
