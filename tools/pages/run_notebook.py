"""Run a notebook from its first cell to its last, in its own folder: `make notebook` keeps what it prints and draws."""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode


def run(path: Path, seconds: int = 300) -> NotebookNode:
    """Run a notebook and give it with its outputs; an error in a cell is raised."""
    os.environ.setdefault("OPEN3D_DISABLE_WEB_VISUALIZER", "true")  # it says at length that it is there
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    folder = {"metadata": {"path": path.parent}}
    NotebookClient(notebook, timeout=seconds, kernel_name="python3", resources=folder).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran, which would change with every run
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop("image/jpeg", None)  # the same picture as the PNG
    return notebook


if __name__ == "__main__":
    for name in sys.argv[1:]:
        nbformat.write(run(Path(name)), name)  # type: ignore[no-untyped-call]
