"""What the training loop knows of a method, and nothing else: the contract of an objective."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from torch import Tensor, nn

Figures: TypeAlias = dict[str, Any]  # floats by column, and whatever else a method measures of held-out entries


class Objective(nn.Module, ABC):
    """One step of a method: its modules, its losses, and how one epoch compares with another.

    Calling it is `step`, so that it can be wrapped for several processes. What is frozen has `requires_grad` off and
    is left out of `trainable_state`.
    """

    columns: Sequence[str]  # what a step logs; "total", the loss that is minimised, is one of them
    curves: Sequence[str]  # those of them that are drawn, and said after a validation
    validates: Sequence[str] = ()  # what else `validate` gives that is said
    former_columns: ClassVar[Mapping[str, str]] = {}  # what columns were called in runs that were begun earlier
    selects_by: str = "total"  # the name of the number that `selection` gives

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Compute a step's figures, as `step` does."""
        return self.step(batch)

    @abstractmethod
    def collate(self, entries: Sequence[Any]) -> Any:
        """Put entries of the training data together into a batch, which has `to(device)` and `pinned()`."""

    @abstractmethod
    def step(self, batch: Any) -> dict[str, Tensor]:
        """Compute the figures of `columns`, with gradients in "total" alone."""

    def describe(self, batch: Any) -> str:
        """Say of a run's first batch what its reader should know before it begins; nothing here."""
        return ""

    def validate(self, batches: Iterable[tuple[int, Any]]) -> Figures:
        """Measure held-out entries, given in batches with how many entries each holds: here the mean of each column.

        A method whose figures are no means of steps, an IoU or an AP, sums its own counts.
        """
        return means(self.columns, ((size, self.step(batch)) for size, batch in batches))

    def rate_of(self, weight: str) -> float:
        """Give the learning rate of a weight, by its name, in units of the schedule's."""
        return 1.0

    def after_step(self, progress: float) -> None:
        """Do what follows an optimiser's step; progress goes from 0 to 1 over the run."""

    def selection(self, figures: Figures) -> float:
        """Give the number by which validations are compared, lower is better; minus infinity takes the latest."""
        total = figures.get("total", -math.inf)
        return float(total)

    def trainable_state(self) -> dict[str, Tensor]:
        """Give every tensor that training changes, buffers too."""
        frozen = {name for name, weight in self.named_parameters() if not weight.requires_grad}
        return {name: tensor for name, tensor in self.state_dict().items() if name not in frozen}

    def load_trainable_state(self, tensors: Mapping[str, Tensor], folder: Path) -> None:
        """Take back what `trainable_state` gave; `folder` is the checkpoint's, in whose older form more lies beside.

        Raises:
            ValueError: For a tensor that is missing or not known.
        """
        wanted = self.trainable_state()
        odd = sorted(wanted.keys() ^ tensors.keys())
        if odd:
            raise ValueError(f"it lacks or does not know {odd[0]}")
        self.load_state_dict(dict(tensors), strict=False)

    @abstractmethod
    def export(self, folder: Path, card: Mapping[str, Any]) -> None:
        """Write what inference loads into a folder that is there, with a card of how it was trained."""


def means(columns: Sequence[str], steps: Iterable[tuple[int, Mapping[str, Tensor]]]) -> Figures:
    """Average the figures of steps, each weighing as much as it has entries."""
    sums, count = dict.fromkeys(columns, 0.0), 0
    for size, figures in steps:
        for name, value in figures.items():
            sums[name] += size * float(value)
        count += size
    return {name: value / max(count, 1) for name, value in sums.items()}
