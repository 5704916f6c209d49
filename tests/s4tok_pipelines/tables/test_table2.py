from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok_pipelines.tables.grid import grid
from s4tok_pipelines.tables.table2 import Measured
from s4tok_pipelines.tables.table2_picture import draw_table2


def facts(miou: float | None, **more: Any) -> dict[str, Any]:
    known = {"miou": miou, "macc": 0.5, "furniture_miou": 0.1, "chance": 0.03, "furniture_chance": 0.06, "clouds": 9}
    return {**known, "uncalibrated": {"miou": miou}, **more}


WORLDS = (("toy-scans", "test"), ("toy-rooms", "test"))
MEASURED = Measured(
    WORLDS,
    ("toy-shapes", "test"),
    {
        "knn": {"toy-scans": [facts(0.10), facts(0.14)], "toy-rooms": [facts(0.20), facts(0.20)]},
        "s4token": {"toy-scans": [facts(0.09), facts(0.11)], "toy-rooms": [facts(0.25), facts(0.35)]},
        "s4token-scans": {
            "toy-scans": [facts(0.4, macc=0.6, uncalibrated={"miou": 0.3})],
            "toy-rooms": [facts(None, macc=None)],
        },
    },
    {"s4token": {"toy-scans": [facts(0.01)], "toy-rooms": [facts(0.02)]}},
    {"knn": {0.3: [{"accuracy": 0.5, "chance": 1 / 15}], 3.0: [{"accuracy": 0.25, "chance": 1 / 15}]}},
    {"toy-scans": {"miou": 0.278, "furniture_miou": 0.3}, "toy-shapes": {"accuracy": 0.96}},
)
NOTHING = Measured((("scannet", "val"), ("s3dis", "test")), ("shapenet55", "test"), {}, {}, {})


def by_name(measured: Measured, table: int) -> dict[str, dict[str, str]]:
    shown = grid(measured.tables[table])
    return {row[0]: dict(zip(shown.columns, row, strict=True)) for row in shown.rows}


def test_a_table_worked_by_hand() -> None:
    table = by_name(MEASURED, 0)
    assert list(table) == [
        "kNN", "kNN+RPN", "S4Token", "S4Token, room as a whole", "chance", "2D model on its views"
    ]  # fmt: skip  # rows of our own only where there is a checkpoint
    assert table["kNN"]["toy-scans mIoU"] == "12.0 ± 2.8"
    assert table["S4Token"]["toy-scans mIoU"] == "10.0 ± 1.4"
    row = grid(MEASURED.tables[0]).rows[2]
    assert row[:8] == ["S4Token", "2", "10.0 ± 1.4", "-2.0", "10.0 ± 0.0", "30.0 ± 7.1", "+10.0", "10.0 ± 0.0"]
    assert table["S4Token, room as a whole"]["toy-rooms mIoU"] == "2.0"
    assert table["chance"]["toy-scans mIoU"] == "3.0"
    assert table["chance"]["toy-scans furniture"] == "6.0"
    assert table["2D model on its views"]["toy-scans mIoU"] == "27.8"
    assert table["2D model on its views"]["toy-rooms mIoU"] == "-"


def test_the_papers_figures_are_the_papers_whatever_was_measured() -> None:
    for measured in (MEASURED, NOTHING):
        table = by_name(measured, 0)
        assert [table[row]["paper: ScanNet mIoU"] for row in ("kNN", "kNN+RPN", "S4Token")] == ["8.7", "18.1", "18.9"]
        assert [table[row]["paper: S3DIS mIoU"] for row in ("kNN", "kNN+RPN", "S4Token")] == ["11.3", "21.2", "23.7"]
        deltas = [table[row]["delta"] for row in ("kNN", "kNN+RPN", "S4Token", "chance")]
        assert deltas == ["-", "+9.9", "+12.4", "-"]
        assert grid(measured.tables[2]).rows[0][-4:] == ["54.3", "69.4", "47.5", "57.4"]
    assert by_name(NOTHING, 0)["S4Token"]["seeds"] == "none there"


def test_the_control_has_a_row_where_there_is_one_and_no_figure_of_the_papers() -> None:
    rooms = {**MEASURED.in_rooms, "knn-sphere": {"toy-scans": [facts(0.11)], "toy-rooms": [facts(0.21)]}}
    measured = Measured(WORLDS, MEASURED.shapes, rooms, {}, MEASURED.sweep)
    assert grid(measured.tables[0]).rows[1] == [
        "kNN, unit sphere", "1", "11.0", "-1.0", "10.0", "21.0", "+1.0", "10.0", "-", "-", "-", "-"
    ]  # fmt: skip


def test_what_could_not_be_measured_is_a_dash() -> None:
    row = grid(MEASURED.tables[2]).rows[0]
    assert row[:10] == ["S4Token", "1", "40.0", "30.0", "60.0", "10.0", "-", "-", "-", "10.0"]
    assert MEASURED.absent() == ["knn+rpn"]


def test_rows_that_were_not_asked_for_are_neither_shown_nor_called_absent() -> None:
    rooms = {"s4token": MEASURED.in_rooms["s4token"]}
    measured = Measured(WORLDS, MEASURED.shapes, rooms, {}, {}, asked=("s4token", "knn+rpn"))
    assert measured.absent() == ["knn+rpn"]
    table = by_name(measured, 0)
    assert list(table) == ["kNN+RPN", "S4Token", "chance"]
    assert table["S4Token"]["delta"] == "-"  # to kNN, which was not asked for
    assert list(by_name(measured, 2)) == ["chance"]


def test_the_sweep_has_a_column_a_scale_in_order() -> None:
    shown = grid(MEASURED.tables[1])
    assert shown.columns == ["tokenizer", "seeds", "x 0.3", "x 3"]
    assert shown.rows[0] == ["kNN", "1", "50.0", "25.0"]
    assert shown.rows[-1] == ["chance", "-", "6.7", "6.7"]
    assert shown.rows[2] == ["S4Token", "none there", "-", "-"]


def test_the_universal_checkpoint_stands_among_rooms_and_in_the_sweep() -> None:
    rooms = {**MEASURED.in_rooms, "universal": {"toy-scans": [facts(0.2)], "toy-rooms": [facts(0.3)]}}
    sweep = {**MEASURED.sweep, "universal": {3.0: [{"accuracy": 0.9, "chance": 1 / 15}]}}
    measured = Measured(WORLDS, MEASURED.shapes, rooms, {}, sweep)
    assert by_name(measured, 1)["universal"]["x 3"] == "90.0"
    assert by_name(measured, 2)["universal"]["toy-rooms mIoU"] == "30.0"
    assert "universal" not in by_name(measured, 0)


@pytest.mark.parametrize("measured", [MEASURED, NOTHING])
def test_the_picture_is_drawn_with_all_there_is_and_with_nothing(tmp_path: Path, measured: Measured) -> None:
    from PIL import Image

    draw_table2(tmp_path / "new" / "table.png", measured.tables, "Table", ["a note"])
    pixels = np.asarray(Image.open(BytesIO((tmp_path / "new" / "table.png").read_bytes())))
    assert pixels.shape[1] == 1200
    has_bars = (pixels == (192, 80, 32)).all(axis=-1).any()
    assert has_bars  # the paper's are always there
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "table.png"]
