"""`s4tok cache`: what lies in the caches, whether it is whole, one file of many, and what can go."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from s4tok.counted import counted, in_short
from s4tok.errors import InputError
from s4tok_cli import console, options
from s4tok_cli.commands import Place
from s4tok_pipelines.paths import CACHE

if TYPE_CHECKING:
    from s4tok_cache import Result

PLACE = Place("This machine", 2)
EXAMPLES = (
    "s4tok cache ls",
    "s4tok cache pack toy-shapes/train",
)

INCOMPLETE, CORRUPT = 4, 5

Which = Annotated[
    list[Path] | None,
    Argument(metavar="PATH", help="Results, or folders of results; all of --cache where none.", show_default=False),
]


def ls(which: Which = None, cache: options.Cache = CACHE) -> None:
    """List the results in the cache, and what is missing; with -v how each was made."""
    from s4tok_cache import CacheError, Stamp, differences, examine

    found: list[dict[str, object]] = []
    first: dict[tuple[Path, str], Stamp] = {}  # result of a stage, by the folder it lies in
    for folder in console.Progress().steps(_folders(which, cache), "reading"):
        try:
            result = examine(folder)
        except CacheError as error:
            console.result(f"{_shown(folder, cache)}\n  unreadable: {error}")
            found.append({"path": str(folder), "complete": False, "unreadable": str(error)})
            continue
        console.result(f"{_shown(folder, cache)}\n  {_state(result)}")
        stamp = result.about.stamp
        earlier = first.setdefault((folder.parent, stamp.stage), stamp)
        if console.Settings.level > 0:
            console.result(f"  {stamp.in_words()}")
        elif earlier is not stamp:
            console.result(f"  differs from {earlier.folder}: {'; '.join(differences(stamp, earlier))}")
        found.append(_facts(result))
    if not found:
        console.result(f"nothing in {cache}")
    console.finish({"cache": str(cache), "results": found})
    if any(facts.get("unreadable") or facts.get("damaged") for facts in found):
        raise Exit(CORRUPT)


def verify(
    which: Which = None,
    cache: options.Cache = CACHE,
    repair: Annotated[
        bool, Option("--repair", help="Set damaged files aside, so that the next run makes them anew.")
    ] = False,
) -> None:
    """Read every byte in the cache and hold it against its digest; exit 5 when something is damaged."""
    from s4tok_cache.verify import verify as run

    progress = console.Progress()
    verdicts = [run(folder, repair=repair, steps=progress.steps) for folder in _folders(which, cache)]
    damaged = {str(path): reason for verdict in verdicts for path, reason in verdict.damaged.items()}
    for reason in damaged.values():
        console.warn(reason)
    entries, files = sum(verdict.entries for verdict in verdicts), sum(verdict.files for verdict in verdicts)
    aside = [str(path) for verdict in verdicts for path in verdict.set_aside]
    ending = f"{len(damaged)} damaged" + (f", {len(aside)} set aside" if aside else "") if damaged else "all whole"
    console.result(f"{entries} entries in {files} files read: {ending}")
    console.finish(
        {"entries": entries, "files": files, "ok": not damaged, "damaged": damaged, "set_aside": aside},
    )
    if damaged:
        raise Exit(CORRUPT)


def pack(
    which: Which = None,
    cache: options.Cache = CACHE,
    without_failed: Annotated[
        bool, Option("--without-failed", help="Do not wait for entries that could not be made.")
    ] = False,
) -> None:
    """Bring the segments of each result into one HDF5 file; the same entries always give the same bytes."""
    from s4tok_cache import CacheMismatch, CacheMissing
    from s4tok_cache.pack import pack as run

    progress = console.Progress()
    folders = _folders(which, cache)
    packed: list[dict[str, object]] = []
    refused: dict[str, str] = {}
    for folder in folders:
        try:
            done = run(folder, without_failed=without_failed, steps=progress.steps)
        except (CacheMissing, CacheMismatch) as error:  # the others may be complete
            if len(folders) == 1:
                raise
            console.warn(f"{error} {error.hint}")
            refused[str(folder)] = str(error)
            continue
        console.result(f"{done.entries} entries packed: {done.path} ({_size(done.bytes)})")
        packed.append({"path": str(done.path), "entries": done.entries, "bytes": done.bytes, "left_out": done.left_out})
    console.finish({"packed": packed, "refused": refused})
    if refused:
        raise Exit(INCOMPLETE)


def gc(
    which: Which = None,
    cache: options.Cache = CACHE,
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Remove what is no longer needed: packed and replaced segments, empty results, what killed runs left.

    A segment goes only when every entry in it was just read, whole, from elsewhere.
    """
    from s4tok_cache.gc import collect, plan

    progress = console.Progress()
    removals = [removal for folder in _folders(which, cache) for removal in plan(folder, steps=progress.steps)]
    for removal in removals:
        (console.result if dry_run else console.detail)(f"{_shown(removal.path, cache)}: {removal.reason}")
    size = sum(removal.bytes for removal in removals) if dry_run else collect(removals)
    console.result(f"{len(removals)} files {'would go' if dry_run else 'removed'}, {_size(size)}")
    console.finish(
        {
            "dry_run": dry_run,
            "bytes": size,
            "files": [{"path": str(one.path), "reason": one.reason, "bytes": one.bytes} for one in removals],
        }
    )


