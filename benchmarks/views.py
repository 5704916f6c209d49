"""How fast views are drawn and encoded: `python benchmarks/views.py [--device cuda]`. Seeds are fixed.

Prints views a second of depth splatting and of shaded meshes, images a second of CLIP's image tower and which share
that is of what the device reaches in a large matrix product, and the bytes of a shape in the caches. On a CPU the
seconds are those of the processor, so that what else the machine does counts less.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from s4tok.config import ViewConfig
from s4tok.datasets.open import open_dataset
from s4tok.rendering.cameras import ten_views
from s4tok.rendering.depth_views import PROJECTIONS, depth_views
from s4tok.rendering.mesh_views import mesh_views
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_pipelines.probes import offscreen
from s4tok_pipelines.stages.render_views import render_views

FLOPS_OF_AN_IMAGE = 35.1e9  # ViT-B/16 at 224 pixels: two a multiplication, layers and patch embedding
SECONDS = 3.0


def rate(work: Callable[[], object], device: str) -> float:
    """Give how often a second something is done, after one run that warms it up."""

    def wait() -> None:
        if device != "cpu":
            torch.cuda.synchronize()

    clock = time.process_time if device == "cpu" else time.perf_counter
    work()
    wait()
    start, count = clock(), 0
    while clock() - start < SECONDS:
        work()
        wait()
        count += 1
    return count / (clock() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=10)
    arguments = parser.parse_args()
    device = arguments.device
    print(f"{torch.get_num_threads()} thread(s), {device}")

    shapes = open_dataset("toy-shapes", split="val", limit=4)
    points = torch.from_numpy(shapes[shapes.keys[0]].xyz).to(device)
    points = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(0))[:2048].to(device)]
    for name, projection in PROJECTIONS.items():
        drawn = rate(lambda each=projection: depth_views(points, ten_views(), each), device)  # type: ignore[misc]
        print(f"depth views, {name}, 2,048 points: {10 * drawn:.1f} views/s")

    if offscreen("egl").state == "ok":
        mesh = shapes.mesh(shapes.keys[0])
        assert mesh is not None
        drawn = rate(lambda: mesh_views(mesh, ten_views().numpy()), "cpu")
        print(f"shaded mesh views, {offscreen('egl').found}: {10 * drawn:.1f} views/s")

    clip = FrozenClip.load("ViT-B-16", device=device)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16  # as the tower itself computes
    images = torch.rand(arguments.batch, 1, 224, 224, generator=torch.Generator().manual_seed(0)).to(device)
    seen = arguments.batch * rate(lambda: clip.encode(images), device)
    side = 2048 if device == "cpu" else 8192
    left, right = (torch.ones(side, side, device=device, dtype=dtype) for _ in range(2))
    peak = 2 * side**3 * rate(lambda: left @ right, device)
    share = seen * FLOPS_OF_AN_IMAGE / peak
    of_peak = f"{share:.0%} of a matrix product's {peak / 1e9:,.0f} GFLOP/s"
    print(f"ViT-B-16, batch {arguments.batch}: {seen:.1f} images/s, {of_peak}")

    with tempfile.TemporaryDirectory() as folder:
        outcome = render_views(shapes, Path(folder), ViewConfig(), device=device)
        size = sum(file.stat().st_size for file in outcome.out.glob("*")) / outcome.made
        n_points = np.mean([len(shapes[key]) for key in shapes.keys])
        print(f"views in the cache: {size / 1e3:,.0f} kB a shape of {n_points:,.0f} points")
    print("features in the cache: 1,028 bytes a superpoint and 10,240 a shape, at 512 numbers a vector")


if __name__ == "__main__":
    main()
