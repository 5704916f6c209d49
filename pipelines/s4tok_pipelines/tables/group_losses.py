"""How well runs of region distillation know rare and frequent groups of regions: their last validation, a table."""

import re
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from s4tok_pipelines.tables.grid import Grid
from s4tok_pipelines.tables.table2_checkpoints import is_unfinished
from s4tok_pipelines.training.run_folder import METRICS, read_metrics

TITLE = "Stage 1: mean L1 of regions, by how many regions of training are in their group, times 1,000"
THIRDS = ("rarest third of groups", "middle third", "most frequent third")


def group_losses(*folders: Path | None) -> dict[str, dict[int, dict[str, Any]]]:
    """Read the last validation of every run NAME-SEED in some folders that knows groups, by name and seed.

    Runs that were stopped are left out.
    """
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for path in sorted(path for folder in folders if folder is not None for path in folder.glob(f"*/{METRICS}")):
        name = re.fullmatch(r"(.+)-(\d+)", path.parent.name)
        rows = [row for row in read_metrics(path) if "group_sizes" in row] if name else []
        if name and rows and not is_unfinished(path.parent):
            found.setdefault(name[1], {})[int(name[2])] = {
                each: rows[-1][each] for each in ("step", "group_l1", "group_regions", "group_sizes")
            }
    return found


def thirds(losses: Mapping[str, Any]) -> tuple[float, float, float]:
    """Give the mean L1 of the rarest, the middle and the most frequent third of the groups, each group counted once.

    Groups are ordered by the regions that training has of them; those without a region in validation are left out.
    """
    rows = sorted(zip(losses["group_sizes"], losses["group_l1"], losses["group_regions"], strict=True))
    each = [loss for _, loss, regions in rows if regions]
    third = max(len(each) // 3, 1)
    return fmean(each[:third]), fmean(each[third:-third] or each), fmean(each[-third:])


def losses_grid(found: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> Grid:
    """Lay the thirds out, a row for each run, with means and deviations over its seeds."""
    rows = [
        [name, str(len(seeds)), *(_spread(values) for values in zip(*map(thirds, seeds.values()), strict=True))]
        for name, seeds in found.items()
    ]
    return Grid(TITLE, ["run", "seeds", *THIRDS], rows)


def _spread(values: tuple[float, ...]) -> str:
    deviation = f" ± {1000 * stdev(values):.1f}" if len(values) > 1 else ""
    return f"{1000 * fmean(values):.1f}{deviation}"
