"""The one form of a result table: rows by columns, a figure over seeds in each cell, and what one judges it by beside.

`schema.json` is what its JSON looks like. Figures are fractions, or what the column's unit says.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

Facts = Mapping[str, Any]  # the result of one checkpoint on one dataset
SCHEMA = Path(__file__).with_name("schema.json")


@dataclass(frozen=True)
class Cell:
    """A figure over seeds; without any it was not measured."""

    each: tuple[float, ...] = ()  # a seed each
    seeds: tuple[int, ...] = ()
    n: int = 0  # clouds behind each
    paper: float | None = None  # what the paper prints here
    is_result: bool = True  # False for one of few clouds and steps, which shows that the command works

    @classmethod
    def of(cls, results: Sequence[Facts], figure: str, paper: float | None = None) -> "Cell":
        """Collect a figure from the results of several seeds, as far as they have it."""
        known = [(facts, value) for facts in results if (value := find_figure(facts, figure)) is not None]
        seeds = tuple(int(_card(facts).get("seed", place)) for place, (facts, _) in enumerate(known))
        counted = min((int(facts.get("clouds", 0)) for facts, _ in known), default=0)
        return cls(tuple(value for _, value in known), seeds, counted, paper)

    @property
    def mean(self) -> float:
        """Give the mean over seeds; NaN where nothing was measured."""
        return fmean(self.each) if self.each else math.nan

    @property
    def deviation(self) -> float:
        """Give the sample's standard deviation over seeds; NaN for fewer than two."""
        return stdev(self.each) if len(self.each) > 1 else math.nan

    def facts(self) -> dict[str, Any]:
        """Give all of it as JSON has it."""
        return {
            "mean": _known(self.mean),
            "deviation": _known(self.deviation),
            "each": list(self.each),
            "seeds": list(self.seeds),
            "n": self.n,
            "paper": self.paper,
            "is_result": self.is_result,
        }


@dataclass(frozen=True)
class Column:
    """What the cells of a column measure, and what they are compared with."""

    name: str
    dataset: str
    split: str
    figure: str  # as results call it
    chance: float | None = None
    vision: float | None = None  # the 2D model's own figure on its views; None where it was not measured
    paper: str = ""  # whose figures of the paper stand beside: "ScanNet"
    has_delta: bool = False  # shown beside the table's baseline


@dataclass(frozen=True)
class ResultRow:
    """A method: one checkpoint a seed."""

    name: str
    title: str
    cells: tuple[Cell, ...]  # a column each
    lacks: str = ""  # why nothing was measured: "as printed", "not implemented"

    @property
    def seeds(self) -> int:
        """Count the seeds that were measured."""
        return max((len(cell.each) for cell in self.cells), default=0)


@dataclass(frozen=True)
class ResultTable:
    """A table that a paper prints, or one of our own in the same form."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[ResultRow, ...]
    baseline: str = ""  # the row that others are compared with
    head: str = "tokenizer"  # what rows are
    is_result: bool = True  # as of its cells

    def as_trial(self) -> "ResultTable":
        """Mark every cell as no result."""
        rows = tuple(
            replace(row, cells=tuple(replace(cell, is_result=False) for cell in row.cells)) for row in self.rows
        )
        return replace(self, title=f"{self.title} (quick: no result)", rows=rows, is_result=False)

    def row(self, name: str) -> ResultRow | None:
        """Find a row by its name."""
        return next((row for row in self.rows if row.name == name), None)

    def facts(self) -> dict[str, Any]:
        """Give all of it as JSON has it."""
        return {
            "name": self.name,
            "title": self.title,
            "baseline": self.baseline or None,
            "columns": [
                {
                    "name": column.name, "dataset": column.dataset, "split": column.split, "figure": column.figure,
                    "chance": column.chance, "vision": column.vision, "paper": column.paper or None,
                }
                for column in self.columns
            ],
            "rows": [
                {"name": row.name, "title": row.title, "lacks": row.lacks,
                 "cells": [cell.facts() for cell in row.cells]}
                for row in self.rows
            ],
        }  # fmt: skip


def find_figure(facts: Facts, figure: str) -> float | None:
    """Find a figure by its dotted name; None where it was not measured."""
    found: Any = facts
    for part in figure.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return None if found is None else float(found)


def document(tables: Sequence[ResultTable], *, source: str, notes: Sequence[str], **about: Any) -> dict[str, Any]:
    """Give the JSON of a result: its tables, where the printed figures are from, and all that made them."""
    return {"schema": schema()["$id"], "source": source, "tables": [table.facts() for table in tables],
            "notes": list(notes), **about}  # fmt: skip


def schema() -> dict[str, Any]:
    """Read the JSON Schema of a result."""
    read: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return read


def _card(facts: Facts) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (facts.get("checkpoint") or facts.get("student") or {}).get("card") or {}
    return found


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
