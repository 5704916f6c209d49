"""Tables as Markdown."""

from collections.abc import Sequence

from s4tok_pipelines.tables.table2 import Sheet


def markdown(title: str, sheets: Sequence[Sheet], notes: Sequence[str]) -> str:
    """Write tables with what has to be known to read them."""
    parts = [f"# {title}", "\n".join(f"- {_plain(note)}" for note in notes)]
    for sheet in sheets:
        parts += [f"## {_plain(sheet.title)}", "\n".join(_lines(sheet))]
    return "\n\n".join(parts) + "\n"


def _lines(sheet: Sheet) -> list[str]:
    rule = ["---", *["---:"] * (len(sheet.columns) - 1)]
    return [f"| {' | '.join(map(_plain, row))} |" for row in (sheet.columns, rule, *sheet.rows)]


def _plain(text: str) -> str:
    """Keep a name from ending a cell or a line."""
    return " ".join(text.replace("|", "\\|").split())
