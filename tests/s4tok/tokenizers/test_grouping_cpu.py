import sys
from typing import Any

import numba
import pytest
import torch

from s4tok import compiled
from s4tok.tokenizers import grouping, grouping_cpu
from s4tok.tokenizers.grouping import Pick, group_points
from s4tok.tokenizers.order import SortedClouds, sort_clouds

SEEDS = torch.tensor([4, 2**40 + 1, 7])


def clouds_of(kind: str) -> SortedClouds:
    """Three clouds, of which the second has fewer points and the third one alone; "on a grid" distances are alike."""
    draw = torch.Generator().manual_seed(3)
    points = torch.rand(3, 500, 3, generator=draw)
    if kind == "on a grid":
        points = (points * 6).round() / 6
    labels = torch.randint(0, 4, (3, 500), generator=draw)
    is_point = torch.arange(500) < torch.tensor([500, 321, 1])[:, None]
    return sort_clouds(points, labels, is_point)


@pytest.mark.parametrize("kind", ["scattered", "on a grid"])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("pick", ["nearest", "ball", "any"])
def test_the_compiled_loop_groups_what_the_other_groups(
    pick: Pick, inside: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds = clouds_of(kind)
    centers = torch.tensor([[0, 17, 17, 499], [320, 5, 5, 100], [0, 0, 0, 0]])
    radius = torch.tensor([0.4, 0.2, 0.3])
    found = list[torch.Tensor]()
    for in_loop in (True, False):
        monkeypatch.setattr(grouping, "is_worth_compiling", lambda *_, answer=in_loop: answer)
        found += group_points(clouds, centers, radius, SEEDS, pick=pick, in_superpoint=inside, patch_size=24)
    members, is_member, same_members, same_is_member = found
    assert torch.equal(members, same_members)
    assert torch.equal(is_member, same_is_member)
    assert is_member[0].all(1).any() or (inside and pick == "ball")  # some of more than a patch takes
    assert is_member[2].sum(1).tolist() == [1] * 4


def test_many_pairs_take_it_and_few_do_not_import_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[int]()

    def group(clouds: SortedClouds, centers: Any, *_: Any, takes_nearest: bool) -> Any:
        asked.append(clouds.xyz.shape[1])
        return centers[..., None].repeat(1, 1, 8), centers[..., None].repeat(1, 1, 8) > 0

    monkeypatch.setattr(grouping_cpu, "group", group)
    monkeypatch.delitem(sys.modules, "numba", raising=False)

    def ask(n_points: int) -> None:
        points, nothing = torch.rand(1, n_points, 3), torch.zeros(1, n_points, dtype=torch.int64)
        clouds = sort_clouds(points, nothing, torch.ones_like(nothing, dtype=torch.bool))
        centers = torch.arange(128)[None]
        group_points(clouds, centers, torch.ones(1), SEEDS[:1], pick="ball", in_superpoint=False, patch_size=8)

    ask(200)
    ask(8192)
    assert asked == [8192]
    monkeypatch.setitem(sys.modules, "numba", numba)  # imported by other work
    ask(200)
    assert asked == [8192, 200]
    monkeypatch.setattr(compiled, "is_compiling", lambda: False)
    ask(8192)
    assert asked == [8192, 200]
