import torch
from torch import Tensor
from torch.nn import functional

from s4tok.vision.lifting import lift, lift_highest, points_at_pixels


def scene(seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Three views of 40 points in 6 superpoints; the last superpoint is seen nowhere."""
    random = torch.Generator().manual_seed(seed)
    patches = functional.normalize(torch.randn(3, 4, 5, 8, generator=random), dim=-1)
    pixels = torch.randint(0, 60, (3, 40, 2), generator=random)
    visible = torch.rand(3, 40, generator=random) < 0.6
    labels = torch.randint(0, 6, (40,), generator=random)
    visible[:, labels == 5] = False
    return patches, pixels, visible, labels


def twin(patches: Tensor, pixels: Tensor, visible: Tensor, labels: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """As the sentence reads: a point's mean over its views, a superpoint's mean over points weighted by visibility."""
    maps = functional.interpolate(patches.permute(0, 3, 1, 2), (size, size), mode="bilinear", align_corners=False)
    features, counts = torch.zeros(6, patches.shape[-1]), torch.zeros(6, dtype=torch.long)
    for superpoint in range(6):
        weighted = []
        for point in (labels == superpoint).nonzero()[:, 0].tolist():
            seen = [maps[v, :, pixels[v, point, 0], pixels[v, point, 1]] for v in range(3) if visible[v, point]]
            if seen:
                weighted.append((len(seen), torch.stack(seen).mean(0)))
        counts[superpoint] = sum(weight for weight, _ in weighted)
        if weighted:
            mean = torch.stack([weight * feature for weight, feature in weighted]).sum(0) / counts[superpoint]
            features[superpoint] = mean / mean.norm()
    return features, counts


def test_lifting_equals_a_slow_twin() -> None:
    patches, pixels, visible, labels = scene()
    lifted = lift(patches, pixels, visible, labels, 6, size=60)
    features, counts = twin(patches, pixels, visible, labels, 60)
    torch.testing.assert_close(lifted.feature(), features, atol=1e-5, rtol=0)
    assert torch.equal(lifted.pairs, counts)
    assert not lifted.feature()[5].any()


def test_every_device_lifts_the_same(device: str) -> None:
    patches, pixels, visible, labels = (each.to(device) for each in scene())
    here, there = lift(*scene(), 6, size=60), lift(patches, pixels, visible, labels, 6, size=60)
    torch.testing.assert_close(there.feature().cpu(), here.feature(), atol=1e-5, rtol=0)
    assert torch.equal(there.pairs.cpu(), here.pairs)


def test_views_taken_one_by_one_add_up_to_all_at_once() -> None:
    patches, pixels, visible, labels = scene(1)
    whole = lift(patches, pixels, visible, labels, 6, size=60)
    first, *rest = (lift(patches[v, None], pixels[v, None], visible[v, None], labels, 6, size=60) for v in range(3))
    for other in rest:
        first = first.plus(other)
    torch.testing.assert_close(first.total, whole.total)
    assert torch.equal(first.pairs, whole.pairs)


def test_the_order_of_points_changes_nothing() -> None:
    patches, pixels, visible, labels = scene(2)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(3))
    one = lift(patches, pixels, visible, labels, 6, size=60)
    other = lift(patches, pixels[:, order], visible[:, order], labels[order], 6, size=60)
    torch.testing.assert_close(one.total, other.total)


def test_a_point_in_the_middle_of_a_patch_has_that_patchs_feature() -> None:
    patches = functional.normalize(torch.randn(1, 3, 3, 4, generator=torch.Generator().manual_seed(0)), dim=-1)
    pixels = torch.tensor([[[7, 2], [0, 14]]])  # of patches five pixels wide
    lifted = lift(patches, pixels, torch.ones(1, 2, dtype=torch.bool), torch.arange(2), 2, size=15)
    torch.testing.assert_close(lifted.feature()[0], patches[0, 1, 0])
    torch.testing.assert_close(lifted.feature()[1], patches[0, 0, 2])


def test_points_that_no_view_sees_count_for_nothing() -> None:
    patches, pixels, visible, labels = scene(4)
    lifted = lift(patches, pixels, torch.zeros_like(visible), labels, 6, size=60)
    assert not lifted.total.any()
    assert not lifted.pairs.any()


def test_the_nearest_visible_point_is_drawn_at_its_pixel() -> None:
    pixels = torch.tensor([[[1, 2], [1, 2], [1, 2], [0, 0], [1, 2]]])
    visible = torch.tensor([[True, True, False, True, True]])
    nearness = torch.tensor([[0.1, 0.5, 0.9, -1.0, 0.5]])
    drawn = points_at_pixels(pixels, visible, nearness, size=3)
    assert drawn.tolist() == [[[3, -1, -1], [-1, -1, 1], [-1, -1, -1]]]


def test_where_nothing_is_visible_nothing_is_drawn() -> None:
    pixels = torch.zeros(2, 4, 2, dtype=torch.long)
    drawn = points_at_pixels(pixels, torch.zeros(2, 4, dtype=torch.bool), torch.zeros(2, 4), size=2)
    assert (drawn == -1).all()


def test_the_largest_of_each_number_is_taken_over_points_and_views() -> None:
    patches, pixels, visible, labels = scene()
    maps = functional.interpolate(patches.permute(0, 3, 1, 2), (60, 60), mode="bilinear", align_corners=False)
    found = lift_highest(patches, pixels, visible, labels, 6, size=60)
    for superpoint in range(5):
        rows = [
            maps[view, :, pixels[view, point, 0], pixels[view, point, 1]]
            for view, point in visible.nonzero().tolist()
            if labels[point] == superpoint
        ]
        torch.testing.assert_close(found.values[superpoint], torch.stack(rows).amax(0), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.feature().norm(dim=1), torch.tensor([1.0] * 5 + [0.0]))
    assert torch.equal(found.pairs, lift(patches, pixels, visible, labels, 6, size=60).pairs)
    first, *rest = (
        lift_highest(patches[v, None], pixels[v, None], visible[v, None], labels, 6, size=60) for v in range(3)
    )
    for other in rest:
        first = first.plus(other)
    torch.testing.assert_close(first.feature(), found.feature())
