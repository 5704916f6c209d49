"""Time what torch.compile makes of the tokenizer and of the encoder behind it, forward and backward.

    OMP_NUM_THREADS=1 python benchmarks/compile.py [--parts group embed encoder] [--device cpu|cuda]

Grouping is left out unless asked for: compiling it takes minutes. Pieces are the graphs it falls into. The encoder is
a random ViT of the mini CLIP's size. Times of work are CPU time on a CPU; that of compiling is the clock's.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch import _dynamo as dynamo

from benchmarks.shared.tensors import SEED, clouds, seconds
from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.dependencies import load
from s4tok.tokenizers import Patches, build_tokenizer

N_CLOUDS, N_POINTS, N_TOKENS, PATCH_SIZE, WIDTH, LAYERS = 8, 2048, 64, 24, 192, 6


def parts(device: str) -> dict[str, tuple[Callable[..., Any], tuple[Tensor | Patches, ...]]]:
    """Give each part: the function to compile, and its arguments."""
    transformer = load("open_clip.transformer")
    tower = transformer.VisionTransformer(
        image_size=112, patch_size=16, width=WIDTH, layers=LAYERS, heads=WIDTH // 64, mlp_ratio=4.0, output_dim=128
    )
    points, superpoints = clouds(N_CLOUDS, N_POINTS, 40, device)
    tokenizer = build_tokenizer("s4token", width=WIDTH, n_tokens=N_TOKENS, patch_size=PATCH_SIZE).to(device)
    tokens = torch.randn(N_CLOUDS, N_TOKENS, WIDTH, device=device, requires_grad=True)
    return {
        "group": (tokenizer.group, (points, superpoints)),
        "embed": (tokenizer.embed, (tokenizer.group(points, superpoints),)),
        "encoder": (FrozenEncoder(tower.to(device)), (tokens,)),
    }


def forth_and_back(function: Callable[..., Any], arguments: tuple[Tensor | Patches, ...]) -> None:
    result: Tensor = function(*arguments)[0]
    if result.requires_grad:
        result.sum().backward()  # type: ignore[no-untyped-call]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=["embed", "encoder"], choices=["group", "embed", "encoder"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--repeat", type=int, default=15)
    given = parser.parse_args()
    torch.manual_seed(SEED)
    print(f"{N_CLOUDS} x {N_POINTS:,} points, {N_TOKENS} x {PATCH_SIZE}, width {WIDTH}, {LAYERS} layers, seed {SEED}")
    for name, (function, arguments) in parts(given.device).items():
        if name not in given.parts:
            continue
        pieces = dynamo.explain(function)(*arguments).graph_count
        dynamo.reset()
        compiled = torch.compile(function)
        start = time.perf_counter()
        forth_and_back(compiled, arguments)
        compiling = time.perf_counter() - start
        plain, fast = (
            1000 * seconds(partial(forth_and_back, each, arguments), given.repeat, given.device)
            for each in (function, compiled)
        )
        print(f"{name:<8} {pieces:3} pieces, {plain:.1f} ms, compiled {fast:.1f} ms, compiling took {compiling:.0f} s")


if __name__ == "__main__":
    main()
