"""The processes of one run: who is the first, what is agreed on by all, and what only the first does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed

PATIENCE = timedelta(hours=12)  # the first process may have caches to make while the others wait


@dataclass(frozen=True)
class Ranks:
    """This process among those of its run; a process alone is the first of one."""

    rank: int = 0
    world: int = 1
    local: int = 0  # among those on this machine

    @property
    def is_first(self) -> bool:
        """Tell whether this process prints and writes."""
        return self.rank == 0

    def device(self, wanted: str) -> str:
        """Give each process of a machine a GPU of its own."""
        return f"cuda:{self.local}" if wanted == "cuda" and self.world > 1 else wanted

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.world > 1:
            distributed.barrier()

    def average(self, values: Tensor) -> Tensor:
        """Average over processes."""
        if self.world > 1:
            distributed.all_reduce(values)
            values /= self.world
        return values


def from_environment() -> Ranks:
    """Read what torchrun says; without it, this process is alone."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return Ranks()
    return Ranks(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def together(ranks: Ranks, device: str) -> Iterator[None]:
    """Let the processes of a run find each other, and part at the end."""
    if ranks.world == 1:
        yield
        return
    is_cuda = torch.device(device).type == "cuda"
    if is_cuda:
        torch.cuda.set_device(device)
    store, rank, world = next(distributed.rendezvous("env://", timeout=PATIENCE))  # type: ignore[attr-defined]
    # After a restart some versions of torchrun hand out the same store, with the addresses of the dead in it.
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    distributed.init_process_group(
        "nccl" if is_cuda else "gloo",
        store=distributed.PrefixStore(f"attempt-{attempt}", store),  # type: ignore[attr-defined]
        rank=rank,
        world_size=world,
        timeout=PATIENCE,
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()
