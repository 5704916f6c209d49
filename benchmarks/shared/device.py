"""What benchmarks of a device share: times by its own clock, what it reaches, and what one run of a thing costs it."""

import platform
import statistics
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode


class Reach(NamedTuple):
    """What a device reaches in what it is best at."""

    flops: float  # operations a second, of a large product of matrices
    bytes: float  # read and written a second, of a large copy


def milliseconds(work: Callable[[], object], device: str, repeat: int) -> float:
    """Give the median; by CUDA events on a GPU, of this process's own time on a CPU."""
    work()
    work()
    times = []
    for _ in range(repeat):
        if device == "cpu":
            start = time.process_time()
            work()
            times.append(1000 * (time.process_time() - start))
            continue
        first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()
        first.record()
        work()
        last.record()
        last.synchronize()
        times.append(first.elapsed_time(last))
    return statistics.median(times)


def reach(device: str, repeat: int) -> Reach:
    """Measure a product of matrices, of bfloat16 on a GPU, and a copy; both of random numbers."""
    side, dtype = (1024, torch.float32) if device == "cpu" else (8192, torch.bfloat16)
    one, other = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    taken = milliseconds(lambda: one @ other, device, repeat) / 1000
    source = torch.randn(side * side * (1 if device == "cpu" else 8), device=device)
    target = torch.empty_like(source)
    copied = milliseconds(lambda: target.copy_(source), device, repeat) / 1000
    return Reach(2 * side**3 / taken, 2 * source.nbytes / copied)


def flops_of(work: Callable[[], object]) -> int:
    """Count the operations of products of matrices in one run."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # it is one operation, which the counter does not know
    try:
        with FlopCounterMode(display=False) as counter:
            work()
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return int(counter.get_total_flops())


def launches(work: Callable[[], object]) -> int:
    """Count the kernels, copies and fills that one run starts on a GPU."""
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        work()
        torch.cuda.synchronize()
    return sum(event.count for event in seen.key_averages() if event.device_type.name == "CUDA")


def waits(work: Callable[[], object]) -> int:
    """Count how often one run makes the processor wait for the GPU, as PyTorch notes it."""
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as noted:
            warnings.simplefilter("always")
            work()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchron" in str(each.message) for each in noted)


def machine(device: str) -> dict[str, Any]:
    """Say what was measured on, and when."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").is_file() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": model,
        "device": "cpu" if device == "cpu" else torch.cuda.get_device_name(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
