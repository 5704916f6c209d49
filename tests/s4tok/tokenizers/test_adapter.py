import pytest
import torch
from torch import nn

from s4tok.tokenizers.adapter import PointNet


def patches(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    points = torch.randn(3, 5, 7, 3, generator=draw, dtype=dtype)
    is_member = torch.rand(3, 5, 7, generator=draw) < 0.6
    is_member[..., 0] = True
    return points, is_member


def point_bert(net: PointNet, points: torch.Tensor) -> torch.Tensor:
    """The adapter as Point-BERT writes it, for one patch, all points valid, in evaluation mode."""
    local = net.local(net.point_norm(net.point(points)).relu())
    both = torch.cat([local.amax(0).expand_as(local), local], dim=1)
    weight = torch.cat([net.mix_patch.weight, net.mix_point.weight], dim=1)
    tokens: torch.Tensor = net.token(net.mix_norm(both @ weight.T).relu()).amax(0)
    return tokens


def test_each_patch_is_read_as_point_bert_reads_it_without_its_padding() -> None:
    points, is_member = patches()
    net = PointNet(24, widths=(16, 32, 40))
    for _ in range(3):  # running statistics that are not the initial ones
        net(points, is_member)
    net.eval()
    tokens = net(points, is_member)
    for cloud in range(3):
        for patch in range(5):
            alone = point_bert(net, points[cloud, patch][is_member[cloud, patch]])
            torch.testing.assert_close(tokens[cloud, patch], alone)


@pytest.mark.parametrize("training", [True, False])
def test_what_stands_in_the_padding_changes_nothing(training: bool) -> None:
    points, is_member = patches(1)
    net = PointNet(24, widths=(16, 32, 40)).train(training)
    clean = net(points, is_member)
    dirty = torch.where(is_member[..., None], points, 1e6)
    torch.testing.assert_close(net(dirty, is_member), clean, rtol=0, atol=0)


def test_a_known_number_of_members_changes_nothing() -> None:
    points, is_member = patches(4)
    net = PointNet(24, widths=(16, 32, 40)).train()
    assert torch.equal(net(points, is_member, int(is_member.sum())), net(points, is_member))


def test_rooms_begin_as_objects_and_have_scales_and_shifts_of_their_own() -> None:
    points, is_member = patches(3)
    torch.manual_seed(0)
    plain = PointNet(24, widths=(16, 32, 40)).eval()
    net = PointNet(24, widths=(16, 32, 40), by_scene=True).eval()
    net.load_state_dict(plain.state_dict(), strict=False)
    is_room, count = torch.tensor([False, True, False]), int(is_member.sum())
    as_object = plain(points, is_member)
    assert torch.equal(net(points, is_member, None, is_room), as_object)
    assert net.rooms is not None
    draw = torch.Generator().manual_seed(1)
    for weight in net.rooms.parameters():
        weight.data.normal_(generator=draw)
    tokens = net(points, is_member, count, is_room)
    assert torch.equal(tokens[[0, 2]], as_object[[0, 2]])
    first, second, last = ((1 + each.get_parameter("scale"), each.get_parameter("shift")) for each in net.rooms)
    for patch in range(5):
        rows = points[1, patch][is_member[1, patch]]
        local = net.local((net.point_norm(net.point(rows)) * first[0] + first[1]).relu())
        mixed = net.mix_norm(net.mix_point(local) + net.mix_patch(local.amax(0)))
        each = net.token((mixed * second[0] + second[1]).relu()) * last[0] + last[1]
        torch.testing.assert_close(tokens[1, patch], each.amax(0))


def test_the_order_and_repetition_of_points_change_nothing() -> None:
    points, is_member = patches(2)
    net = PointNet(24, widths=(16, 32, 40)).eval()
    shuffled = torch.randperm(7)
    torch.testing.assert_close(net(points[:, :, shuffled], is_member[:, :, shuffled]), net(points, is_member))
    twice, both = torch.cat([points, points], dim=2), torch.cat([is_member, is_member], dim=2)
    torch.testing.assert_close(net(twice, both), net(points, is_member))


def test_statistics_are_those_of_members_alone() -> None:
    points, is_member = patches(3)
    net = PointNet(24, widths=(16, 32, 40))
    net(points, is_member)
    rows = net.point(points[is_member]).detach()
    torch.testing.assert_close(net.point_norm.running_mean, 0.1 * rows.mean(0))


def test_empty_and_single_point_patches_are_numbers_in_training_too() -> None:
    points, is_member = patches(4)
    net = PointNet(24, widths=(16, 32, 40)).train()
    only_one = torch.zeros_like(is_member)
    only_one[0, 0, 0] = True
    tokens = net(points, only_one)
    assert tokens.isfinite().all()
    assert (tokens[1:] == 0).all()


def test_gradients_are_those_of_finite_differences() -> None:
    points, is_member = patches(5, torch.float64)
    net = PointNet(6, widths=(4, 5, 6)).double()
    nn.init.normal_(net.point_norm.weight)
    some, members = points[:1, :2].clone().requires_grad_(), is_member[:1, :2]
    assert torch.autograd.gradcheck(lambda patch: net(patch, members), (some,))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_points_that_are_equally_high_share_the_gradient_whatever_its_sign(sign: float) -> None:
    points, is_member = patches(6)
    net = PointNet(24, widths=(16, 32, 40)).eval()
    once, twice = points.clone().requires_grad_(), torch.cat([points, points], dim=2).requires_grad_()
    (sign * net(once, is_member)).sum().backward()
    (sign * net(twice, torch.cat([is_member, is_member], dim=2))).sum().backward()
    assert once.grad is not None
    assert twice.grad is not None
    torch.testing.assert_close(twice.grad[:, :, :7], once.grad / 2)
    torch.testing.assert_close(twice.grad[:, :, 7:], once.grad / 2)
