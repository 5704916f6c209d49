"""What a fine-tuned checkpoint labels, and the head that does it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor, nn

from s4tok.config import HeadConfig, Task
from s4tok.counted import in_short
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import UsageError
from s4tok.heads.table import build_head
from s4tok.heads.words import BegunWithWords
from s4tok.shapes import Bool, Float, Int

SHOWN = 40  # labels in an error


@dataclass(frozen=True)
class Labels:
    """What a head tells apart: parts of objects of known category, classes of a scene, or categories of objects."""

    task: Task
    classes: tuple[str, ...]
    categories: tuple[str, ...] = ()  # of the objects whose parts the classes are
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # of each category, its classes

    @classmethod
    def of_clouds(cls, clouds: CloudDataset, task: Task) -> "Labels":
        """Take a dataset's own.

        Raises:
            UsageError: For a dataset that has none for this task.
        """
        if task == "objects":
            found = cls(task, tuple(clouds.categories))
        elif task == "parts":
            parts = {name: tuple(clouds.parts.get(name, ())) for name in clouds.categories}
            found = cls(task, tuple(clouds.classes) if clouds.parts else (), tuple(clouds.categories), parts)
        else:
            found = cls(task, () if clouds.parts or clouds.categories else tuple(clouds.classes))
        if not found.classes:
            wanted = {"objects": "categories", "parts": "named parts", "scenes": "classes of points in scenes"}[task]
            raise UsageError(f"{clouds.name} has no {wanted}.", f"other tasks are: {', '.join(_others(task))}.")
        return found

    @classmethod
    def of_card(cls, about: Mapping[str, Any]) -> "Labels":
        """Read what `facts` gave a checkpoint's card.

        Raises:
            ValueError: For a task that this version does not know.
        """
        if about["task"] not in get_args(Task):
            raise ValueError(f"it was fine-tuned for {about['task']!r}, which this version of s4tok does not know")
        parts = {name: tuple(ids) for name, ids in about["parts"].items()}
        return cls(about["task"], tuple(about["classes"]), tuple(about["categories"]), parts)

    def facts(self) -> dict[str, Any]:
        """Give plain names and values."""
        return asdict(self)

    def allowed(self) -> Bool[Tensor, "_ c"]:
        """Say which classes an object of each category can have."""
        found = torch.zeros(len(self.categories), len(self.classes), dtype=torch.bool)
        for row, name in enumerate(self.categories):
            found[row, list(self.parts[name])] = True
        return found

    def category(self, name: str | None, who: str) -> int | None:
        """Give the number of an object's category, None for a head that knows none; `who` is told where it fails."""
        if not self.categories:
            return None
        if name is None:
            raise UsageError(
                f"{who} labels parts of objects whose category is known, and none is given.",
                f"pass --category with one of: {_listed(self.categories)}.",
            )
        return self.categories.index(_known(name, self.categories, who))

    def classes_of(self, category: int | None) -> list[int]:
        """List the classes of a category, or all."""
        return list(range(len(self.classes)) if category is None else self.parts[self.categories[category]])

    def vectors(self, names: Sequence[str], category: int | None, who: str) -> Float[Tensor, "t c"]:
        """Turn names of classes into rows that pick theirs out of probabilities.

        Raises:
            UsageError: For a name that is no class of the head, or of the category.
        """
        mine = self.classes_of(category)
        known = [self.classes[each] for each in mine]
        rows = torch.zeros(len(names), len(self.classes))
        for row, name in enumerate(names):
            word = _known(name, known, who)
            rows[row, [each for each, called in zip(mine, known, strict=True) if called == word]] = 1
        return rows


class Labeller(NamedTuple):
    """A trained head."""

    labels: Labels
    config: HeadConfig
    head: nn.Module

    @classmethod
    def build(cls, labels: Labels, config: HeadConfig, width: int, text_width: int = 0) -> "Labeller":
        """Build an untrained one for a transformer of this width; `text_width` is that of texts if words begin it."""
        head = build_head(
            config, width, len(labels.classes), len(labels.categories), of_points=labels.task != "objects",
            text_width=text_width,
        )  # fmt: skip
        return cls(labels, config, head)

    @classmethod
    def of_card(cls, about: Mapping[str, Any], width: int) -> "Labeller":
        """Build the one that a card tells of; its weights are still to be loaded."""
        settings: dict[str, Any] = dict(about["head"])
        settings["head_widths"] = tuple(settings["head_widths"])
        return cls.build(Labels.of_card(about), HeadConfig(**settings), width, about.get("text_width", 0))

    def facts(self) -> dict[str, Any]:
        """Give what the card says of it."""
        texts = {"text_width": self.head.texts.shape[1]} if isinstance(self.head, BegunWithWords) else {}
        return {**self.labels.facts(), "head": asdict(self.config), **texts}

    def masked(self, logits: Float[Tensor, "b n c"], categories: Int[Tensor, " b"] | None) -> Float[Tensor, "b n c"]:
        """Leave each object the classes of its category."""
        if categories is None or not self.labels.categories:
            return logits
        allowed = self.labels.allowed().to(logits.device)[categories]
        return logits.masked_fill(~allowed[:, None], -torch.inf)


def _known(name: str, names: Sequence[str], who: str) -> str:
    """Find a name as it is written, or but for case."""
    found = next((each for each in names if each == name), None)
    found = found or next((each for each in names if each.lower() == name.lower()), None)
    if found is None:
        raise UsageError(
            f"{who} does not know {name!r}; it knows: {_listed(names)}.", "--zero-shot leaves its head aside."
        )
    return found


def _listed(names: Sequence[str]) -> str:
    return in_short(list(dict.fromkeys(names)), SHOWN)


def _others(task: Task) -> list[str]:
    return [each for each in get_args(Task) if each != task]
