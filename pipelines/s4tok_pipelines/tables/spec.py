"""What a result table asks, as data: its methods are rows, the figures they are measured by columns.

`s4token_tables.py` and `sam_tables.py` hold those of the two papers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from s4tok.config.kinds import SuperpointPreset

Task = Literal["parts", "objects", "rooms", "boxes"]
Printed = Mapping[tuple[str, str], float]  # by role and figure

MIOU_I, MIOU_C, MIOU_PART = "miou_i", "miou_c", "miou_part"
THREE_MEANS = {MIOU_C: "mIoU_C", MIOU_I: "mIoU_I", MIOU_PART: "mIoU_part"}
ABOUT_MEANS = (
    "Three means are all called mIoU: mIoU_I is the mean over objects, mIoU_C the mean over categories of the mean "
    "over "
    "their objects, mIoU_part the mean over parts, each pooled over all objects."
)
# The synthetic rows were trained with these superpoints, before greedy merging was the default.
SYNTHETIC_CUT: SuperpointPreset = "cut-pursuit"
ABOUT_ROOMS = (
    "mIoU in rooms is by one confusion matrix over all points; a class without points counts 0 where it was predicted "
    "and is left out otherwise (ScanNet's convention; OpenScene's is `openscene` in the results)."
)


@dataclass(frozen=True)
class Asked:
    """What is measured on one dataset: a column for each figure."""

    role: str  # of the dataset, of `ROLES` in worlds.py
    task: Task
    figures: Mapping[str, str]  # as results call them, and as columns are headed
    paper: str = ""  # the paper's dataset, where it prints figures


@dataclass(frozen=True)
class Recipe:
    """How a checkpoint is trained: a preset with these changes, on the dataset of a role."""

    kind: Literal["pretrain", "finetune", "detection"]
    role: str
    changes: Mapping[str, Any] = field(default_factory=dict)  # by dotted name
    begin: str = ""  # the checkpoint to begin with; of stage 2, its teacher
    preset: str = ""  # its name, where it has one of its own; the synthetic data take its small sister
    on_synthetic: Mapping[str, Any] = field(default_factory=dict)  # more changes there


@dataclass(frozen=True)
class Method:
    """A row: a checkpoint a seed, or figures that are printed alone."""

    name: str
    title: str
    paper: Printed = field(default_factory=dict)
    checkpoint: str = ""  # its name, where that is another than the row's
    recipe: Recipe | None = None
    tasks: tuple[Task, ...] = ("parts", "objects", "rooms")  # what it can do
    own: Mapping[str, Recipe] = field(default_factory=dict)  # by role: has a checkpoint of its own there, NAME-ROLE
    segments: bool = False  # measured with the segments that a dataset is published with
    finished: Mapping[Task, str] = field(default_factory=dict)  # its names among results of studies, which are read
    lacks: str = ""  # why it has no figure here: as printed, or not implemented

    @property
    def names(self) -> str:
        """Give the name its checkpoints have."""
        return self.checkpoint or self.name

    def on(self, role: str) -> "Method":
        """Give the row as it is on the dataset of a role, with the checkpoint that it has there."""
        if role not in self.own:
            return self
        return replace(self, checkpoint=f"{self.names}-{role}", recipe=self.own[role], own={})


@dataclass(frozen=True)
class Spec:
    """A table of a paper."""

    name: str
    title: str
    source: str
    asked: tuple[Asked, ...]
    methods: tuple[Method, ...]
    notes: tuple[str, ...] = ()  # where it deviates from the printed protocol, and what its figures mean
    shows: str = ""  # what it shows, and what it cannot
    by_category: bool = False  # a second table has each category's mIoU_I
    categories: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # of it, as printed: by method
    by_group: bool = False  # a table of its own has the losses of groups of regions, of runs of stage 1
    before: tuple[Method, ...] = ()  # what rows begin with that is no row itself
    any_split: bool = False  # measured on another split where the papers' is not there

    def find(self, name: str) -> Method:
        """Find a row, or what rows begin with, by the name of its checkpoints; else one without a recipe."""
        known = (*self.methods, *self.before)
        return next((each for each in known if each.names == name), Method(name, ""))


def printed(name: str, title: str, paper: Printed) -> Method:
    """Make a row of a method of others, with the figures that the paper prints."""
    return Method(name, title, paper, lacks="as printed")
