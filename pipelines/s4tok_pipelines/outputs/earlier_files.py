"""Files that earlier runs have left beside a run's results: they are of the same clouds, and say nothing of it."""

from collections.abc import Collection, Iterator
from pathlib import Path

from s4tok.counted import counted, in_short
from s4tok_pipelines.report import Report


def times_of(folder: Path, stems: Collection[str]) -> dict[str, int]:
    """Tell of each file of these clouds in a folder when it was written; the folder need not be there."""
    found = ((path, str(path.relative_to(folder))) for place in {(folder / each).parent for each in stems}
             for path in _files_in(place))  # fmt: skip
    mine = set(stems)
    return {name: path.stat().st_mtime_ns for path, name in found if _is_of(name, mine)}


def tell_earlier(folder: Path, stems: Collection[str], before: dict[str, int], report: Report) -> None:
    """Warn of files that were there before a run and that it has not written anew."""
    left = sorted(name for name, when in times_of(folder, stems).items() if before.get(name) == when)
    if left:
        files = counted(len(left), "file")
        report.warn(f"{folder} still has {files} of these clouds from an earlier run: {in_short(left)}.")


def _files_in(place: Path) -> Iterator[Path]:
    return (path for path in place.iterdir() if path.is_file()) if place.is_dir() else iter(())


def _is_of(name: str, stems: set[str]) -> bool:
    return any(name[:place] in stems for place, letter in enumerate(name) if letter == ".")
