"""Results as one page that needs no other file: tables, pictures, and what has to be known to read them."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from s4tok_pipelines.tables.grid import Grid

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #282828; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #e4e4e4; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; } code { background: #f4f4f4; padding: .1rem .3rem; } .note { color: #6e6e6e; font-size: 13px; }
"""

Part = tuple[Path, Mapping[str, Any], Sequence[Grid]]  # the folder of a result, its JSON, and its tables as text


def page(title: str, parts: Sequence[Part], head: Grid | None = None) -> str:
    """Write results one below the other; `head` is a table of all of them, whose first cells are their names."""
    body = [f"<h1>{escape(title)}</h1>"]
    if head is not None:
        body.append(_table(head, links=True))
    for folder, facts, grids in parts:
        body.append(f'<section id="{escape(str(facts["table"]))}">')
        if len(parts) > 1:
            body.append(f"<h2>{escape(str(facts['table']))}</h2>")
        if facts.get("shows"):
            body.append(f"<p>{escape(facts['shows'])}</p>")
        body.append(
            f"<p><code>{escape(facts['command'])}</code>, {facts['seconds']:,.0f} s, {escape(facts['date'])}</p>"
        )
        for each in grids:
            body += [f"<h3>{escape(each.title)}</h3>", _table(each)]
        body += [_picture(folder / name) for name in facts.get("pictures", ()) if (folder / name).is_file()]
        body += ['<ul class="note">', *(f"<li>{escape(note)}</li>" for note in facts["notes"]), "</ul></section>"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _table(grid: Grid, *, links: bool = False) -> str:
    rows = []
    for row in grid.rows:
        cells = [escape(cell) for cell in row]
        if links:
            cells[0] = f'<a href="#{cells[0]}">{cells[0]}</a>'
        rows.append("".join(f"<td>{cell}</td>" for cell in cells))
    heads = "".join(f"<th>{escape(each)}</th>" for each in grid.columns)
    return f"<table><tr>{heads}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _picture(path: Path) -> str:
    kind = "jpeg" if path.suffix == ".jpg" else "png"
    return (
        f'<img alt="{escape(path.stem)}" src="data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}">'
    )
