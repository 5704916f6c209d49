"""The processes of one run: who is the first, what is agreed on by all, and what only the first does."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TypeVar

import torch
from torch import Tensor, distributed

Made = TypeVar("Made")
GROUPS = count()  # that this process has been one of
PATIENCE = timedelta(hours=12)  # the first process may have caches to make while the others wait


@dataclass(frozen=True)
class Ranks:
    """This process among those of its run; a process alone is the first of one."""

    rank: int = 0
    world: int = 1
    local: int = 0  # among those on this machine
    restarts: int = 0  # how often torchrun has started them all again

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

    def first_makes(self, make: Callable[[], Made]) -> Made:
        """Make something in the first process, which leaves it in a cache, and then in the others, which find it.

        What it cannot make, the others find out for themselves.
        """
        if not self.is_first:
            self.wait()
            return make()
        try:
            made = make()
        except Exception:
            self.wait()
            raise
        self.wait()
        return made

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
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "TORCHELASTIC_RESTART_COUNT")
    return Ranks(*(int(os.environ.get(name, "0")) for name in names))


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
    # After a restart some versions of torchrun hand out the same store, with the addresses of the dead in it; and of
    # two runs in one process the second would find those of the first.
    distributed.init_process_group(
        "nccl" if is_cuda else "gloo",
        store=distributed.PrefixStore(f"attempt-{ranks.restarts}-{next(GROUPS)}", store),  # type: ignore[attr-defined]
        rank=rank,
        world_size=world,
        timeout=PATIENCE,
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()
