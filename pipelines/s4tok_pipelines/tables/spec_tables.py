"""From measurements to the tables that a specification describes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from s4tok.datasets.dataset import CloudDataset
from s4tok_pipelines.tables.result_table import Cell, Column, Facts, ResultRow, ResultTable, find_figure
from s4tok_pipelines.tables.spec import MIOU_I, Asked, Method, Spec


@dataclass(frozen=True)
class Measurements:
    """What was measured, by row and by the role of a dataset."""

    worlds: Mapping[str, CloudDataset]
    results: dict[tuple[str, str], Sequence[Facts]] = field(default_factory=dict)  # a seed each
    vision: dict[str, Facts] = field(default_factory=dict)  # of the 2D model itself

    def all_of(self, role: str) -> Iterator[Facts]:
        """Give the results on a dataset, for what is the same in all that have it: its chance."""
        for (_, each), results in self.results.items():
            yield from results if each == role else ()
        yield self.vision.get(role, {})


def result_table(spec: Spec, methods: Sequence[Method], found: Measurements) -> ResultTable:
    """Lay out a table: a column for each figure of each dataset, a row for each method."""
    columns = tuple(
        _column(asked, figure, title, found) for asked in spec.asked for figure, title in asked.figures.items()
    )
    rows = tuple(
        ResultRow(
            method.name,
            method.title,
            tuple(
                Cell.of(
                    found.results.get((method.name, asked.role), ()), figure, method.paper.get((asked.role, figure))
                )
                for asked in spec.asked
                for figure in asked.figures
            ),
            method.lacks,
        )
        for method in methods
    )
    return ResultTable(spec.name, spec.title, columns, rows, head="method")


def by_category(spec: Spec, methods: Sequence[Method], found: Measurements) -> ResultTable:
    """Lay out mIoU_I of each category, in the dataset's order, beside what the paper prints of it."""
    clouds, role = found.worlds["parts"], "parts"
    asked = next(found.all_of(role)).get("per_category", {})
    names = [name for name in clouds.categories if asked.get(name, {}).get("objects")]
    seen, shown = found.vision.get(role, {}), {name for of in spec.categories.values() for name in of}
    columns = tuple(
        Column(
            name, clouds.name, clouds.split, f"per_category.{name}.{MIOU_I}",
            vision=find_figure(seen, f"per_category.{name}.{MIOU_I}"), paper=name if name.lower() in shown else "",
        )
        for name in names
    )  # fmt: skip
    rows = tuple(
        ResultRow(
            method.name, method.title,
            tuple(
                Cell.of(found.results.get((method.name, role), ()), f"per_category.{name}.{MIOU_I}",
                        spec.categories.get(method.name, {}).get(name.lower()))
                for name in names
            ),
            method.lacks,
        )
        for method in methods
    )  # fmt: skip
    return ResultTable(
        f"{spec.name}-categories", f"{spec.title}: mIoU_I of each category", columns, rows, head="method"
    )


def _column(asked: Asked, figure: str, title: str, found: Measurements) -> Column:
    clouds = found.worlds.get(asked.role)
    name, split = (asked.paper, "") if clouds is None else (clouds.name, clouds.split)
    chances = (_chance(facts, figure) for facts in found.all_of(asked.role))
    chance = next((each for each in chances if each is not None), None)
    seen = find_figure(found.vision.get(asked.role, {}), figure)
    return Column(f"{name} {title}", name, split, figure, chance, seen, asked.paper)


def _chance(facts: Facts, figure: str) -> float | None:
    """Find what random labels score."""
    if "chances" in facts:
        return find_figure(facts, f"chances.{figure}")
    if figure == "macc":
        return 1 / len(facts["classes"]) if facts.get("classes") else None
    return find_figure(facts, "furniture_chance" if figure == "furniture_miou" else "chance")
