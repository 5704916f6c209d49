"""Time what runs on a GPU, stage by stage, beside what the card can reach.

    python benchmarks/gpu.py [--json] [--only step clip ...] [--repeat 10]
    OMP_NUM_THREADS=1 python benchmarks/gpu.py --device cpu

On a CPU, the default where there is no GPU, the same at a tiny size.
Random data; the CLIP of the paper's step is a ViT-B-16 of random weights, that of the toy step the mini CLIP. Times are
medians by CUDA events. The share is of what a large product of matrices reaches on this card, in bfloat16; of a copy
where a row says so. Launches and waits are those of one run: waits are the times that the processor stands still until
the GPU has answered. Needs torch, numpy, safetensors, jaxtyping, and for CLIPs open_clip_torch.
"""

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn

from benchmarks.shared.device import Reach, flops_of, launches, machine, milliseconds, reach, waits
from benchmarks.shared.tensors import SEED, clouds
from benchmarks.step import batch_of
from s4tok.backbones.arithmetic import lower
from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.clouds import PointCloud
from s4tok.config import RunConfig, ViewConfig
from s4tok.config.kinds import PretrainPreset
from s4tok.objectives.s4token import S4Token
from s4tok.optim.optimizers import build_optimizer
from s4tok.rendering.cameras import ten_views
from s4tok.rendering.depth_views import depth_views
from s4tok.rendering.object_views import object_views
from s4tok.tokenizers import Tokenizer, build_tokenizer
from s4tok.tokenizers.propagation import propagate
from s4tok.tokenizers.sampling import weighted_farthest_points
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.lifting import lift, points_at_pixels


@dataclass(frozen=True)
class Size:
    """How large the work is."""

    clip: str
    paper_batch: int
    toy_batch: int
    images: tuple[int, ...]
    room: int  # points of a room
    room_tokens: int
    points: int  # that features are carried to


LARGE = Size("ViT-B-16", 128, 16, (10, 64, 256), 100_000, 2048, 1_000_000)
TINY = Size("mini", 2, 2, (10,), 5_000, 128, 20_000)
N_POINTS, N_CELLS, N_TOKENS, PATCH_SIZE, WIDTH = 2048, 40, 128, 32, 768


class Work(NamedTuple):
    """A thing to time, and how many of what it makes."""

    name: str
    run: Callable[[], object]
    made: int
    of: str  # what is made
    moved: int = 0  # bytes read and written at the least, where they and not products set the limit


def steps(size: Size, device: str) -> Iterator[Work]:
    """Give the training steps of two presets."""
    yield training_step("toy", "mini", size.toy_batch, device)
    yield training_step("paper", size.clip, size.paper_batch, device)


def training_step(preset: PretrainPreset, clip: str, n_clouds: int, device: str) -> Work:
    """Give a whole training step: forward, backward, optimiser and teacher."""
    config = RunConfig.of(preset)
    visual: nn.Module = FrozenClip.load(clip, "", device).model.visual  # type: ignore[assignment]
    encoder = FrozenEncoder(visual)
    tokenizer = Tokenizer(config.tokenizer, width=encoder.width)
    model = S4Token(tokenizer, encoder, config.training, config.clusters).to(device)
    if device != "cpu":
        lower(model, device)
    optimizer = build_optimizer(model, config.training, model.rate_of)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    batch = batch_of(n_clouds, encoder.output_width, device)

    def step() -> None:
        optimizer.zero_grad()
        model(batch)["total"].backward()
        nn.utils.clip_grad_norm_(trained, config.training.clip_gradient)
        optimizer.step()
        model.after_step(0.5)

    return Work(f"step, {preset} preset, {clip}", step, n_clouds, "clouds")


def tokenizers(size: Size, device: str) -> Iterator[Work]:
    """Give grouping, embedding and sampling of objects and of a room."""
    for what, n_clouds, n_points, n_cells, n_tokens in (
        ("objects", size.paper_batch, N_POINTS, N_CELLS, N_TOKENS),
        ("a room", 1, size.room, 400, size.room_tokens),
    ):
        points, superpoints = clouds(n_clouds, n_points, n_cells, device)
        tokenizer = build_tokenizer("s4token", width=WIDTH, n_points=n_points, n_tokens=n_tokens).to(device)
        first, weights = torch.zeros(n_clouds, dtype=torch.int64, device=device), torch.ones_like(points[..., 0])
        sample = partial(weighted_farthest_points, points, weights, first, n_tokens)
        # Each sample reads three coordinates, a weight and a distance of each point, and writes the distance.
        moved = n_tokens * n_clouds * n_points * 6 * 4
        yield Work(f"WFPS of {what}, {n_tokens} of {n_points:,}", sample, n_clouds, "clouds", moved)
        group = partial(tokenizer.group, points, superpoints)
        yield Work(f"grouping {what}", group, n_clouds, "clouds")
        embed = torch.no_grad()(partial(tokenizer.embed, group()))
        yield Work(f"embedding {what}, forward", embed, n_clouds, "clouds")


