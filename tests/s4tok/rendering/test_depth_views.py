from math import ceil, exp

import numpy as np
import pytest
import torch
from torch import Tensor

from s4tok.rendering.cameras import look, ten_views
from s4tok.rendering.depth_views import CLASSIFICATION, PROJECTIONS, SEGMENTATION, Projection, depth_views
from s4tok.shapes import Array
from s4tok.vision.lifting import points_at_pixels

SMALL = Projection(
    size=28, depth=10, object_ratio=0.7, depth_bias=0.3,
    dilate=(3, 5, 5), blur=(3, 3, 3), sigma=(2.0, 1.0, 1.0), crop=3,
)  # fmt: skip


def box(rng: np.random.Generator, low: list[float], high: list[float], n: int) -> Array:
    points = rng.uniform(0, 1, (n, 3))
    face = rng.integers(0, 6, n)
    points[np.arange(n), face % 3] = face >= 3
    placed: Array = np.array(low) + points * (np.array(high) - np.array(low))
    return placed


def chair(n: int = 700) -> Tensor:
    """A chair with one armrest: no two of its ten views are alike, nor symmetric."""
    rng = np.random.default_rng(0)
    parts = [
        box(rng, [-0.4, 0, -0.4], [0.4, 0.08, 0.4], n),
        box(rng, [-0.4, 0, -0.4], [0.4, 0.9, -0.32], n),
        box(rng, [0.32, 0.3, -0.4], [0.4, 0.38, 0.4], n // 3),
        *(box(rng, [x, -0.6, z], [x + 0.08, 0, z + 0.08], n // 4) for x in (-0.4, 0.32) for z in (-0.4, 0.32)),
    ]
    return torch.tensor(np.concatenate(parts), dtype=torch.float32)


def twin(points: Tensor, view: Tensor, projection: Projection) -> tuple[Array, Array, Array]:
    """Draw one view as the description reads: one point, one cell, one pixel at a time, before the last resize."""
    seen = torch.einsum("ij,nj->ni", view.to(points), points)
    low, high = seen.amin(0), seen.amax(0)
    unit = 2 * (seen - (low + high) / 2) / (high - low).amax()
    n_layers, side = projection.depth, projection.size
    cells, grid = [], np.zeros((n_layers, side, side))
    for point in unit:
        row, column = (
            min(max(ceil((float(point[axis] * projection.object_ratio) + 1) / 2 * side), 1), side - 2)
            for axis in (0, 1)
        )
        bias = projection.depth_bias
        value = ((float(point[2]) + 1) / 2 + bias) / (1 + bias) * (n_layers - 2)
        value = min(max(value, 1), n_layers - 2)
        cells.append((ceil(value), row, column))
        grid[cells[-1]] = max(grid[cells[-1]], value)

    around = [
        [range(-(width // 2), width // 2 + 1) for width in widths] for widths in (projection.dilate, projection.blur)
    ]
    weights = [
        [exp(-((o / s) ** 2) / 2) for o in offsets] for offsets, s in zip(around[1], projection.sigma, strict=True)
    ]
    totals = [sum(each) for each in weights]
    solid, smooth = np.zeros_like(grid), np.zeros_like(grid)
    for source, target, offsets in ((grid, solid, around[0]), (solid, smooth, around[1])):
        for z, y, x in np.ndindex(grid.shape):
            found = 0.0
            for i, dz in enumerate(offsets[0]):
                for j, dy in enumerate(offsets[1]):
                    for k, dx in enumerate(offsets[2]):
                        at = (z + dz, y + dy, x + dx)
                        if not all(0 <= a < b for a, b in zip(at, grid.shape, strict=True)):
                            continue
                        if target is solid:
                            found = max(found, source[at])
                        else:
                            weight = weights[0][i] * weights[1][j] * weights[2][k] / (totals[0] * totals[1] * totals[2])
                            found += weight * source[at]
            target[z, y, x] = found
    smooth /= smooth.max()
    image = 1 - smooth.max(axis=0)
    visible = [abs(image[row, column] - (1 - smooth[layer, row, column])) < 0.1 for layer, row, column in cells]
    return image, np.array(cells), np.array(visible)


def test_the_picture_and_the_pixels_equal_a_slow_twin() -> None:
    rng = np.random.default_rng(3)
    points = torch.tensor(box(rng, [0, 0, 0], [1, 0.7, 0.4], 60))
    views = ten_views()[[1, 8]]
    cut = slice(SMALL.crop, SMALL.size - SMALL.crop)
    drawn = depth_views(points, views, SMALL, size=SMALL.size - 2 * SMALL.crop)
    for number, view in enumerate(views):
        image, cells, visible = twin(points, view, SMALL)
        np.testing.assert_allclose(drawn.images[number], image[cut, cut], atol=1e-9)
        np.testing.assert_array_equal(drawn.pixels[number], cells[:, 1:] - SMALL.crop)
        np.testing.assert_array_equal(drawn.visible[number], visible)
        assert 0 < visible.mean() < 1


@pytest.mark.parametrize("name", sorted(PROJECTIONS))
def test_the_grid_may_be_filtered_in_slabs_of_any_size(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.from_numpy(np.random.default_rng(5).uniform(-1, 1, (400, 3)).astype(np.float32))
    drawn = []
    for cells in (1, 50_000, 2**40):
        monkeypatch.setattr("s4tok.rendering.depth_views.CELLS_AT_ONCE", cells)
        drawn.append(depth_views(points, ten_views()[:2], PROJECTIONS[name], size=64))
    assert all(torch.equal(one, whole) for each in drawn[:2] for one, whole in zip(each, drawn[2], strict=True))


def test_the_order_of_points_changes_nothing() -> None:
    points = chair(200)
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(1))
    one, other = (
        depth_views(points, ten_views(), CLASSIFICATION),
        depth_views(points[order], ten_views(), CLASSIFICATION),
    )
    assert torch.equal(one.images, other.images)
    assert torch.equal(one.pixels[:, order], other.pixels)
    assert torch.equal(one.visible[:, order], other.visible)


@pytest.mark.parametrize("scale", [1e-3, 0.5, 1024.0])
def test_the_picture_does_not_depend_on_size_or_place(scale: float) -> None:
    points = chair(200).double()
    moved = scale * points + scale * torch.tensor([5.0, -3.0, 7.0], dtype=torch.float64)
    here, there = (depth_views(each, ten_views(), CLASSIFICATION) for each in (points, moved))
    assert ((here.images - there.images).abs() < 1e-6).float().mean() > 0.999  # a point on a cell's border may cross it


@pytest.mark.parametrize("name", PROJECTIONS)
def test_the_corrected_look_up_finds_every_point_drawn_and_the_released_one_does_not(name: str) -> None:
    def share_drawn(lookup: str) -> list[float]:
        views = depth_views(chair(), ten_views(), PROJECTIONS[name], lookup=lookup)  # type: ignore[arg-type]
        rows, columns = views.pixels.unbind(-1)
        picked = views.images[torch.arange(10)[:, None], rows, columns]
        return [round(share, 2) for share in (picked < 1 - 1e-6).float().mean(dim=1).tolist()]

    corrected, released = share_drawn("corrected"), share_drawn("pclipv2")
    print(f"points that land on drawn foreground, {name}: corrected {corrected}, as released {released}")
    assert corrected == [1.0] * 10
    assert max(released[:8]) < 0.9
    assert min(released) < 0.6


def test_the_near_side_hides_the_far_side() -> None:
    rng = np.random.default_rng(0)
    near, far = box(rng, [-1, -1, 0.9], [1, 1, 1], 6000), box(rng, [-0.5, -0.5, -1], [0.5, 0.5, -0.9], 500)
    points = torch.tensor(np.concatenate([near, far]), dtype=torch.float32)
    front = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]], dtype=torch.float64)
    visible = depth_views(points, front).visible[0]
    assert visible[:6000].float().mean() > 0.6
    assert visible[6000:].float().mean() < 0.01


def test_a_cloud_of_no_extent_is_one_dot() -> None:
    views = depth_views(torch.zeros(5, 3), ten_views(), CLASSIFICATION)
    assert views.images.isfinite().all()
    assert (views.images < 1).any()
    assert views.visible.all()


@pytest.mark.parametrize("seed", range(4))
def test_a_visible_points_pixel_leads_back_to_a_point_within_one_cell_of_the_grid(seed: int) -> None:
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(seed)).double())[0]
    points = (chair(300).double() @ turn.T).float()
    views = ten_views()
    drawn = depth_views(points, views)
    nearness = look(points, views)
    at_pixels = points_at_pixels(drawn.pixels, drawn.visible, nearness[..., 2], 224)
    for view in range(len(views)):
        visible = drawn.visible[view]
        rows, columns = drawn.pixels[view, visible].unbind(-1)
        back = at_pixels[view, rows, columns]
        extent = (nearness[view].amax(0) - nearness[view].amin(0)).amax()
        offset = (nearness[view, back] - nearness[view, visible]).abs()
        assert offset[:, :2].max() <= extent / SEGMENTATION.object_ratio / SEGMENTATION.size * 1.001
        assert (nearness[view, back, 2] >= nearness[view, visible, 2]).all()


def test_every_device_draws_the_same_but_for_points_between_two_pixels(device: str) -> None:
    here, there = depth_views(chair(), ten_views()), depth_views(chair().to(device), ten_views())
    assert (there.pixels.cpu() == here.pixels).double().mean() > 0.99
    assert (there.visible.cpu() == here.visible).double().mean() > 0.99
    assert (there.images.cpu() - here.images).abs().mean() < 1e-3
