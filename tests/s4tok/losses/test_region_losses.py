import torch

from s4tok.losses.region_losses import instance_loss, masked_loss, region_loss


def test_the_region_loss_is_the_weighted_mean_of_seen_regions_then_of_clouds() -> None:
    features, targets = torch.zeros(3, 2, 4), torch.zeros(3, 2, 4)
    features[0, 0], features[0, 1], features[1, 0] = 1.0, 3.0, 10.0
    is_seen = torch.tensor([[True, True], [True, False], [False, False]])
    weights = torch.tensor([[2.0, 0.5], [1.0, 9.0], [9.0, 9.0]])
    # The first cloud: (2 x 1 + .5 x 3) / 2 = 1.75; the second 10; of the third nothing was seen.
    assert float(region_loss(features, targets, is_seen, weights)) == (1.75 + 10) / 2


def test_what_was_not_seen_has_no_gradient() -> None:
    features = torch.randn(1, 3, 5, requires_grad=True)
    seen = torch.tensor([[True, False, True]])
    region_loss(features, torch.zeros(1, 3, 5), seen, torch.ones(1, 3)).backward()  # type: ignore[no-untyped-call]
    assert features.grad is not None
    assert features.grad.abs().sum(2).gt(0).tolist() == seen.tolist()
    assert region_loss(features, torch.zeros(1, 3, 5), ~seen & seen, torch.ones(1, 3)).item() == 0


def test_masked_tokens_count_alike_whatever_their_cloud() -> None:
    predicted, targets = torch.zeros(2, 3, 4), torch.zeros(2, 3, 4)
    predicted[0], predicted[1, 0], predicted[1, 1:] = 1.0, 2.0, 100.0
    is_masked = torch.tensor([[True, True, True], [True, False, False]])
    assert float(masked_loss(predicted, targets, is_masked)) == (3 * 1 + 4) / 4
    assert float(masked_loss(predicted, targets, torch.zeros_like(is_masked))) == 0


def test_the_instance_loss_is_a_mean_of_squares() -> None:
    assert float(instance_loss(torch.tensor([[1.0, 3.0], [0.0, 0.0]]), torch.zeros(2, 2))) == 2.5
