"""What a table needs, opened: its rows, the datasets of its columns, and where checkpoints are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s4tok.datasets.dataset import CloudDataset
from s4tok_pipelines.stages.evaluator import Evaluator
from s4tok_pipelines.stages.row_checkpoints import RowCheckpoints
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.tables.spec import Asked, Method, Recipe, Spec
from s4tok_pipelines.tables.worlds import open_roles


@dataclass(frozen=True)
class Wanted:
    """What of a table is made, and from what."""

    out: Path
    checkpoints: Path | None = None  # a folder of them; those that come with s4tok where None
    data: Path | None = None  # of the papers' datasets; the synthetic data where None
    rows: Sequence[str] = ()
    limit: int | None = None
    seeds: int = 1
    trains: bool = False  # checkpoints that are missing
    is_quick: bool = False


@dataclass(frozen=True)
class TableWork:
    """A table before it is made."""

    spec: Spec
    wanted: Wanted
    methods: Sequence[Method]  # the rows that are asked for
    worlds: Mapping[str, CloudDataset]  # by role
    rows: RowCheckpoints
    evaluator: Evaluator

    @classmethod
    def open(cls, spec: Spec, wanted: Wanted, evaluator: Evaluator, trainer: Trainer) -> "TableWork":
        """Open the datasets to measure on, and where rows are trained those to train on.

        Raises:
            InputError: For real datasets that are missing.
        """
        methods = [each for each in spec.methods if not wanted.rows or each.name in wanted.rows]
        measured = [asked.role for asked in spec.asked if any(not each.lacks for each in methods)]
        trained = {each.role for each in _recipes(spec, methods)} if wanted.trains else set[str]()
        worlds = open_roles(measured, wanted.data, evaluator.config, wanted.limit, any_split=spec.any_split)
        worlds |= open_roles(sorted(trained.difference(measured)), wanted.data, evaluator.config)
        seeds = 1 if wanted.is_quick else wanted.seeds
        rows = RowCheckpoints(spec, wanted.checkpoints, trainer, wanted.trains, seeds, worlds)
        return cls(spec, wanted, methods, worlds, rows, evaluator)

    def cells(self) -> Iterator[tuple[Method, Asked, CloudDataset]]:
        """Give the rows and datasets that are measured, where a row can do the dataset's task."""
        for method in self.methods:
            for asked in self.spec.asked:
                clouds = self.worlds.get(asked.role)
                if clouds is None or method.lacks or asked.task not in method.tasks:
                    continue
                if not method.segments or clouds.name == "scannet":
                    yield method, asked, clouds


def _recipes(spec: Spec, methods: Sequence[Method]) -> Iterator[Recipe]:
    """Give the recipes of rows, and of all that they begin with."""
    for method in methods:
        for recipe in (method.recipe, *method.own.values()):
            if recipe is not None:
                yield recipe
                if recipe.begin:
                    yield from _recipes(spec, [spec.find(recipe.begin)])
