from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch.nn import functional

from s4tok.config import BackboneConfig, PretrainConfig, RegionConfig, TokenizerConfig
from s4tok.losses.region_groups import nearest_group
from s4tok.models.point_encoder import PointEncoder
from s4tok.objectives.region_distillation import Groups, RegionDistillation, turned_batch
from s4tok.objectives.training_clouds import Batch, group
from s4tok.tokenizers import PointFeatures

WIDTH = 6  # of the targets
STILL = PretrainConfig(scale_range=(1.0, 1.0), shift=0.0, mask_ratio=0.5)


def batch(n_clouds: int = 3, n_points: int = 160) -> Batch:
    """Clouds of eight octants each; one region of the first cloud was seen by no view."""
    draw = torch.Generator().manual_seed(0)
    points = torch.randn(n_clouds, n_points, 3, generator=draw)
    is_seen = torch.ones(n_clouds, 8, dtype=torch.bool)
    is_seen[0, 2] = False
    targets = functional.normalize(torch.randn(n_clouds, 8, WIDTH, generator=draw), dim=2)
    return Batch(
        points=points,
        superpoints=(points > 0).long() @ torch.tensor([1, 2, 4]),
        is_point=torch.ones(n_clouds, n_points, dtype=torch.bool),
        local_targets=targets * is_seen[..., None],
        is_seen=is_seen,
        global_targets=torch.zeros(n_clouds, WIDTH),
        seeds=torch.arange(n_clouds),
    )


def encoder(tokenizer: str = "region") -> PointEncoder:
    torch.manual_seed(0)
    settings = TokenizerConfig(tokenizer, n_points=160, n_tokens=8, patch_size=16, adapter_widths=(16, 16, 16))
    return PointEncoder(settings, BackboneConfig(width=24, layers=2, heads=2))


def model(sizes: Sequence[int] = (900, 90, 9), tokenizer: str = "region", **config: Any) -> RegionDistillation:
    made = encoder(tokenizer)
    groups = Groups(torch.eye(len(sizes), WIDTH), torch.tensor(sizes))
    return RegionDistillation(made, groups, WIDTH, STILL, RegionConfig(**config))


def train(module: torch.nn.Module, given: Batch, steps: int = 60) -> list[float]:
    optimizer = torch.optim.AdamW([weight for weight in module.parameters() if weight.requires_grad], 3e-3)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        total = module(given)["total"]
        total.backward()
        optimizer.step()
        losses.append(float(total.detach()))
    return losses


@pytest.mark.parametrize("tokenizer", ["region", "region+rpn", "knn"])
def test_it_overfits_a_batch_with_region_tokens_and_with_neighbours(tokenizer: str) -> None:
    losses = train(model(tokenizer=tokenizer, turn=0.0), batch())
    assert losses[-1] < 0.5 * losses[0]


def test_every_weight_is_trained() -> None:
    objective = model()
    before = {name: weight.clone() for name, weight in objective.named_parameters()}
    train(objective, batch(), steps=2)
    still = [name for name, weight in objective.named_parameters() if torch.equal(weight, before[name])]
    assert still == []


def test_a_region_weighs_as_its_group_does() -> None:
    given, objective = batch(), model(balance="paper").eval()
    patches = group(objective.encoder.tokenizer, given)
    found = objective.predict(given, patches, objective.encoder.of_patches(patches))
    torch.testing.assert_close(found.groups, nearest_group(given.local_targets, torch.eye(3, WIDTH)))
    assert not found.is_seen[0, 2]
    each = (found.features - given.local_targets).abs().mean(2)
    weights = objective.group_weights[found.groups]
    by_cloud = [(weights * each)[cloud, found.is_seen[cloud]].sum() / found.is_seen[cloud].sum() for cloud in range(3)]
    figures = objective.figures(given, found)
    torch.testing.assert_close(figures["total"], torch.stack(by_cloud).mean())
    alike = model(balance="none").eval()
    torch.testing.assert_close(alike.step(given)["total"], alike.step(given)["l1"])
    torch.testing.assert_close(figures["l1"], alike.step(given)["l1"])


def test_a_region_tokens_prediction_is_its_own_projection() -> None:
    given, objective = batch(), model().eval()
    patches = group(objective.encoder.tokenizer, given)
    hidden = objective.encoder.of_patches(patches)
    found, own = objective.predict(given, patches, hidden), objective.projection(hidden)
    for token in range(8):
        torch.testing.assert_close(found.features[0, patches.superpoints[0, token]], own[0, token])


def test_validation_tells_the_loss_of_each_group_over_all_regions() -> None:
    given, objective = batch(), model().eval()
    two = [(2, given._replace(**{name: field[:2] for name, field in given._asdict().items() if field is not None}))]
    one = [(1, given._replace(**{name: field[2:] for name, field in given._asdict().items() if field is not None}))]
    with torch.no_grad():
        figures = objective.validate([*two, *one])
        whole = objective.validate([(3, given)])
    assert sum(figures["group_regions"]) == int(given.is_seen.sum())
    assert figures["group_regions"] == whole["group_regions"]
    assert figures["group_sizes"] == objective.group_sizes.tolist()
    assert figures["group_l1"] == pytest.approx(whole["group_l1"], abs=1e-5)
    share = sum(loss * n for loss, n in zip(whole["group_l1"], whole["group_regions"], strict=True))
    assert share / 23 == pytest.approx(each_l1(objective, given).item(), abs=1e-5)


def each_l1(objective: RegionDistillation, given: Batch) -> torch.Tensor:
    patches = group(objective.encoder.tokenizer, given)
    found = objective.predict(given, patches, objective.encoder.of_patches(patches))
    return (found.features - given.local_targets).abs().mean(2)[found.is_seen].mean()


def test_a_group_that_is_empty_and_one_group_alone_give_numbers() -> None:
    for sizes in ((10, 0, 5), (7,)):
        figures = model(sizes).eval().step(batch())
        assert all(value.isfinite() for value in figures.values())


def test_training_turns_rooms_about_the_vertical_and_leaves_the_given_batch_as_it_was() -> None:
    read = PointFeatures(("normals",))
    given = batch()
    normals = functional.normalize(torch.randn(3, 160, 3), dim=2)
    given = given._replace(features=torch.cat([normals, torch.ones(3, 160, 1)], dim=2))
    before = [field.clone() for field in (given.points, given.features) if field is not None]
    moved = turned_batch(given, 180.0, read)
    assert torch.equal(given.points, before[0])
    assert given.features is not None
    assert torch.equal(given.features, before[1])
    assert torch.equal(moved.points[..., 1], given.points[..., 1])
    assert moved.features is not None
    torch.testing.assert_close(
        (moved.points * moved.features[..., :3]).sum(2), (given.points * given.features[..., :3]).sum(2)
    )


def test_the_first_batch_says_what_groups_weigh() -> None:
    assert model().describe(batch()) == (
        "3 groups of 9 to 900 regions, which weigh 0.0156 in the largest and 1.56 at most"
    )
