import math
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok_pipelines.tables.markdown import markdown
from s4tok_pipelines.tables.table2 import Measured, Sheet, Spread
from s4tok_pipelines.tables.table2_picture import draw_table2


def facts(miou: float | None, **more: Any) -> dict[str, Any]:
    return {"miou": miou, "macc": 0.5, "furniture_miou": 0.1, "chance": 0.03, "furniture_chance": 0.06, **more}


MEASURED = Measured(
    ("toy-scans", "toy-rooms"),
    {
        "knn": {"toy-scans": [facts(0.10), facts(0.14)], "toy-rooms": [facts(0.20), facts(0.20)]},
        "s4token": {"toy-scans": [facts(0.09), facts(0.11)], "toy-rooms": [facts(0.25), facts(0.35)]},
        "knn+rpn": {"toy-scans": [], "toy-rooms": []},
        "s4token-scans": {"toy-scans": [facts(0.4, macc=0.6)], "toy-rooms": [facts(None, macc=None)]},
    },
    "toy-shapes",
    {"knn": {0.3: [{"accuracy": 0.5, "chance": 1 / 15}], 3.0: [{"accuracy": 0.25, "chance": 1 / 15}]}},
)


def by_name(sheet: Sheet) -> dict[str, dict[str, str]]:
    return {row[0]: dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows}


def test_a_table_worked_by_hand() -> None:
    table = by_name(MEASURED.sheets[0])
    assert list(table) == ["kNN", "kNN+RPN", "S4Token", "a guess"]  # no control, since nobody has trained one
    assert table["kNN"]["toy-scans mIoU"] == "12.0 ± 2.8"
    assert table["S4Token"]["toy-scans mIoU"] == "10.0 ± 1.4"
    row = MEASURED.sheets[0].rows[2]
    assert row[:8] == ["S4Token", "2", "10.0 ± 1.4", "-2.0", "10.0 ± 0.0", "30.0 ± 7.1", "+10.0", "10.0 ± 0.0"]
    assert table["a guess"]["toy-scans mIoU"] == "3.0"
    assert MEASURED.sheets[0].rows[3][4] == "6.0"


def test_the_papers_figures_are_the_papers_whatever_was_measured() -> None:
    nothing = Measured(("scannet", "s3dis"), {}, "shapenet55", {})
    for measured in (MEASURED, nothing):
        table = by_name(measured.sheets[0])
        assert [table[row]["paper: ScanNet"] for row in ("kNN", "kNN+RPN", "S4Token")] == ["8.7", "18.1", "18.9"]
        assert [table[row]["paper: S3DIS"] for row in ("kNN", "kNN+RPN", "S4Token")] == ["11.3", "21.2", "23.7"]
        deltas = [row[-1] for row in measured.sheets[0].rows]
        assert deltas == ["-", "+9.9", "+12.4", "-"]
        assert measured.sheets[2].rows[0][-4:] == ["54.3", "69.4", "47.5", "57.4"]
    assert by_name(nothing.sheets[0])["S4Token"]["seeds"] == "none there"


def test_the_control_has_a_row_where_there_is_one_and_no_figure_of_the_papers() -> None:
    rooms = {**MEASURED.rooms, "knn-sphere": {"toy-scans": [facts(0.11)], "toy-rooms": [facts(0.21)]}}
    measured = Measured(MEASURED.worlds, rooms, MEASURED.shapes, MEASURED.sweep)
    assert measured.sheets[0].rows[1] == [
        "kNN, unit sphere", "1", "11.0", "-1.0", "10.0", "21.0", "+1.0", "10.0", "-", "-", "-", "-"
    ]  # fmt: skip


def test_what_could_not_be_measured_is_a_dash() -> None:
    row = MEASURED.sheets[2].rows[0]
    assert row[:8] == ["S4Token", "1", "40.0", "60.0", "10.0", "-", "-", "10.0"]
    assert str(Spread.of([])) == str(Spread.of([None])) == "-"
    assert math.isnan(Spread.of([0.5]).deviation)


def test_the_sweep_has_a_column_a_scale_in_order() -> None:
    sheet = MEASURED.sheets[1]
    assert sheet.columns == ["tokenizer", "x 0.3", "x 3"]
    assert sheet.rows[0] == ["kNN", "50.0", "25.0"]
    assert sheet.rows[-1] == ["a guess", "6.7", "6.7"]
    assert sheet.rows[2] == ["S4Token", "-", "-"]


def test_facts_are_fractions_with_every_seeds_own() -> None:
    said = MEASURED.facts()
    figures = said["rows"]["s4token"]["rooms"]["toy-rooms"]
    assert figures["miou"]["each"] == (0.25, 0.35)
    assert figures["delta_miou"] == pytest.approx(0.1)
    assert said["chance"]["toy-scans"] == {"miou": 0.03, "furniture_miou": 0.06}
    assert said["paper"]["table2_miou"]["knn"] == {"ScanNet": 0.087, "S3DIS": 0.113}


def test_markdown_has_one_cell_a_column_whatever_names_hold() -> None:
    text = markdown("Table", [Sheet("of a|b", ["x|y", "n"], [["c\nd", "1"]])], ["a note\n# no title"])
    lines = text.splitlines()
    assert lines[-3:] == ["| x\\|y | n |", "| --- | ---: |", "| c d | 1 |"]
    assert [line for line in lines if line.startswith("#")] == ["# Table", "## of a\\|b"]


@pytest.mark.parametrize("measured", [MEASURED, Measured(("a", "b"), {}, "c", {})])
def test_the_picture_is_drawn_with_all_there_is_and_with_nothing(tmp_path: Path, measured: Measured) -> None:
    from PIL import Image

    draw_table2(tmp_path / "new" / "table.png", measured, "Table", ["a note"])
    pixels = np.asarray(Image.open(BytesIO((tmp_path / "new" / "table.png").read_bytes())))
    assert pixels.shape[1] == 1200
    has_bars = (pixels == (192, 80, 32)).all(axis=-1).any()
    assert has_bars  # the paper's are always there
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "table.png"]
