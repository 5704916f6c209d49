from pathlib import Path

import pytest
import torch
from torch import nn

from s4tok.config import BackboneConfig, TokenizerConfig
from s4tok.errors import InputError
from s4tok.models.checkpoint import TrainedModel, load_trained
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


def test_what_is_no_encoder_is_refused_in_a_sentence(tmp_path: Path, checkpoint: TrainedModel) -> None:
    from s4tok.models.checkpoint import save_loaded

    save_loaded(tmp_path / "s", checkpoint)
    with pytest.raises(InputError, match="is a tokenizer for a frozen CLIP, and has no transformer of its own"):
        load_encoder(tmp_path / "s")
    save_point_encoder(tmp_path, encoder(), {})
    with pytest.raises(InputError, match="was trained without a CLIP") as error:
        load_trained(tmp_path, checkpoint.model.clip)
    assert error.value.hint == "s4tok.load_encoder gives its features."
    (tmp_path / "model.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match="holds no encoder that can be loaded"):
        load_encoder(tmp_path)
