"""A notebook as a page: its words, its code, and what the code printed and drew when it was last run."""

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple


class NotebookPage(NamedTuple):
    """A page and the pictures in it, by file name."""

    text: str
    pictures: dict[str, bytes]


def notebook_page(path: Path) -> NotebookPage:
    """Write a notebook as Markdown."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            parts += _shown(output, path.stem, pictures)
    return NotebookPage("\n\n".join(parts) + "\n", pictures)


def _shown(output: dict[str, Any], name: str, pictures: dict[str, bytes]) -> list[str]:
    kinds = output.get("data", {})
    if "image/png" in kinds:
        file = f"{name}-{len(pictures)}.png"
        pictures[file] = base64.b64decode("".join(kinds["image/png"]))
        return [f"![What the code above draws]({file})"]
    text = "".join(output.get("text") or kinds.get("text/plain", ""))
    return [f"```text\n{text.rstrip()}\n```"] if text.strip() else []
