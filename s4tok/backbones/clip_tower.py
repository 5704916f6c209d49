"""A frozen CLIP that reads tokens of points in place of patches of pixels."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from s4tok.errors import UsageError
from s4tok.shapes import Bool, Float, Real
from s4tok.tokenizers.distances import squared_distances
from s4tok.tokenizers.whole import mean_of_tokens


class Encoded(NamedTuple):
    """What the transformer made of a cloud's tokens."""

    whole: Float[Tensor, "b c"]  # of the cloud, in CLIP's space of images and texts
    hidden: Float[Tensor, "b m d"]  # of each token, in the transformer's width; `project` takes it to CLIP's space


class Layers(NamedTuple):
    """What the transformer made of a cloud's tokens on its way, in its own width."""

    whole: Float[Tensor, "b d"]  # the class token at the end
    hidden: tuple[Float[Tensor, "b m d"], ...]  # each token after one and two thirds of the blocks, and at the end


class FrozenEncoder(nn.Module):
    """An open_clip vision transformer without its eyes: patch embedding and table of positions are passed by.

    The sequence is [class embedding and its own position] + tokens, through `ln_pre`, all blocks, `ln_post` and the
    projection. Nothing of it is ever trained, gradients flow through it to the tokens.
    """

    def __init__(self, visual: nn.Module, *, checkpointing: bool = False, dtype: torch.dtype | None = None) -> None:
        """Take over a model's image tower, and freeze it.

        Args:
            visual: `open_clip.create_model(...).visual`, a plain ViT of any size.
            checkpointing: Compute activations again in the backward pass instead of keeping them.
            dtype: Hold the weights in this precision; bfloat16 halves memory and needs no autocast.
        """
        super().__init__()
        parts = ("class_embedding", "positional_embedding", "ln_pre", "transformer", "ln_post", "proj")
        if not all(hasattr(visual, part) for part in parts) or getattr(visual, "attn_pool", None) is not None:
            raise UsageError(
                f"the image tower is a {type(visual).__name__}, and points need a plain vision transformer.",
                "open_clip's models called ViT-* without SigLIP are such.",
            )
        tower: Any = visual if dtype is None else visual.to(dtype)  # open_clip has no types
        tower.requires_grad_(False).eval()
        tower.transformer.grad_checkpointing = checkpointing
        self.visual = tower

    @property
    def width(self) -> int:
        """Give the length d of a token."""
        return int(self.visual.class_embedding.shape[0])

    @property
    def output_width(self) -> int:
        """Give the length of a vector in CLIP's space."""
        return int(self.visual.proj.shape[1])

    @property
    def heads(self) -> int:
        """Give how many heads each attention has."""
        return int(self.visual.transformer.resblocks[0].attn.num_heads)

    def train(self, mode: bool = True) -> "FrozenEncoder":
        """Stay in evaluation mode, whatever the module around is told."""
        return super().train(False)

    def forward(
        self,
        tokens: Float[Tensor, "b m d"],
        is_token: Bool[Tensor, "b m"] | None = None,
        is_near: Bool[Tensor, "b m m"] | None = None,
    ) -> Encoded:
        """Encode tokens.

        Args:
            tokens: Of a batch of clouds.
            is_token: False for padding, which nothing attends to.
            is_near: Which token may attend to which, `within_reach` of it; the class token then attends to all and is
                attended to by none, since what it knows comes from everywhere. All attend to all where None.
        """
        visual = self.visual
        mask = self._attention_mask(is_token, is_near)
        read = visual.ln_post(visual.transformer(self._sequence(tokens), attn_mask=mask)).to(tokens.dtype)
        hidden = read[:, 1:]
        whole = read[:, 0] if visual.pool_type == "tok" else mean_of_tokens(hidden, is_token)
        return Encoded(whole=self.project(whole), hidden=hidden)

    def layers(
        self,
        tokens: Float[Tensor, "b m d"],
        is_token: Bool[Tensor, "b m"] | None = None,
        is_near: Bool[Tensor, "b m m"] | None = None,
    ) -> Layers:
        """Encode tokens as calling it does, and keep them after a third and two thirds of the blocks.

        Of 12 blocks these are the 4th and the 8th, Point-MAE's.
        """
        visual, mask = self.visual, self._attention_mask(is_token, is_near)
        sequence, kept, blocks = self._sequence(tokens), list[Tensor](), visual.transformer.resblocks
        depths = thirds(len(blocks))[:-1]
        for number, block in enumerate(blocks, 1):
            sequence = block(sequence, attn_mask=mask)
            kept += [sequence[:, 1:]] * depths.count(number)
        read = visual.ln_post(sequence)
        hidden = tuple(each.to(tokens.dtype) for each in (*kept, read[:, 1:]))
        return Layers(read[:, 0].to(tokens.dtype), hidden)

    def trainable(self) -> Iterator[nn.Parameter]:
        """Give the weights that are trained where the transformer is: its blocks, and the norms around them.

        The class token and its position keep what they are: where attention is limited no token attends to them.
        """
        for part in (self.visual.ln_pre, self.visual.transformer, self.visual.ln_post):
            yield from part.parameters()

    def _sequence(self, tokens: Float[Tensor, "b m d"]) -> Float[Tensor, "b l d"]:
        """Put the class token before the tokens, as the first block reads them."""
        visual, dtype = self.visual, self.visual.proj.dtype
        first = (visual.class_embedding + visual.positional_embedding[0]).to(dtype)
        sequence = torch.cat([first.expand(len(tokens), 1, -1), tokens.to(dtype)], dim=1)
        ready: Tensor = visual.ln_pre(sequence)
        return ready

    def project(self, hidden: Float[Tensor, "*b d"]) -> Float[Tensor, "*b c"]:
        """Take vectors of the transformer's width to CLIP's space."""
        projection: Tensor = self.visual.proj.to(hidden.dtype)
        return hidden @ projection

    def _attention_mask(
        self, is_token: Bool[Tensor, "b m"] | None, is_near: Bool[Tensor, "b m m"] | None
    ) -> Float[Tensor, "bh l l"] | None:
        """Say, for each head, what attends to what; None where all attend to all."""
        if is_near is None:
            if is_token is None or bool(is_token.all()):
                return None
            keys = functional.pad(is_token, (1, 0), value=True)  # the class token comes first
            allowed = keys[:, None].expand(-1, keys.shape[1], -1)
        else:
            shown = is_near if is_token is None else is_near & is_token[:, None]
            allowed = functional.pad(shown, (1, 0, 1, 0), value=False)
            allowed[:, 0] = True if is_token is None else functional.pad(is_token, (1, 0), value=True)
            allowed.diagonal(dim1=1, dim2=2).fill_(True)  # padding attends to itself: a row of nothing is not a number
        mask = torch.zeros(allowed.shape, device=allowed.device).masked_fill_(~allowed, -torch.inf)
        return mask.repeat_interleave(self.heads, dim=0)


def within_reach(xyz: Real[Tensor, "b m 3"], radius: Float[Tensor, " b"], reach: float) -> Bool[Tensor, "b m m"] | None:
    """Tell which tokens lie within `reach` grouping radii of each other; None, no limit, for a reach of 0.

    A transformer that was frozen on pictures of one thing takes the mean of what is there; in a room of many things
    that mean is one answer for all of them.
    """
    if not reach:
        return None
    return squared_distances(xyz, xyz) <= (reach * radius).square()[:, None, None]


def thirds(n_blocks: int) -> list[int]:
    """Say after how many blocks a third, two thirds and all of them are passed."""
    return [-(-n_blocks * part // 3) for part in (1, 2, 3)]
