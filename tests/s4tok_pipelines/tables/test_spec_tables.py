import math
from collections.abc import Sequence
from typing import Any

from s4tok.synthetic.datasets import ToyScans, ToyShapes
from s4tok_pipelines.tables.result_table import Facts
from s4tok_pipelines.tables.spec import THREE_MEANS, Asked, Method, Spec, printed
from s4tok_pipelines.tables.spec_tables import Measurements, by_category, result_table

SPEC = Spec(
    "table9",
    "Nine",
    "a paper",
    (Asked("parts", "parts", THREE_MEANS, "ShapeNetPart"), Asked("scannet", "rooms", {"miou": "mIoU", "macc": "mAcc"})),
    (
        printed("theirs", "Theirs", {("parts", "miou_i"): 0.5}),
        Method("ours", "Ours", {("parts", "miou_i"): 0.7, ("scannet", "macc"): 0.4}),
    ),
    by_category=True,
    categories={"ours": {"chair": 0.8}},
)
SHAPES: dict[str, Any] = {
    "miou_i": 0.4, "miou_c": 0.3, "miou_part": 0.2, "clouds": 15, "chances": {"miou_i": 0.1},
    "per_category": {"chair": {"miou_i": 0.45, "objects": 2}, "mug": {"miou_i": None, "objects": 0}},
    "checkpoint": {"card": {"seed": 3}},
}  # fmt: skip
ROOMS: dict[str, Any] = {"miou": 0.2, "macc": 0.3, "clouds": 4, "chance": 0.02, "classes": ["a", "b", "c", "d"]}


def measured() -> Measurements:
    worlds = {"parts": ToyShapes("test"), "scannet": ToyScans("test")}
    results: dict[tuple[str, str], Sequence[Facts]] = {("ours", "parts"): [SHAPES], ("ours", "scannet"): [ROOMS]}
    return Measurements(worlds, results, {"parts": {"miou_i": 0.6, "per_category": {"chair": {"miou_i": 0.65}}}})


def test_a_column_has_chance_and_the_2d_model_and_a_cell_the_papers_figure() -> None:
    table = result_table(SPEC, SPEC.methods, measured())
    by_title = {column.name: column for column in table.columns}
    assert list(by_title) == [
        "toy-shapes mIoU_C", "toy-shapes mIoU_I", "toy-shapes mIoU_part", "toy-scans mIoU", "toy-scans mAcc",
    ]  # fmt: skip
    assert (by_title["toy-shapes mIoU_I"].chance, by_title["toy-shapes mIoU_I"].vision) == (0.1, 0.6)
    assert (by_title["toy-scans mIoU"].chance, by_title["toy-scans mAcc"].chance) == (0.02, 0.25)
    theirs, ours = table.rows
    assert (theirs.cells[1].paper, theirs.cells[1].each, theirs.lacks) == (0.5, (), "as printed")
    assert (ours.cells[1].each, ours.cells[1].paper, ours.cells[1].n, ours.cells[1].seeds) == ((0.4,), 0.7, 15, (3,))
    assert (ours.cells[4].mean, ours.cells[4].paper) == (0.3, 0.4)


def test_chance_is_that_of_any_result_which_has_it() -> None:
    found = measured()
    without = {name: value for name, value in SHAPES.items() if name != "chances"}
    found.results["ours", "parts"] = [without]
    found.vision["parts"] = {**found.vision["parts"], "chances": {"miou_i": 0.15}}
    assert result_table(SPEC, SPEC.methods, found).columns[1].chance == 0.15


def test_categories_without_an_object_have_no_column() -> None:
    table = by_category(SPEC, SPEC.methods, measured())
    assert [column.name for column in table.columns] == ["chair"]
    assert (table.columns[0].vision, table.columns[0].paper) == (0.65, "chair")
    assert (table.row("ours").cells[0].mean, table.row("ours").cells[0].paper) == (0.45, 0.8)  # type: ignore[union-attr]


def test_a_dataset_that_is_not_there_leaves_empty_columns() -> None:
    table = result_table(SPEC, SPEC.methods, Measurements({}))
    assert [column.name for column in table.columns][:1] == ["ShapeNetPart mIoU_C"]
    assert all(math.isnan(cell.mean) for row in table.rows for cell in row.cells)
    assert table.columns[0].chance is None


def test_a_trial_is_marked_in_every_cell() -> None:
    marked = result_table(SPEC, SPEC.methods, measured()).as_trial()
    assert not any(cell.is_result for row in marked.rows for cell in row.cells)
    assert marked.title.endswith("(quick: no result)")
