"""What tests of heads share: a batch as a transformer might have read it."""

import torch
from torch.nn import functional

from s4tok.heads.read import DEPTHS, Read
from s4tok.shapes import Float, Int
from s4tok.tokenizers import Tokens


def read_of(
    xyz: Float[torch.Tensor, "b m 3"], superpoints: Int[torch.Tensor, "b m"], width: int = 8, seed: int = 0
) -> Read:
    """Stand tokens of random features at these places; the last of each cloud is none."""
    draw = torch.Generator().manual_seed(seed)
    b, m = superpoints.shape
    layers = tuple(torch.randn(b, m, width, generator=draw) for _ in range(DEPTHS))
    is_token = torch.ones(b, m, dtype=torch.bool)
    is_token[:, -1] = m == 1
    tokens = Tokens(layers[0], layers[0], xyz, superpoints, is_token, torch.ones(b))
    return Read(layers, torch.randn(b, width, generator=draw), tokens)


def clouds(b: int = 2, m: int = 6, n: int = 30) -> tuple[Read, Float[torch.Tensor, "b n 3"], Int[torch.Tensor, "b n"]]:
    """Make clouds whose superpoints are octants, and tokens in some of these."""
    draw = torch.Generator().manual_seed(1)
    points = functional.normalize(torch.randn(b, n, 3, generator=draw), dim=2)
    octants = (points > 0).long() @ torch.tensor([1, 2, 4])
    return read_of(points[:, :m], octants[:, :m]), points, octants
