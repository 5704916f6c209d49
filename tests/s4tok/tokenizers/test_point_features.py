import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.config import TokenizerConfig
from s4tok.tokenizers import PointFeatures, Tokenizer

BOTH = PointFeatures(("rgb", "normals"))
XYZ = np.eye(3)
SMALL = TokenizerConfig(n_tokens=24, patch_size=12, adapter_widths=(8, 16, 16))


def test_a_point_has_its_colour_its_normal_with_y_up_and_whether_each_is_known() -> None:
    color = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 0]], np.uint8)
    cloud = PointCloud.of(XYZ, color=color, normals=np.array([[0, 0, 2], [1, 0, 0], [np.nan, 0, 0]]))
    expected = [[1, 0, 0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 1, 0, 0, 1], [0, 0, 0, 1, 0, 0, 0, 0]]
    np.testing.assert_allclose(BOTH.read(cloud, up="z"), expected, atol=1e-6)  # what was up along z is up along y
    assert BOTH.width == 8
    assert (BOTH.columns("rgb"), BOTH.columns("normals")) == (slice(0, 3), slice(4, 7))
    assert PointFeatures(("normals",)).columns("normals") == slice(0, 3)
    assert PointFeatures(("normals",)).columns("rgb") is None


@pytest.mark.parametrize(
    ("known", "lacking"), [((), ["rgb", "normals"]), (("color",), ["normals"]), (("normals",), ["rgb"])]
)
def test_what_a_cloud_has_not_is_zero_and_named(known: tuple[str, ...], lacking: list[str]) -> None:
    features = BOTH.read(PointCloud.of(XYZ, **{name: np.ones((3, 3)) for name in known}))  # type: ignore[arg-type]
    assert BOTH.lacking(features) == lacking
    assert features[:, 3].all() == ("rgb" not in lacking)
    assert features.any() == (len(lacking) < 2)


def test_mean_and_deviation_are_those_of_known_points_each_counted_once() -> None:
    draw = np.random.default_rng(0)
    values, is_known = draw.random((5, 40, 2, 3)), draw.random((5, 40, 2, 1)) < 0.7
    features = np.concatenate([values * is_known, is_known], axis=3).reshape(5, 40, 8)
    found = BOTH.measured([features[:2], *features[2:]])  # two samples of one cloud, and three clouds
    for place in range(2):
        mine = values[:, :, place][is_known[:, :, place, 0]]
        np.testing.assert_allclose(found.mean[3 * place : 3 * place + 3], mine.mean(0))
        np.testing.assert_allclose(found.deviation[3 * place : 3 * place + 3], mine.std(0))
    grey = PointFeatures(("rgb",)).measured([np.full((9, 4), 0.5) + [0, 0, 0, 0.5]])
    assert (grey.mean, grey.deviation) == ((0.5, 0.5, 0.5), (1.0, 1.0, 1.0))


def test_known_values_are_standardised_and_unknown_ones_are_zero_whatever_the_mean() -> None:
    draw = torch.Generator().manual_seed(0)
    values, is_known = (
        torch.rand(2, 300, 2, 3, generator=draw),
        (torch.rand(2, 300, 2, 1, generator=draw) < 0.5).float(),
    )
    features = torch.cat([values * is_known, is_known], dim=3).flatten(2)
    found = BOTH.measured(features.numpy()).standardized(features).view(2, 300, 2, 4)
    assert torch.equal(found[..., 3:], is_known)
    assert not found[..., :3][is_known[..., 0] == 0].any()
    for place in range(2):
        known = found[:, :, place, :3][is_known[:, :, place, 0] == 1]
        torch.testing.assert_close(known.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
        torch.testing.assert_close(known.std(0, unbiased=False), torch.ones(3), atol=1e-5, rtol=0)
    assert torch.equal(BOTH.standardized(features), features)  # nothing has been measured


def test_a_card_gives_back_what_was_written() -> None:
    measured = BOTH.measured([np.random.default_rng(0).random((50, 8))])
    assert PointFeatures.of(json.loads(json.dumps(asdict(measured)))) == measured


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kinds": ["rgb", "heat"]}, "reads 'heat' of each point, which this version"),
        ({"kinds": ["rgb"]}, "no mean and deviation for each value"),
        ({"deviation": [0.0] * 6}, "no mean and deviation for each value"),
    ],
)
def test_a_card_that_standardises_nothing_is_refused(change: dict[str, Any], says: str) -> None:
    card = asdict(BOTH.measured([np.random.default_rng(0).random((50, 8))]))
    with pytest.raises(ValueError, match=says):
        PointFeatures.of({**card, **change})


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e3])
def test_tokens_depend_on_features_and_neither_on_the_unit_of_length_nor_the_place(
    clouds: Callable[..., tuple[Tensor, Tensor]], factor: float
) -> None:
    points, superpoints = clouds()
    draw = torch.Generator().manual_seed(0)
    features = torch.cat([torch.rand(2, 600, 3, generator=draw), torch.ones(2, 600, 1)], dim=2)
    torch.manual_seed(0)
    read = PointFeatures(("rgb",)).measured(features.numpy())
    tokenizer = Tokenizer(SMALL, width=48, point_features=read).eval()
    patches = tokenizer.group(points, superpoints, features=features)
    expected = read.standardized(features)[torch.arange(2)[:, None, None], patches.members]
    assert patches.features is not None
    torch.testing.assert_close(patches.features, expected)
    here = tokenizer(points, superpoints, features=features).tokens
    moved = tokenizer(points * factor + 100 * factor, superpoints, features=features).tokens
    torch.testing.assert_close(moved, here, rtol=0, atol=1e-5)
    other = tokenizer(points, superpoints, features=torch.cat([1 - features[..., :3], features[..., 3:]], dim=2)).tokens
    assert (other - here).abs().max() > 1e-2
