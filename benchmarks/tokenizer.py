"""Time grouping, clouds to patches, beside one cloud at a time and beside fpsample and pgeof where installed.

    OMP_NUM_THREADS=1 python benchmarks/tokenizer.py [--device cpu|cuda] [--repeat N] [--without-loops]

Objects are 2,048 points, 128 tokens of 32; rooms 100,000 points, 2,048 tokens of 32. Superpoints are the cells of
a few random planes: 40 an object, 400 a room, of very different sizes, as real ones are. "Back to points" carries
features of 192 numbers from the tokens to all points. Peak memory is what the process (or the GPU's allocator) held
beyond what it held before. Times on a CPU are CPU time of one thread; `--without-loops` leaves out what Numba compiles.
"""

import argparse
from collections.abc import Callable
from functools import partial
from importlib import import_module
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from benchmarks.shared.tensors import SEED, clouds, peak_bytes, seconds
from s4tok import compiled
from s4tok.tokenizers import build_tokenizer, propagation

WIDTH = 192  # of the features that are carried back to points


def peer(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None


def naive(points: Tensor, superpoints: Tensor, n_tokens: int, patch_size: int) -> None:
    """Group as a loop over clouds and centres does it: FPS, then a mask over all points for each centre."""
    for xyz, labels in zip(points, superpoints, strict=True):
        chosen, distance = [0], torch.full((len(xyz),), torch.inf, device=xyz.device)
        for _ in range(n_tokens - 1):
            distance = torch.minimum(distance, (xyz - xyz[chosen[-1]]).square().sum(1))
            chosen.append(int(distance.argmax()))
        centers = xyz[chosen]
        spacing = torch.cdist(centers, centers).fill_diagonal_(torch.inf).amin(1).mean()
        for center in chosen:
            near = ((xyz - xyz[center]).norm(dim=1) <= spacing) & (labels == labels[center])
            members = near.nonzero()[:, 0]
            members[torch.randperm(len(members), device=xyz.device)[:patch_size]]


def with_peers(points: Tensor, n_tokens: int, patch_size: int) -> dict[str, Callable[[], object]]:
    """Give what compiled packages do of the work: sampling alone, and nearest neighbours alone."""
    rows = [np.ascontiguousarray(cloud.cpu().numpy()) for cloud in points]
    found: dict[str, Callable[[], object]] = {}
    if (fpsample := peer("fpsample")) is not None:
        found["fpsample: FPS alone"] = lambda: [fpsample.fps_sampling(row, n_tokens) for row in rows]
        found["fpsample: FPS alone, kd-tree"] = lambda: [
            fpsample.bucket_fps_kdline_sampling(row, n_tokens, 5) for row in rows
        ]
    if (pgeof := peer("pgeof")) is not None:
        found["pgeof: kNN alone"] = lambda: [pgeof.knn_search(row, row[:n_tokens], patch_size) for row in rows]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--without-loops", action="store_true", help="As where Numba is not installed.")
    parser.add_argument("--largest", type=int, default=128, help="Objects in a batch at most.")
    given = parser.parse_args()
    if given.without_loops:
        for module in (compiled, propagation):
            module.is_compiling = lambda: False  # type: ignore[attr-defined]
    sizes = [(f"objects, batch {b}", b, 2048, 40, 128) for b in (1, 32, 128) if b <= given.largest]
    for name, n_clouds, n_points, n_cells, n_tokens in [*sizes, ("room", 1, 100_000, 400, 2048)]:
        points, superpoints = clouds(n_clouds, n_points, n_cells, given.device)
        print(f"{name}: {n_clouds} x {n_points:,} points, {n_tokens} x 32, seed {SEED}, {given.device}", flush=True)
        before = peak_bytes(given.device)
        for variant in ("knn", "ball", "s4token"):
            tokenizer = build_tokenizer(variant, width=768, n_points=n_points, n_tokens=n_tokens)
            took = 1000 * seconds(partial(tokenizer.group, points, superpoints), given.repeat, given.device)
            print(f"  s4tok {variant:<26} {took:10.1f} ms {took / n_clouds:9.2f} a cloud", flush=True)
            patches = tokenizer.group(points, superpoints)
            features = torch.randn(*patches.xyz.shape[:2], WIDTH, device=given.device)
            back = partial(propagation.propagate, features, patches, points, superpoints)
            took = 1000 * seconds(back, given.repeat, given.device)
            print(f"    back to points {took:23.1f} ms {took / n_clouds:9.2f} a cloud", flush=True)
        print(f"  peak beyond start {(peak_bytes(given.device) - before) / 2**20:22.0f} MB")
        others: dict[str, Callable[[], object]] = {
            "one cloud, one centre at a time": partial(naive, points, superpoints, n_tokens, 32)
        }
        for other, work in {**others, **with_peers(points, n_tokens, 32)}.items():
            took = 1000 * seconds(work, 1 if n_clouds > 1 else given.repeat, given.device)
            print(f"  {other:<32} {took:10.1f} ms {took / n_clouds:9.2f} a cloud", flush=True)


if __name__ == "__main__":
    main()
