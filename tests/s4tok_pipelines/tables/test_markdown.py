from s4tok_pipelines.tables.grid import Grid
from s4tok_pipelines.tables.markdown import markdown


def test_markdown_has_one_cell_a_column_whatever_names_hold() -> None:
    text = markdown("Table", [Grid("of a|b", ["x|y", "n"], [["c\nd", "1"]])], ["a note\n# no title"])
    lines = text.splitlines()
    assert lines[-3:] == ["| x\\|y | n |", "| --- | ---: |", "| c d | 1 |"]
    assert [line for line in lines if line.startswith("#")] == ["# Table", "## of a\\|b"]
