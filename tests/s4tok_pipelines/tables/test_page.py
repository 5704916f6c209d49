from pathlib import Path
from typing import Any

from s4tok_pipelines.tables.grid import Grid
from s4tok_pipelines.tables.page import page

FACTS: dict[str, Any] = {
    "table": "table9", "command": "s4tok reproduce table9 --out <here>", "seconds": 3.2, "date": "2026-11-26",
    "notes": ["a & b"], "shows": "nothing", "pictures": ["a.png", "lost.png"],
}  # fmt: skip


def test_a_page_needs_no_other_file_and_escapes_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"picture")
    grid = Grid("Nine", ["method", "a"], [["<ours>", "1.0"]])
    text = page("All", [(tmp_path, FACTS, [grid])], Grid("", ["name"], [["table9"]]))
    assert "&lt;ours&gt;" in text
    assert "--out &lt;here&gt;" in text
    assert "a &amp; b" in text
    assert "data:image/png;base64,cGljdHVyZQ==" in text
    assert "lost.png" not in text
    assert '<a href="#table9">' in text
    assert text.count('id="table9"') == 1
    assert "http" not in text
