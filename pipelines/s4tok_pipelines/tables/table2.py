"""The paper's Tables 2 and 4 beside what was measured: rows, columns, means over seeds, and nothing rounded away.

The paper's figures are those it prints for ScanNet (validation) and S3DIS (Area 5) with CLIP ViT-B/16. They stand in
columns of their own, whatever world was measured.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, NamedTuple

Facts = Mapping[str, Any]  # one result, as it is kept
NOTHING = "-"
ABSENT = "none there"  # of the students a row needs
BASELINE = "knn"
SCAN_TRAINED = "s4token-scans"


TITLES = {
    "knn": "kNN",
    "knn-sphere": "kNN, unit sphere",  # the control that the paper lacks
    "knn+rpn": "kNN+RPN",
    "s4token": "S4Token",
}
PAPER = {"knn": (0.087, 0.113), "knn+rpn": (0.181, 0.212), "s4token": (0.189, 0.237)}  # mIoU, Table 2
CONTROL = "knn-sphere"
PAPER_4 = {"miou": (0.543, 0.475), "macc": (0.694, 0.574)}  # S4Token, Table 4
ROLES = ("ScanNet", "S3DIS")  # of the two worlds of rooms, in this order


class Spread(NamedTuple):
    """A figure over seeds."""

    mean: float
    deviation: float  # of the sample; NaN for one seed
    each: tuple[float, ...] = ()

    @classmethod
    def of(cls, values: Sequence[float | None]) -> "Spread":
        """Take the mean of what could be measured."""
        known = [value for value in values if value is not None]
        deviation = stdev(known) if len(known) > 1 else math.nan
        return cls(fmean(known) if known else math.nan, deviation, tuple(known))

    def __str__(self) -> str:
        if math.isnan(self.mean):
            return NOTHING
        return percent(self.mean) + ("" if math.isnan(self.deviation) else f" ± {percent(self.deviation)}")


class Sheet(NamedTuple):
    """A table for people: names on the left, figures in percent."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Measured:
    """Every result, by student, and then by world or by scale; a result a seed."""

    worlds: tuple[str, str]  # of rooms, in the order of ROLES
    rooms: Mapping[str, Mapping[str, Sequence[Facts]]]
    shapes: str  # the world of the sweep
    sweep: Mapping[str, Mapping[float, Sequence[Facts]]]

    @property
    def students(self) -> list[str]:
        """Name the rows of Table 2; the control only where there is one."""
        return [name for name in TITLES if name != CONTROL or self.seeds(name)]

    def room(self, student: str, world: str, figure: str) -> Spread:
        """Give a figure of a student in a world of rooms."""
        return Spread.of([facts.get(figure) for facts in self.rooms.get(student, {}).get(world, ())])

    def scaled(self, student: str, scale: float) -> Spread:
        """Give a student's accuracy on objects so many times as large."""
        return Spread.of([facts.get("accuracy") for facts in self.sweep.get(student, {}).get(scale, ())])

    def any_of(self, world: str) -> Facts:
        """Give one result in a world, for what is the same in all: its points, its chance, its superpoints."""
        return next((each for of in self.rooms.values() for each in of.get(world, ())), {})

    def seeds(self, student: str) -> int:
        """Count the students of a row."""
        return max((len(each) for each in self.rooms.get(student, {}).values()), default=0)

    @property
    def sheets(self) -> list[Sheet]:
        """Give the tables as people read them."""
        return [self._table_2(), self._scale_sweep(), self._table_4()]

    def _table_2(self) -> Sheet:
        measured = [title for world in self.worlds for title in (f"{world} mIoU", "delta", "furniture")]
        printed = [title for role in ROLES for title in (f"paper: {role}", "delta ")]
        rows = [self._row_2(name) for name in self.students]
        guess = ["a guess", NOTHING]
        for world in self.worlds:
            facts = self.any_of(world)
            guess += [_cell(facts.get("chance")), NOTHING, _cell(facts.get("furniture_chance"))]
        rows.append([*guess, *[NOTHING] * len(printed)])
        title = "Table 2: tokenizers pre-trained on objects, in rooms, without fine-tuning"
        return Sheet(title, ["tokenizer", "seeds", *measured, *printed], rows)

    def _row_2(self, name: str) -> list[str]:
        seeds = self.seeds(name)
        cells = [TITLES[name], str(seeds) if seeds else ABSENT]
        for world in self.worlds:
            found, base = self.room(name, world, "miou"), self.room(BASELINE, world, "miou")
            cells += [str(found), delta(found.mean, base.mean, name), str(self.room(name, world, "furniture_miou"))]
        for place in range(len(ROLES)):
            printed = PAPER.get(name, (math.nan, math.nan))[place]
            cells += [_cell(printed), delta(printed, PAPER[BASELINE][place], name)]
        return cells

    def _scale_sweep(self) -> Sheet:
        scales = sorted({scale for each in self.sweep.values() for scale in each})
        rows = [[TITLES[name], *(str(self.scaled(name, scale)) for scale in scales)] for name in self.students]
        first = next((facts for of in self.sweep.values() for each in of.values() for facts in each), {})
        rows.append(["a guess", *[_cell(first.get("chance"))] * len(scales)])
        title = f"Scale sweep: accuracy on held-out {self.shapes}, each as large as it is times"
        return Sheet(title, ["tokenizer", *(f"x {scale:g}" for scale in scales)], rows)

    def _table_4(self) -> Sheet:
        figures = {"miou": "mIoU", "macc": "mAcc", "furniture_miou": "furniture"}
        measured = [f"{world} {title}" for world in self.worlds for title in figures.values()]
        printed = [f"paper: {role} {figures[figure]}" for role in ROLES for figure in PAPER_4]
        own = [str(self.room(SCAN_TRAINED, world, figure)) for world in self.worlds for figure in figures]
        paper = [percent(PAPER_4[figure][place]) for place in range(len(ROLES)) for figure in PAPER_4]
        seeds = self.seeds(SCAN_TRAINED)
        rows = [["S4Token", str(seeds) if seeds else ABSENT, *own, *paper]]
        guess = [
            cell
            for facts in map(self.any_of, self.worlds)
            for cell in (_cell(facts.get("chance")), NOTHING, _cell(facts.get("furniture_chance")))
        ]
        rows.append(["a guess", NOTHING, *guess, *[NOTHING] * len(paper)])
        title = f"Table 4: S4Token pre-trained on the rooms of {self.worlds[0]}"
        return Sheet(title, ["tokenizer", "seeds", *measured, *printed], rows)

    def facts(self) -> dict[str, Any]:
        """Give all figures as plain names and fractions, the paper's under its own name."""
        return {
            "chance": {
                world: {"miou": found.get("chance"), "furniture_miou": found.get("furniture_chance")}
                for world, found in ((world, self.any_of(world)) for world in self.worlds)
            },
            "rows": {
                name: {
                    "seeds": self.seeds(name),
                    "rooms": {world: self._figures(name, world) for world in self.worlds},
                    "sweep": {f"{scale:g}": self.scaled(name, scale)._asdict() for scale in self.sweep.get(name, {})},
                }
                for name in (*self.students, SCAN_TRAINED)
            },
            "paper": {
                "table2_miou": {name: dict(zip(ROLES, both, strict=True)) for name, both in PAPER.items()},
                "table4": {figure: dict(zip(ROLES, both, strict=True)) for figure, both in PAPER_4.items()},
            },
        }

    def _figures(self, name: str, world: str) -> dict[str, Any]:
        figures = {figure: self.room(name, world, figure) for figure in ("miou", "macc", "accuracy", "furniture_miou")}
        base = self.room(BASELINE, world, "miou").mean
        return {**{figure: of._asdict() for figure, of in figures.items()}, "delta_miou": figures["miou"].mean - base}


def percent(fraction: float) -> str:
    """Write a fraction as the paper does."""
    return f"{100 * fraction:.1f}"


def delta(value: float, base: float, name: str) -> str:
    """Write how much better than the baseline a figure is; the baseline's own cell stays empty."""
    if name == BASELINE or math.isnan(value - base):
        return NOTHING
    return f"{100 * (value - base):+.1f}"


def _cell(value: float | None) -> str:
    return NOTHING if value is None or math.isnan(value) else percent(value)
