"""What the benchmarks of tensors share: clouds to work on, a clock, and how high memory went."""

import resource
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

SEED = 0


def clouds(n_clouds: int, n_points: int, n_cells: int, device: str) -> tuple[Tensor, Tensor]:
    """Make bent surfaces, and cut them by the nearest of random seeds, which crowd at one end."""
    draw = torch.Generator().manual_seed(SEED)
    flat = torch.rand(n_clouds, n_points, 2, generator=draw) * 2 - 1
    points = torch.cat([flat, (2 * flat[..., :1]).sin() * flat[..., 1:].square()], dim=2)
    seeds = torch.rand(n_clouds, n_cells, 2, generator=draw).square() * 2 - 1
    cells = torch.stack([torch.cdist(p, s).argmin(1) for p, s in zip(flat, seeds, strict=True)])
    return points.to(device), cells.to(device)


def seconds(work: Callable[[], object], repeat: int, device: str) -> float:
    """Give the median, after one run that warms up; on a CPU its own time, which a shared machine cannot stretch."""
    clock = time.perf_counter if device == "cuda" else time.process_time
    times = []
    for _ in range(repeat + 1):
        start = clock()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(clock() - start)
    return statistics.median(times[1:])


def peak_bytes(device: str) -> int:
    """Give the highest memory so far; a process never gives it back, so sizes are measured small to large."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
