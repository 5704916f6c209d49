import copy
import math
from typing import Any

import jsonschema
import pytest

from s4tok_pipelines.outputs.results import plain
from s4tok_pipelines.tables.result_table import Cell, Column, ResultRow, ResultTable, document, find_figure, schema

TABLE = ResultTable(
    "table9",
    "Nine",
    (Column("toy mIoU", "toy", "test", "miou", chance=0.02, vision=0.3, paper="ScanNet", has_delta=True),),
    (ResultRow("a", "A", (Cell((0.2, 0.4), (0, 1), 15, 0.189),)), ResultRow("b", "B", (Cell(),))),
    "a",
)
ABOUT: dict[str, Any] = {
    "table": "table9", "s4tok": "0.1.0", "command": "s4tok reproduce table9", "date": "2026-11-25", "seconds": 1.5,
    "vision_model": {"name": "mini", "weights": "00"},
}  # fmt: skip


def made() -> dict[str, Any]:
    said: dict[str, Any] = plain(document([TABLE], source="a paper", notes=["a note"], **ABOUT))
    return said


def test_a_cell_has_mean_and_deviation_of_its_seeds() -> None:
    cell = TABLE.rows[0].cells[0]
    assert cell.mean == pytest.approx(0.3)
    assert cell.deviation == pytest.approx(0.2 / math.sqrt(2))
    assert math.isnan(Cell((0.5,)).deviation)
    assert math.isnan(Cell().mean)


def test_cells_are_collected_from_results_that_have_the_figure() -> None:
    results: list[dict[str, Any]] = [
        {"figures": {"miou": 0.2}, "clouds": 12, "student": {"card": {"seed": 7}}},
        {"figures": None, "clouds": 3},
        {"figures": {"miou": 0.4}, "clouds": 11, "checkpoint": {"card": {}}},
    ]
    cell = Cell.of(results, "figures.miou", paper=0.5)
    assert cell == Cell((0.2, 0.4), (7, 1), 11, 0.5)
    assert Cell.of([], "miou") == Cell()
    assert find_figure({"miou": 3}, "miou.more") is None


def test_the_json_of_a_result_keeps_to_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    said = made()
    jsonschema.validate(said, schema())
    [table] = said["tables"]
    assert table["columns"][0]["vision"] == 0.3
    assert table["rows"][0]["cells"][0]["each"] == [0.2, 0.4]
    assert table["rows"][1]["cells"][0]["mean"] is None


@pytest.mark.parametrize(
    "path", [("command",), ("vision_model", "weights"), ("tables", 0, "columns", 0, "chance"),
             ("tables", 0, "rows", 0, "cells", 0, "n")]
)  # fmt: skip
def test_a_result_without_what_one_judges_it_by_breaks_the_schema(path: tuple[str | int, ...]) -> None:
    said: Any = copy.deepcopy(made())
    within = said
    for part in path[:-1]:
        within = within[part]
    del within[path[-1]]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(said, schema())
