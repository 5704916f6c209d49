"""Files of earlier runs in a folder of results: they lie beside those of a run, and say nothing of it."""

from collections.abc import Iterable
from pathlib import Path

from s4tok.counted import counted
from s4tok_pipelines.report import Report

SHOWN = 3  # names


def times_of(folder: Path | None) -> dict[str, int]:
    """Tell of each file in a folder when it was written; of none where there is no folder yet."""
    if folder is None:
        return {}
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def tell_earlier(folder: Path, before: dict[str, int], stems: Iterable[str], report: Report) -> None:
    """Warn of files of these clouds that were there before a run and that it has not written anew."""
    mine = set(stems)
    left = sorted(name for name, when in times_of(folder).items() if before.get(name) == when and _is_of(name, mine))
    if left:
        some = ", ".join(left[:SHOWN]) + (", ..." if len(left) > SHOWN else "")
        report.warn(f"{folder} still has {counted(len(left), 'file')} of these clouds from an earlier run: {some}.")


def _is_of(name: str, stems: set[str]) -> bool:
    return any(name[:place] in stems for place, letter in enumerate(name) if letter == ".")
