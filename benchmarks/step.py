"""Time one whole training step, forward, backward and optimiser, and say where the time goes.

    OMP_NUM_THREADS=1 python benchmarks/step.py [--clip ViT-B-16] [--batch 1 8] [--device cpu|cuda] [--bf16]
    OMP_NUM_THREADS=1 python benchmarks/step.py --preset toy [--tokenizer knn] [--distill-pass masked] --batch 16

Random weights, and with `--preset toy` a tower of the mini CLIP's size: the time does not depend on them. FLOPs are
counted by torch for one step; the share of peak is theirs over what a matrix product of the tower's own size reaches
here, in the same precision.
"""

import argparse
import logging
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.shared.tensors import SEED, clouds, peak_bytes, seconds
from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.config import RunConfig
from s4tok.dependencies import load
from s4tok.objectives.s4token import S4Token
from s4tok.objectives.training_clouds import Batch
from s4tok.tokenizers import Tokenizer

N_POINTS, N_CELLS = 2048, 40


def batch_of(n_clouds: int, width: int, device: str) -> Batch:
    points, superpoints = clouds(n_clouds, N_POINTS, N_CELLS, device)
    draw = torch.Generator().manual_seed(SEED)
    return Batch(
        points=points,
        superpoints=superpoints,
        is_point=torch.ones(n_clouds, N_POINTS, dtype=torch.bool),
        local_targets=torch.randn(n_clouds, N_CELLS, width, generator=draw),
        is_seen=torch.ones(n_clouds, N_CELLS, dtype=torch.bool),
        global_targets=torch.randn(n_clouds, width, generator=draw),
        seeds=torch.arange(n_clouds),
    ).to(device)


def reachable_flops(width: int, device: str, dtype: torch.dtype) -> float:
    """Measure what a product as large as the tower's MLP reaches, in operations a second."""
    rows = 16384 if device == "cuda" else 1024
    one, other = (
        torch.randn(rows, width, device=device).to(dtype),
        torch.randn(width, 4 * width, device=device).to(dtype),
    )
    return 2 * rows * width * 4 * width / seconds(lambda: one @ other, 10, device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", default="ViT-B-16")
    parser.add_argument("--preset", default="paper", choices=["paper", "toy"])
    parser.add_argument("--tokenizer", default="s4token")
    parser.add_argument("--distill-pass", choices=["masked", "full", "both"])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--bf16", action="store_true", help="Hold CLIP in bfloat16.")
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--repeat", type=int, default=2)
    given = parser.parse_args()

    torch.manual_seed(SEED)
    dtype = torch.bfloat16 if given.bf16 else torch.float32
    logging.disable(logging.WARNING)  # open_clip warns that weights are random, as they are meant to be
    config = RunConfig.of(given.preset)
    tokens = replace(config.tokenizer, tokenizer=given.tokenizer)
    training = replace(config.training, distill_pass=given.distill_pass or config.training.distill_pass)
    visual = tower(given.clip, given.preset).to(given.device)
    encoder = FrozenEncoder(visual, checkpointing=given.checkpointing, dtype=dtype)
    tokenizer = Tokenizer(tokens, width=encoder.width)
    model = S4Token(tokenizer, encoder, training, config.clusters).to(given.device)
    optimizer = torch.optim.AdamW(weight for weight in model.parameters() if weight.requires_grad)
    peak = reachable_flops(encoder.width, given.device, dtype)
    tower_name = given.clip if given.preset == "paper" else "a tower of the mini CLIP's size"
    print(f"{tower_name}, {given.device}, {dtype}, {given.tokenizer}, {training.distill_pass} pass")
    print(f"{N_POINTS} points, {tokens.n_tokens} x {tokens.patch_size}, seed {SEED}")
    print(f"reachable: {peak / 1e9:.0f} GFLOP/s")

    for n_clouds in given.batch:
        batch = batch_of(n_clouds, encoder.output_width, given.device)

        def step(batch: Batch = batch) -> None:
            optimizer.zero_grad()
            model(batch)["total"].backward()
            optimizer.step()
            model.update_teacher(0.5)

        with FlopCounterMode(display=False) as counter:
            step()
        patches = tokenizer.group(batch.points, batch.superpoints)
        took = {
            "step": seconds(step, given.repeat, given.device),
            "of it grouping": seconds(partial(tokenizer.group, *batch[:2]), given.repeat, given.device),
            "of it teacher": seconds(partial(teacher, model, patches), given.repeat, given.device),
        }
        flops = counter.get_total_flops()
        print(f"batch {n_clouds}: " + ", ".join(f"{name} {1000 * value:.0f} ms" for name, value in took.items()))
        share, peak_memory = flops / took["step"] / peak, peak_bytes(given.device) / 2**30
        print(f"  {flops / 1e9:.0f} GFLOP, {100 * share:.0f} % of reachable, peak memory {peak_memory:.2f} GB")


def tower(clip: str, preset: str) -> Any:
    open_clip = load("open_clip")
    if preset == "paper":
        return open_clip.create_model(clip, load_weights=False).visual
    return open_clip.transformer.VisionTransformer(112, 16, width=192, layers=6, heads=3, mlp_ratio=4, output_dim=128)


def teacher(model: S4Token, patches: Any) -> None:
    with torch.no_grad():
        tokens = model.teacher.embed(patches)
        model.encoder(tokens.tokens, tokens.is_token)


if __name__ == "__main__":
    main()