def views(size: Size, device: str) -> Iterator[Work]:
    """Give ten views of an object, the whole stage's work on them, and lifting their features."""
    points, labels = (each[0] for each in clouds(1, N_POINTS, N_CELLS, device))
    looks = ten_views()
    draw = partial(depth_views, points, looks)
    yield Work("ten depth views", draw, 10, "views")
    drawn = draw()
    at_pixels = partial(points_at_pixels, drawn.pixels, drawn.visible, points.new_zeros(10, N_POINTS), 224)
    yield Work("the point at each pixel of ten views", at_pixels, 10, "views")
    render = partial(object_views, PointCloud.of(points.cpu().numpy()), "y", ViewConfig(), device=device)
    yield Work("render-views of an object, to the CPU", render, 10, "views")
    patches = torch.randn(10, 14, 14, 512, device=device)
    lifting = partial(lift, patches, drawn.pixels, drawn.visible, labels, N_CELLS, 224)
    yield Work("lifting ten views' features", lifting, 10, "views")


def clips(size: Size, device: str) -> Iterator[Work]:
    """Give the features of images."""
    clip = FrozenClip.load(size.clip, "" if size.clip != "mini" else None, device)
    for count in size.images:
        images = torch.rand(count, 1, clip.size, clip.size, generator=torch.Generator().manual_seed(SEED)).to(device)
        yield Work(f"{size.clip} features, batch {count}", partial(clip.encode, images), count, "images")


def propagation(size: Size, device: str) -> Iterator[Work]:
    """Give what carries features of tokens to the points of a room."""
    points, superpoints = clouds(1, size.points, 400, device)
    some = torch.randperm(size.points, generator=torch.Generator().manual_seed(SEED))[: size.room].to(device)
    tokenizer = build_tokenizer("s4token", width=64, n_points=size.room, n_tokens=size.room_tokens).to(device)
    patches = tokenizer.group(points[:, some], superpoints[:, some])
    features = torch.randn(1, size.room_tokens, 64, device=device)
    carry = partial(propagate, features, patches, points, superpoints)
    yield Work(f"propagating 64 numbers to {size.points:,} points", carry, size.points, "points")


STAGES = {"step": steps, "tokenizer": tokenizers, "views": views, "clip": clips, "propagate": propagation}


def measured(work: Work, device: str, repeat: int, limit: Reach) -> dict[str, Any]:
    """Time a thing, and count what it asks of the device."""
    taken = milliseconds(work.run, device, repeat)
    flops = flops_of(work.run)
    row = {
        "name": work.name,
        "ms": round(taken, 3),
        "per_second": round(1000 * work.made / taken, 1),
        "of": work.of,
        "gflop": round(flops / 1e9, 1),
        "share": round(flops / (taken / 1000) / limit.flops, 4),
    }
    if work.moved:
        row["share_of_copy"] = round(work.moved / (taken / 1000) / limit.bytes, 4)
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        row |= {"waits": waits(work.run), "launches": launches(work.run)}
        row["peak_gb"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
    return row


def rows(given: argparse.Namespace, limit: Reach) -> Iterator[dict[str, Any]]:
    """Give a row a thing; one that fails says so, and the others go on."""
    size = TINY if given.device == "cpu" else LARGE
    for stage in given.only:
        try:
            for work in STAGES[stage](size, given.device):
                try:
                    yield {"stage": stage, **measured(work, given.device, given.repeat, limit)}
                except Exception as error:
                    traceback.print_exc()
                    yield {"stage": stage, "name": work.name, "error": f"{type(error).__name__}: {error}"}
        except Exception as error:
            traceback.print_exc()
            yield {"stage": stage, "name": stage, "error": f"{type(error).__name__}: {error}"}


def shown(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"{row['name']:<52} {row['error'].splitlines()[0]}"
    line = f"{row['name']:<52} {row['ms']:10.2f} ms {row['per_second']:>14,.0f} {row['of']}/s  {row['share']:6.1%}"
    if "share_of_copy" in row:
        line += f"  {row['share_of_copy']:.1%} of a copy"
    return line + (f"  {row['launches']} launches, {row['waits']} waits" if "launches" in row else "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=["cpu", "cuda"])
    parser.add_argument("--only", nargs="+", default=list(STAGES), choices=list(STAGES))
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="Print one object and nothing else.")
    given = parser.parse_args()
    torch.manual_seed(SEED)
    limit = reach(given.device, given.repeat)
    about = machine(given.device) | {"tflops": limit.flops / 1e12, "gb_per_second": limit.bytes / 1e9, "seed": SEED}
    if not given.json:
        print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    made = []
    for row in rows(given, limit):
        made.append(row)
        if not given.json:
            print(shown(row), flush=True)
    if given.json:
        print(json.dumps({**about, "rows": made}, indent=1))
    return int(any("error" in row for row in made))


if __name__ == "__main__":
    sys.exit(main())
