"""Tables as Markdown."""

from collections.abc import Sequence

from s4tok_pipelines.tables.grid import Grid


def markdown(title: str, grids: Sequence[Grid], notes: Sequence[str]) -> str:
    """Write tables with what has to be known to read them."""
    parts = [f"# {title}", "\n".join(f"- {_plain(note)}" for note in notes)]
    for each in grids:
        parts += [f"## {_plain(each.title)}", "\n".join(_lines(each))]
    return "\n\n".join(parts) + "\n"


def _lines(grid: Grid) -> list[str]:
    rule = ["---", *["---:"] * (len(grid.columns) - 1)]
    return [f"| {' | '.join(map(_plain, row))} |" for row in (grid.columns, rule, *grid.rows)]


def _plain(text: str) -> str:
    """Keep a name from ending a cell or a line."""
    return " ".join(text.replace("|", "\\|").split())
