from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s4tok.errors import InputError, UsageError
from s4tok.tokenizers import TOKENIZERS, Patches, Tokenizer, Variant, build_tokenizer, tokenizer
from s4tok.tokenizers.order import SortedClouds

Make = Callable[..., tuple[Tensor, Tensor]]
NORMALISED = [name for name, variant in TOKENIZERS.items() if variant.unit != "cloud"]
SEEDS = torch.tensor([11, 12])


def small(name: str, **more: Any) -> Tokenizer:
    torch.manual_seed(0)
    one = build_tokenizer(
        name, width=48, **{"n_tokens": 24, "patch_size": 12, "adapter_widths": (8, 16, 16), **more}
    ).eval()
    if one.position.mlp is not None:
        for weight in one.position.mlp[2].parameters():
            torch.nn.init.normal_(weight, std=0.1)  # as if it had learned something
    return one


def same(one: Tokenizer, a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor], atol: float) -> None:
    torch.testing.assert_close(one(*a, seeds=SEEDS).tokens, one(*b, seeds=SEEDS).tokens, rtol=0, atol=atol)


@pytest.mark.parametrize("name", NORMALISED)
@pytest.mark.parametrize("factor", [1e-3, 3.0, 1e3])
def test_tokens_do_not_know_the_unit_of_length_nor_the_place(clouds: Make, name: str, factor: float) -> None:
    points, superpoints = clouds()
    shift = torch.tensor([431_250.0, -4_581_900.0, 120.0], dtype=torch.float64) * factor
    for scale in ("radius", "spread"):
        same(small(name, pe_scale=scale), (points, superpoints), (points * factor + shift, superpoints), 1e-5)


