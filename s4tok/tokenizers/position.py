"""Relative position normalisation inside a patch (eq. 3) and the place of a patch in its cloud (eq. 12)."""

import torch
from torch import Tensor, nn

from s4tok.shapes import Bool, Float, Float32


def relative_positions(
    patches: Float32[Tensor, "b m k 3"], centers: Float32[Tensor, "b m 3"], unit: Float32[Tensor, " b"]
) -> Float32[Tensor, "b m k 3"]:
    r"""Place each patch at the origin, in units of the cloud's grouping radius, eq. (3).

    .. math:: z_{tj} = (p_{tj} - p_t) / r

    `p_t` is the sampled centre and not the patch's mean, so no offset inside a ball is longer than 1. A unit of 1
    leaves the coordinates as they are, which is what tokenizers without this normalisation do.
    """
    return (patches - centers[:, :, None]) / unit[:, None, None, None]


def scaled_centers(
    centers: Float32[Tensor, "b m 3"], is_token: Bool[Tensor, "b m"], unit: Float32[Tensor, " b"]
) -> Float32[Tensor, "b m 3"]:
    """Measure centres from their mean, in a unit of length of each cloud's own.

    Eq. (12) takes them as they are, a unit of 1, which ties the token to the dataset's unit of length.
    """
    count = is_token.sum(1).clamp_min(1)[:, None, None]
    shown = is_token[..., None]
    offsets = (centers - (centers * shown).sum(1, keepdim=True) / count) * shown
    return offsets / unit[:, None, None]


class PositionEncoding(nn.Module):
    """Sines and cosines of a position, eq. (12), plus what an MLP has learned to make of them.

    The MLP's last layer starts at zero, so training begins with the printed encoding; with `hidden` 0 it stays that.
    """

    def __init__(self, width: int, band: tuple[float, float], amplitude: float, hidden: int = 0) -> None:
        super().__init__()
        self.width, self.band, self.amplitude = width, band, amplitude
        self.mlp: nn.Sequential | None = None
        if hidden:
            self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
            nn.init.zeros_(self.mlp[2].weight)  # type: ignore[arg-type]
            nn.init.zeros_(self.mlp[2].bias)  # type: ignore[arg-type]

    def forward(self, positions: Float32[Tensor, "b m 3"]) -> Float[Tensor, "b m d"]:
        """Encode positions."""
        waves = sincos(positions, self.width, self.band, 1.0)
        if self.mlp is None:
            return self.amplitude * waves
        learned: Tensor = self.mlp(waves.to(self.mlp[0].weight.dtype))  # type: ignore[arg-type]
        return self.amplitude * waves + learned


def sincos(
    positions: Float[Tensor, "b m 3"], width: int, band: tuple[float, float], amplitude: float
) -> Float[Tensor, "b m d"]:
    r"""Encode positions by sines, then cosines, of each axis, eq. (12).

    .. math:: \omega_j = high \cdot (low / high)^{j / (d / 6)}

    The printed :math:`10000^{-j/(d/6)}` is the band (1e-4, 1) with amplitude 1. A width that is no multiple of
    6 ends in zeros.
    """
    low, high = band
    n_bands = width // 6
    steps = torch.arange(n_bands, device=positions.device, dtype=positions.dtype) / max(n_bands, 1)
    phases = positions[..., None] * (high * (low / high) ** steps)
    waves = torch.cat([phases.sin(), phases.cos()], dim=-1).flatten(-2)
    return torch.nn.functional.pad(amplitude * waves, (0, width - waves.shape[-1]))
