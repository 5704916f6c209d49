import math

import torch
from torch import Tensor

from s4tok.backbones.scene_tokens import SceneTokens
from s4tok.config import DetectorConfig
from s4tok.heads.detection import BoxPredictions, DetectionHead, of_yaw, to_yaw

SMALL = DetectorConfig(
    width=16, heads=2, decoder_layers=2, decoder_hidden=8, queries=5, angles=12, dropout=0.0, head_dropout=0.0
)


def scene(seed: int = 0, clouds: int = 2, tokens: int = 9) -> SceneTokens:
    random = torch.Generator().manual_seed(seed)
    is_token = torch.ones(clouds, tokens, dtype=torch.bool)
    is_token[-1, 4:] = False  # one with fewer tokens than queries
    return SceneTokens(
        torch.randn(clouds, tokens, 6, generator=random), 4 * torch.rand(clouds, tokens, 3, generator=random), is_token
    )


def head(config: DetectorConfig = SMALL) -> DetectionHead:
    torch.manual_seed(0)
    return DetectionHead(config, 6, 3)


def found(made: DetectionHead, given: SceneTokens) -> BoxPredictions:
    low = torch.zeros(len(given.xyz), 3)
    result: BoxPredictions = made(given, low, torch.full_like(low, 4))
    return result


def test_centers_stay_near_their_queries_and_sizes_within_the_scene() -> None:
    given, made = scene(), head()
    result = found(made, given)
    assert result.logits.shape == (2, 2, 5, 4)
    queries = result.is_query
    assert queries.sum(1).tolist() == [5, 4]
    away = torch.cdist(result.centers[-1, 0], given.xyz[0], p=math.inf).amin(1)
    assert (away <= 0.5).all()
    assert ((result.sizes[:, queries] > 0) & (result.sizes[:, queries] < 4)).all()


def test_boxes_do_not_depend_on_the_other_scenes_of_the_batch_or_on_what_is_no_token() -> None:
    made = head().eval()
    both, alone = found(made, scene()), scene()
    alone.tokens[-1, 4:] = 100.0
    alone.xyz[-1, 4:] = 100.0
    single = SceneTokens(*(part[1:] for part in alone))
    torch.testing.assert_close(both.boxes()[:, 1:, :4], found(made, single).boxes()[:, :, :4], atol=1e-5, rtol=1e-5)


def test_every_weight_has_a_gradient() -> None:
    made = head()
    result = found(made, scene())
    total: Tensor = sum(part.square().sum() for part in result[:5])  # type: ignore[assignment]
    total.backward()  # type: ignore[no-untyped-call]
    without = [name for name, weight in made.named_parameters() if weight.grad is None or not weight.grad.any()]
    # Queries begin as zeros, so the first layer has nothing to share among them yet.
    assert not [name for name in without if not name.startswith("layers.0.")], without


def test_random_places_are_kept_with_the_weights_and_not_trained() -> None:
    made = head()
    assert "places.projection" in made.state_dict()
    assert "places.projection" not in dict(made.named_parameters())


def test_a_yaw_is_the_middle_of_a_part_of_the_circle_and_a_place_in_it() -> None:
    yaws = torch.linspace(-math.pi + 1e-4, math.pi, 1001, dtype=torch.float64)
    part, residual = of_yaw(yaws, 12)
    assert set(part.tolist()) == set(range(12))
    assert (residual.abs() <= 1 + 1e-9).all()
    torch.testing.assert_close(to_yaw(part, residual, 12), yaws)
    assert of_yaw(torch.tensor([math.pi / 6 + 0.01]), 12)[0].tolist() == [1]
    assert not to_yaw(part * 0, residual, 1).any()
