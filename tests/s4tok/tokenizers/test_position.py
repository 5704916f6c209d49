import numpy as np
import torch

from s4tok.tokenizers.position import PositionEncoding, relative_positions, scaled_centers, sincos


def test_a_patch_looks_the_same_wherever_it_lies_and_however_large_it_is() -> None:
    patches, centers, radius = torch.randn(2, 5, 16, 3), torch.randn(2, 5, 3), torch.ones(2)
    shift = torch.tensor([3.0, -2.0, 9.0])
    moved = relative_positions(250.0 * patches + shift, 250.0 * centers + shift, 250.0 * radius)
    torch.testing.assert_close(moved, relative_positions(patches, centers, radius), atol=1e-5, rtol=1e-4)


def test_centres_are_measured_by_hand_in_a_unit() -> None:
    """Centres at 0 and 4 on a line, mean 2; a third is padding."""
    centers = torch.tensor([[[0.0, 0, 0], [4, 0, 0], [90, 0, 0]]])
    is_token = torch.tensor([[True, True, False]])
    for unit, expected in ((1.0, 2.0), (4.0, 0.5)):
        found = scaled_centers(centers, is_token, torch.tensor([unit]))
        torch.testing.assert_close(found[0, :, 0], torch.tensor([-expected, expected, 0.0]))


def test_learned_positions_start_as_the_printed_ones_and_then_move() -> None:
    positions = torch.randn(2, 5, 3)
    learned, fixed = (PositionEncoding(48, (1.6, 9.0), 0.3, hidden) for hidden in (16, 0))
    torch.testing.assert_close(learned(positions), fixed(positions))
    torch.testing.assert_close(fixed(positions), sincos(positions, 48, (1.6, 9.0), 0.3))
    assert not list(fixed.parameters())
    for _ in range(2):  # the last layer starts at zero, so the first hears of the loss one step later
        learned(positions).square().sum().backward()
        with torch.no_grad():
            for weight in learned.parameters():
                weight.sub_(0.01 * (torch.zeros_like(weight) if weight.grad is None else weight.grad))
    assert all(weight.grad is not None and weight.grad.abs().max() > 0 for weight in learned.parameters())
    assert (learned(positions) - fixed(positions)).abs().max() > 1e-3


def test_the_band_of_the_paper_gives_the_printed_frequencies() -> None:
    positions = torch.tensor([[[0.3, -1.2, 2.0]]], dtype=torch.float64)
    width = 48
    found = sincos(positions, width, (1e-4, 1.0), 1.0)[0, 0].numpy()
    expected = []
    for axis in positions[0, 0].tolist():
        phases = [axis * 10000 ** (-j / (width / 6)) for j in range(width // 6)]
        expected += [np.sin(p) for p in phases] + [np.cos(p) for p in phases]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_width_that_is_no_multiple_of_six_ends_in_zeros() -> None:
    encoding = sincos(torch.randn(1, 4, 3), 64, (1.6, 9.0), 0.3)
    assert encoding.shape == (1, 4, 64)
    assert (encoding[..., 60:] == 0).all()
    assert encoding.abs().max() <= 0.3
    assert (encoding[..., :60] != 0).any(1).all()