def test_every_device_makes_the_same_patches_and_nearly_the_same_tokens(clouds: Make, device: str) -> None:
    points, superpoints = clouds()
    one = small("s4token")
    here, there = (
        one.group(points, superpoints),
        small("s4token").to(device).group(points.to(device), superpoints.to(device)),
    )
    assert torch.equal(there.superpoints.cpu(), here.superpoints)
    assert torch.equal(there.is_member.cpu(), here.is_member)
    torch.testing.assert_close(there.offsets.cpu(), here.offsets, rtol=0, atol=1e-5)
    tokens = one.to(device).embed(there).tokens
    torch.testing.assert_close(tokens.cpu(), small("s4token").embed(here).tokens, rtol=0, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(exponent=st.floats(-3, 3), seed=st.integers(0, 2**40))
def test_s4token_survives_any_scale_in_float32(exponent: float, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    points = torch.randn(1, 300, 3, generator=draw)
    superpoints = (points[..., 0] > 0).long() + 2 * (points[..., 1] > 0.3).long()
    patches = [
        small("s4token").group(points * factor, superpoints, seeds=torch.tensor([seed]))
        for factor in (1.0, 10.0**exponent)
    ]
    torch.testing.assert_close(patches[1].offsets, patches[0].offsets, rtol=0, atol=1e-5)
    torch.testing.assert_close(patches[1].positions, patches[0].positions, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["knn", "ball", "spt"])
def test_plain_tokens_do_know_the_unit_of_length(clouds: Make, name: str) -> None:
    points, superpoints = clouds()
    one = small(name)
    assert (one(points, superpoints).tokens - one(3 * points, superpoints).tokens).abs().max() > 0.05
    same(one, (points, superpoints), (points + 5.0, superpoints), 1e-5)


def test_the_printed_position_encoding_knows_the_unit_of_length(clouds: Make) -> None:
    points, superpoints = clouds()
    one = small("s4token", pe_scale="none")
    assert (one(points, superpoints).tokens - one(3 * points, superpoints).tokens).abs().max() > 0.05


@pytest.mark.parametrize("more", [{"n_tokens": 60}, {"alpha": 2.0}])
def test_positions_are_in_a_unit_that_neither_the_number_of_tokens_nor_alpha_changes(
    clouds: Make, more: dict[str, float]
) -> None:
    points, superpoints = clouds()
    one, other = (small("s4token", **each).group(points, superpoints, seeds=SEEDS) for each in ({}, more))
    assert not torch.allclose(one.radius, other.radius, rtol=0.1)
    apart = [(each.positions[:, 1] - each.positions[:, 0], each.xyz[:, 1] - each.xyz[:, 0]) for each in (one, other)]
    units = [in_xyz.norm(dim=1) / encoded.norm(dim=1) for encoded, in_xyz in apart]
    torch.testing.assert_close(units[0], units[1])
    torch.testing.assert_close(units[0], (points - points.mean(1, keepdim=True)).norm(dim=2).square().mean(1).sqrt())


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_order_of_points_never_changes_a_token(clouds: Make, name: str) -> None:
    points, superpoints = clouds(1)
    points = (points * 16).round() / 16  # many points share a place, many distances tie
    shuffle = torch.randperm(points.shape[1])
    same(small(name), (points, superpoints), (points[:, shuffle], superpoints[:, shuffle]), 0)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_batch_gives_what_each_cloud_gives_alone_and_padding_changes_nothing(clouds: Make, name: str) -> None:
    points, superpoints = clouds(2)
    points = (points * 32).round() / 32  # ties: a longer row must not break them otherwise
    is_point = torch.ones_like(superpoints, dtype=torch.bool)
    is_point[1, 350:] = False
    points[1, 350:], superpoints[1, 350:] = torch.nan, 7
    one = small(name)
    batch = one(points, superpoints, is_point=is_point, seeds=SEEDS)
    for cloud, size in enumerate((600, 350)):
        alone = one(points[cloud : cloud + 1, :size], superpoints[cloud : cloud + 1, :size], seeds=SEEDS[cloud, None])
        torch.testing.assert_close(batch.tokens[cloud], alone.tokens[0], rtol=0, atol=1e-6)
        assert (batch.xyz[cloud] == alone.xyz[0]).all()
        assert (batch.superpoints[cloud] == alone.superpoints[0]).all()


def test_padding_leaves_the_statistics_of_training_alone(clouds: Make) -> None:
    points, superpoints = clouds(2, n_clouds=1)
    wide = torch.cat([points, torch.full_like(points, 1e6)], dim=1)
    labels = torch.cat([superpoints, superpoints], dim=1)
    is_point = torch.arange(1200)[None] < 600
    one, other = small("s4token").train(), small("s4token").train()
    torch.testing.assert_close(other(wide, labels, is_point=is_point).tokens, one(points, superpoints).tokens)


@pytest.mark.parametrize("name", ["s4token", "spt", "spt+rpn", "knn+rpn+spt"])
def test_a_patch_lies_in_one_superpoint(clouds: Make, name: str) -> None:
    points, superpoints = clouds(3)
    patches = small(name).group(points, superpoints, seeds=SEEDS)
    rows = torch.arange(2)[:, None, None]
    assert (superpoints[rows, patches.members] == patches.superpoints[..., None]).all()


def test_a_row_may_bring_its_own_way_to_choose_centres(clouds: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def lowest(sorted_clouds: SortedClouds, n_tokens: int, seeds: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
        chosen = sorted_clouds.xyz[..., 2].argsort(dim=1, stable=True)[:, :n_tokens]
        return chosen, torch.ones_like(chosen, dtype=torch.bool)

    monkeypatch.setattr(tokenizer, "TOKENIZERS", {"lowest": Variant("nearest", sample=lowest)})
    points, _ = clouds()
    patches = small("lowest").group(points, seeds=SEEDS)
    expected = points[..., 2].sort(dim=1).values[:, :24]
    torch.testing.assert_close(patches.xyz[..., 2], expected, rtol=0, atol=1e-6)


def test_context_shows_the_ball_and_marks_the_centres_superpoint(clouds: Make) -> None:
    points, superpoints = clouds(3)
    patches = small("s4token+context").group(points, superpoints, seeds=SEEDS)
    assert patches.features is not None
    rows = torch.arange(2)[:, None, None]
    inside = superpoints[rows, patches.members] == patches.superpoints[..., None]
    assert torch.equal(patches.features[..., 0] == 1, inside)
    assert 0.1 < inside[patches.is_member].float().mean() < 0.9
    assert inside[..., 0].all()  # the centre itself
    printed = small("s4token").group(points, superpoints, seeds=SEEDS)
    assert torch.equal(patches.centers, printed.centers)  # superpoints choose the same centres
    colored = small("s4token+context", n_features=3).group(
        points, superpoints, features=torch.rand(2, 600, 3), seeds=SEEDS
    )
    assert colored.features is not None
    assert colored.features.shape[-1] == 4
    assert torch.equal(colored.features[..., 0], patches.features[..., 0])


def test_the_mark_of_a_superpoint_changes_a_token(clouds: Make) -> None:
    points, superpoints = clouds(3)
    one = small("s4token+context")
    patches = one.group(points, superpoints, seeds=SEEDS)
    assert patches.features is not None
    unmarked = patches._replace(features=torch.ones_like(patches.features))
    assert (one.embed(patches).tokens - one.embed(unmarked).tokens).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["s4token", "s4token+context", "ball+rpn", "ball"])
@pytest.mark.parametrize("alpha", [1.0, 1.7])
def test_a_ball_lies_within_its_radius(clouds: Make, name: str, alpha: float) -> None:
    points, superpoints = clouds(3)
    patches = small(name, alpha=alpha).group(points, superpoints, seeds=SEEDS)
    rows = torch.arange(2)[:, None, None]
    offsets = points[rows, patches.members] - patches.xyz[:, :, None]
    assert (offsets.norm(dim=-1) <= patches.radius[:, None, None] * (1 + 1e-6)).all()
    assert patches.offsets.norm(dim=-1).max() <= (1 + 1e-6 if name != "ball" else patches.radius.max() * (1 + 1e-6))


def test_radius_grows_with_alpha_and_sphere_measures_the_whole_cloud(clouds: Make) -> None:
    points, superpoints = clouds(3)
    one, two = (small("s4token", alpha=alpha).group(points, superpoints).radius for alpha in (1.0, 2.0))
    torch.testing.assert_close(two, 2 * one)
    patches = small("knn-sphere").group(points)
    offsets = points[torch.arange(2)[:, None, None], patches.members] - patches.xyz[:, :, None]
    sphere = (points - points.mean(1, keepdim=True)).norm(dim=2).amax(1)[:, None, None, None]
    torch.testing.assert_close(patches.offsets, (offsets / sphere).float(), rtol=0, atol=1e-6)


def test_superpoints_do_not_move_the_tokens_of_tokenizers_without_them(clouds: Make) -> None:
    points, superpoints = clouds(4)
    one = small("ball+rpn")
    torch.testing.assert_close(one(points).tokens, one(points, superpoints).tokens, rtol=0, atol=0)
    assert (one(points, superpoints).superpoints > 0).any()


def awkward(kind: str) -> tuple[Tensor, Tensor]:
    points, labels = torch.randn(2, 60, 3), torch.zeros(2, 60, dtype=torch.int64)
    if kind == "identical":
        points = torch.ones(2, 60, 3)
    if kind == "all in tiny superpoints":
        labels = torch.arange(60).expand(2, -1)
    if kind == "gaps between superpoints":
        labels = torch.randint(0, 5, (2, 60)) * 1000
    if kind == "two points":
        points, labels = points[:, :2], labels[:, :2]
    return points, labels


@pytest.mark.parametrize("kind", ["identical", "all in tiny superpoints", "gaps between superpoints", "two points"])
@pytest.mark.parametrize("name", ["knn-sphere", "spt+rpn", "s4token"])
def test_awkward_clouds_give_numbers(name: str, kind: str) -> None:
    points, labels = awkward(kind)
    tokens = small(name).train()(points, labels)
    assert tokens.tokens.isfinite().all()
    assert (tokens.radius > 0).all()
    if kind == "identical":
        assert tokens.is_token.sum(1).tolist() == [1, 1]


def test_one_token_of_a_cloud_is_scaled_by_the_cloud_itself(clouds: Make) -> None:
    points, superpoints = clouds(5)
    one = small("s4token")
    alone = build_tokenizer("s4token", width=48, n_tokens=1, patch_size=12).eval()
    assert one.config.n_tokens == 24
    same(alone, (points, superpoints), (7 * points, superpoints), 1e-5)


def test_features_of_points_arrive_beside_their_offsets(clouds: Make) -> None:
    points, superpoints = clouds(6)
    color = torch.rand(2, 600, 3)
    one = small("s4token", n_features=3)
    patches = one.group(points, superpoints, features=color)
    assert patches.features is not None
    torch.testing.assert_close(patches.features, color[torch.arange(2)[:, None, None], patches.members])
    plain = one.embed(patches).tokens
    assert (plain - one(points, superpoints, features=1 - color).tokens).abs().max() > 1e-3


def test_taking_patches_takes_everything_of_them(clouds: Make) -> None:
    points, superpoints = clouds(7)
    one = small("s4token")
    patches = one.group(points, superpoints)
    which = torch.tensor([[3, 0, 9], [5, 6, 7]])
    some = patches.take(which, torch.ones_like(which, dtype=torch.bool))
    whole = one.embed(patches)
    rows = torch.arange(2)[:, None]
    for field in ("tokens", "encodings", "xyz", "superpoints"):
        torch.testing.assert_close(getattr(one.embed(some), field), getattr(whole, field)[rows, which])


def test_a_tokenizer_is_told_which_clouds_are_rooms_one_by_one_or_by_the_kind_of_all(clouds: Make) -> None:
    points, superpoints = clouds(8)
    one = small("s4token", by_scene=True)
    assert one.adapter.rooms is not None
    for weight in one.adapter.rooms.parameters():
        torch.nn.init.normal_(weight)
    told = one.group(points, superpoints, seeds=SEEDS, is_room=torch.tensor([False, True]))
    mixed = one.embed(told).tokens
    as_objects = one(points, superpoints, seeds=SEEDS).tokens
    one.scene = "room"
    as_rooms = one(points, superpoints, seeds=SEEDS).tokens
    assert torch.equal(mixed[0], as_objects[0])
    assert torch.equal(mixed[1], as_rooms[1])
    assert (as_objects - as_rooms).abs().amax(2).min() > 0.01
    which = torch.tensor([[3, 0], [5, 6]])
    some = one.embed(told.take(which, torch.ones_like(which, dtype=torch.bool))).tokens
    torch.testing.assert_close(some, mixed[torch.arange(2)[:, None], which])
    assert small("s4token").group(points, superpoints).is_room is None


def test_the_fill_histogram_counts_each_token_once(clouds: Make) -> None:
    patches: Patches = small("s4token").group(*clouds(8))
    histogram = patches.fill_histogram()
    assert histogram.sum() == 48
    assert histogram[0] == 0
    assert (histogram * torch.arange(13)).sum() == patches.is_member.sum()


@pytest.mark.parametrize(
    ("points", "superpoints", "sentence"),
    [
        (torch.zeros(1, 9, 3), None, "needs each point's superpoint"),
        (torch.zeros(1, 9, 3), torch.full((1, 9), -1), "superpoints count from 0, and one point has -1"),
        (torch.zeros(1, 9, 3, dtype=torch.int64), torch.zeros(1, 9, dtype=torch.int64), "must be floats"),
        (torch.zeros(1, 0, 3), torch.zeros(1, 0, dtype=torch.int64), r"these are \(1, 0, 3\)"),
        (torch.full((1, 9, 3), torch.nan), torch.zeros(1, 9, dtype=torch.int64), "9 points are not finite"),
    ],
)
def test_what_cannot_be_tokenized_is_refused_in_one_sentence(
    points: Tensor, superpoints: Tensor | None, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        small("s4token")(points, superpoints)


def test_the_printed_positions_are_two_settings_away() -> None:
    printed = build_tokenizer("s4token", width=48, pe="fixed", pe_scale="none").position
    assert (printed.band, printed.amplitude, printed.mlp) == ((1e-4, 1.0), 1.0, None)


def test_an_unknown_tokenizer_is_answered_with_the_table() -> None:
    with pytest.raises(UsageError, match="no tokenizer is called 's4tokn'; there are: knn, ball") as caught:
        build_tokenizer("s4tokn", width=48)
    assert caught.value.hint == "did you mean 's4token'?"
    with pytest.raises(UsageError, match="no setting of tokenizers is called 'n_token'") as caught:
        build_tokenizer("s4token", n_token=3)
    assert caught.value.hint == "did you mean 'n_tokens'?"


def test_what_pads_a_cloud_may_be_anything(clouds: Make) -> None:
    points, superpoints = clouds(8)
    is_point = torch.ones(superpoints.shape, dtype=torch.bool)
    is_point[:, -1] = False
    points[:, -1] = torch.nan
    assert small("s4token")(points, superpoints, is_point=is_point).tokens.isfinite().all()


@pytest.mark.parametrize("name", ["region", "region+rpn"])
def test_a_region_token_stands_at_the_mean_of_its_region_and_reads_some_of_its_points(clouds: Make, name: str) -> None:
    points, superpoints = clouds()
    patches = small(name, smallest_center=5).group(points, superpoints, seeds=SEEDS)
    for cloud in range(2):
        tokens = patches.is_token[cloud].nonzero()[:, 0].tolist()
        assert len(set(patches.superpoints[cloud, tokens].tolist())) == len(tokens)
        for token in tokens:
            mine = superpoints[cloud] == patches.superpoints[cloud, token]
            torch.testing.assert_close(patches.xyz[cloud, token], points[cloud, mine].mean(0), rtol=0, atol=1e-5)
            members = patches.members[cloud, token][patches.is_member[cloud, token]]
            assert len(members) == min(12, int(mine.sum())) == len(set(members.tolist()))
            assert mine[members].all()
            unit = patches.radius[cloud] if name == "region+rpn" else 1.0
            offsets = (points[cloud, members] - patches.xyz[cloud, token]) / unit
            found = patches.offsets[cloud, token][patches.is_member[cloud, token]]
            torch.testing.assert_close(found, offsets.float(), rtol=0, atol=1e-5)


def test_grouping_as_another_tokenizer_keeps_the_weights_and_gives_that_ones_patches(clouds: Make) -> None:
    points, superpoints = clouds()
    changed, other = small("region"), small("knn", n_tokens=12)
    changed.regroup(other.config)
    other.load_state_dict(changed.state_dict())
    assert torch.equal(changed(points, superpoints, seeds=SEEDS).tokens, other(points, superpoints, seeds=SEEDS).tokens)
    with pytest.raises(UsageError, match="read points otherwise"):
        changed.regroup(small("s4token+context").config)
