"""One task's share of the work, the same on every machine and whatever is done already."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from s4tok_cache.errors import CacheUsage


@dataclass(frozen=True)
class Shard:
    """Share `index` (from 0) of `count`."""

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count or self.count > 9999:
            raise CacheUsage(
                f"there is no shard {self.index}/{self.count}.", "shards are 0/n .. (n-1)/n, n at most 9999."
            )

    @classmethod
    def parse(cls, text: str | None, environment: Mapping[str, str] = os.environ) -> "Shard":
        """Read `2/8`, or `auto` for this task's share of a Slurm array or of an srun; None is everything."""
        if text is None:
            return cls()
        if text == "auto":
            return cls._of_slurm(environment)
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip(), re.ASCII)
        if found is None:
            raise CacheUsage(f"{text!r} is no shard.", "write it as 2/8 (the third of eight), or auto under Slurm.")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def _of_slurm(cls, environment: Mapping[str, str]) -> "Shard":
        def number(name: str) -> int:
            try:
                return int(environment[name])
            except ValueError as error:
                raise CacheUsage(f"{name} is {environment[name]!r}, which is no number.") from error

        if "SLURM_ARRAY_TASK_ID" in environment:
            task = number("SLURM_ARRAY_TASK_ID")
            if "SLURM_ARRAY_TASK_COUNT" not in environment:
                raise CacheUsage("SLURM_ARRAY_TASK_COUNT is not set.", "name the shard yourself: --shard 2/8.")
            first = number("SLURM_ARRAY_TASK_MIN") if "SLURM_ARRAY_TASK_MIN" in environment else 0
            last = number("SLURM_ARRAY_TASK_MAX") if "SLURM_ARRAY_TASK_MAX" in environment else None
            count = number("SLURM_ARRAY_TASK_COUNT")
            # In --array=0-30:10 the tasks are 0, 10, 20, 30 and the count is 4. Resubmitting tasks 3 and 7 alone deals
            # all work anew between the two, which costs nothing: what is done already is passed over.
            step = (last - first) // (count - 1) if last is not None and count > 1 else 1
            if step < 1 or (task - first) % step or (last is not None and first + step * (count - 1) != last):
                raise CacheUsage(
                    f"array task {task} of {count} from {first} to {last} is no even row of shards.",
                    "name the shards yourself: --shard $SLURM_ARRAY_TASK_ID/8.",
                )
            return cls((task - first) // step, count)
        if "SLURM_PROCID" in environment and "SLURM_NTASKS" in environment:
            return cls(number("SLURM_PROCID"), number("SLURM_NTASKS"))
        raise CacheUsage(
            "--shard auto found neither SLURM_ARRAY_TASK_ID nor SLURM_PROCID.",
            "it works inside sbatch --array and srun; elsewhere write --shard 2/8.",
        )

    def deal(self, sizes: Mapping[str, int]) -> list[str]:
        """Give this shard's keys, sorted: all keys dealt from the largest to the smallest, like cards."""
        ordered = sorted(sizes, key=lambda key: (-sizes[key], key))
        return sorted(ordered[self.index :: self.count])

    @property
    def name(self) -> str:
        """Give the form it has in file names."""
        return f"{self.index:04d}of{self.count:04d}"

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"
