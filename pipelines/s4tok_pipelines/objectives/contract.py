"""What the table of objectives holds: functions from what a run was asked for to what the loop trains."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from s4tok.config import RunConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.objectives.objective import Objective
from s4tok_pipelines.report import Report
from s4tok_pipelines.training.loop import Data
from s4tok_pipelines.training.ranks import Ranks

Recipe = TypeVar("Recipe")


@dataclass(frozen=True)
class Request(Generic[Recipe]):
    """What a run was asked to train on and how, the same for every objective."""

    datasets: Sequence[CloudDataset]  # trained on together
    validation: Sequence[CloudDataset]  # splits of them that are there to validate on
    cache: Path  # the folder of all caches
    config: Recipe
    make_inputs: Callable[[CloudDataset], None] | None  # what the caches lack of it; None without auto
    workers: int
    device: str
    ranks: Ranks
    report: Report


def _nothing(report: Report) -> None:
    pass


class Prepared(NamedTuple):
    """What the loop trains, and what its run folder says of that."""

    objective: Objective
    data: Data
    held: Data | None  # to validate on
    name: str  # of the method, in the name of the run's folder
    facts: Mapping[str, Mapping[str, Any]]  # all that the result depends on beside `config.training`, as plain values
    card: Mapping[str, Any]  # what a checkpoint says beside the command and the recipe of its training
    begin: Callable[[Report], None] = _nothing  # done once the run's folder is its own: reading data into memory


Prepare: TypeAlias = Callable[[Request[RunConfig]], Prepared]