def _folders(which: list[Path] | None, cache: Path) -> list[Path]:
    """Find the results that are meant; a path may be written as it stands or as it lies below the cache."""
    from s4tok_cache import results

    folders: list[Path] = []
    for path in which or [cache]:
        place = path if path.exists() or path.with_name(f"{path.name}.h5").exists() else cache / path
        found = list(results(place))
        if which and not found:
            raise InputError(
                f"{path} is no result of a stage, and holds none.", "`s4tok cache ls` lists what there is."
            )
        folders += (folder for folder in found if folder not in folders)
    return folders


def _facts(result: "Result") -> dict[str, object]:
    import json

    stamp = result.about.stamp
    return {
        "path": str(result.folder),
        "dataset": result.folder.parent.parent.name,
        "split": result.folder.parent.name,
        "stage": stamp.stage,
        "layout": result.about.layout,
        "made_with": json.loads(stamp.json),
        "entries": len(result.index.where),
        "expected": None if result.expected is None else len(result.expected),
        "missing": len(result.missing),
        "shards_to_run": [str(shard) for shard in result.shards_to_run()],
        "complete": result.is_complete,
        "failed": [{"key": one.key, "reason": one.reason} for one in result.failures.values()],
        "damaged": {name: str(error) for name, error in result.index.damaged.items()},
        "bytes": result.bytes,
        "segments": result.segments,
        "packed": result.is_packed,
    }


def _state(result: "Result") -> str:
    count = len(result.index.where)
    if result.is_complete:
        state = f"complete, {count} entries"
    elif result.expected is None:
        state = f"{count} entries"
    else:
        some, shards = in_short(result.missing), ", ".join(map(str, result.shards_to_run()))
        state = f"{len(result.missing)} of {len(result.expected)} entries missing ({some}; shards {shards})"
    parts = [state]
    if result.failures:
        parts.append(f"{len(result.failures)} could not be made")
    if result.index.damaged:
        parts.append(f"{len(result.index.damaged)} files damaged")
    where = [counted(result.segments, "segment")] if result.segments else []
    where += ["one packed file"] if result.is_packed else []
    parts.append(f"{_size(result.bytes)} in {' and '.join(where) or 'no file'}")
    return ", ".join(parts)


def _shown(path: Path, cache: Path) -> Path:
    return path.relative_to(cache.absolute()) if path.is_relative_to(cache.absolute()) else path


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"


ABOUT = "List, check, pack and clean up what the stages keep."
FUNCTIONS = (ls, verify, pack, gc)
