"""A toy stage whose every entry follows from its key, and what must be true of its cache whatever has happened."""

import hashlib
import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from s4tok_cache.entry import Entry, Fingerprint
from s4tok_cache.errors import CacheError
from s4tok_cache.files import FileSystem
from s4tok_cache.folder import EXPECTED, STAGE, FileName
from s4tok_cache.gc import collect, plan
from s4tok_cache.layouts import ArraySpec, Layout, NumPyArray
from s4tok_cache.pack import pack as pack_result
from s4tok_cache.shard import Shard
from s4tok_cache.stamp import Stamp
from s4tok_cache.store import Store

TOY = Layout(
    name="toy",
    version=1,
    arrays={
        "labels": ArraySpec("int32", "n", "superpoint of each point"),
        "features": ArraySpec("float16", "s d", "a feature for each superpoint", compress=False),
    },
    made_by="toy",
    attributes={"n_superpoints": int},
)
STAMP = Stamp("toy", {"seed": 0})
WHOLE = Shard(0, 1)


def arrays_of(key: str) -> dict[str, NumPyArray]:
    """Make the one right content of a key: some 8 KiB, of another size for another key."""
    draw = np.random.default_rng(list(hashlib.blake2b(key.encode(), digest_size=8).digest()))
    n_superpoints = int(draw.integers(4, 40))
    return {
        "labels": draw.integers(0, n_superpoints, 1000, dtype=np.int32),
        "features": draw.standard_normal((n_superpoints, 64)).astype(np.float16),
    }


def expected(n: int) -> dict[str, Fingerprint]:
    """List the keys of a dataset of n toys, as a stage learns them from its input."""
    keys = (f"room_{i % 3}/part_{i:04d}" for i in range(n))
    return {key: Fingerprint(f"{key}.ply", 100 + sum(key.encode()) % 50, 7) for key in keys}


def write(store: Store, key: str, fingerprint: Fingerprint) -> None:
    arrays = arrays_of(key)
    store.write(key, arrays, fingerprint, attributes={"n_superpoints": len(arrays["features"])})


def fill(
    root: Path,
    n: int,
    *,
    shard: Shard = WHOLE,
    files: FileSystem | None = None,
    every: int = 4,
    done: Callable[[list[str]], None] = lambda keys: None,
    order: Callable[[list[str]], Iterable[str]] = iter,
) -> None:
    """Do what every stage does: resume, ask what is missing, write. `done` hears of keys that are safe."""
    wanted = expected(n)
    with Store.resume(root, TOY, STAMP, shard=shard, files=files or FileSystem()) as store:
        in_hand: list[str] = []
        for key in order(store.missing(wanted)):
            write(store, key, wanted[key])
            in_hand.append(key)
            if len(in_hand) == every:
                store.commit()
                done(in_hand)
                in_hand = []
        store.commit()
        done(in_hand)


def is_right(entry: Entry) -> bool:
    right = arrays_of(entry.key)
    return (
        entry.arrays.keys() == right.keys()
        and all(np.array_equal(entry.arrays[name], array) for name, array in right.items())
        and entry.attributes == {"n_superpoints": len(right["features"])}
    )


def faults(root: Path, safe: Iterable[str], wanted: Mapping[str, Fingerprint]) -> list[str]:
    """List what is wrong with a cache: a safe entry that is lost, a wrong one, an unreadable file, a stray name."""
    try:
        with Store.resume(root, TOY, STAMP) as store:
            keys = set(store.keys())
            found = [f"unreadable: {error}" for error in store.damaged.values()]
            found += [f"{key} was safe and is lost" for key in set(safe) - keys]
            found += [f"{key} is done and asked for again" for key in keys & set(store.missing(wanted))]
            found += [f"{key} reads wrong" for key in keys if not is_right(store.read(key))]
    except CacheError as error:
        return [f"unreadable: {error}"]
    return found + stray_names(root / STAMP.folder)


def stray_names(folder: Path) -> list[str]:
    """List names in the folder that a reader would look at and that are none of the cache's."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    return [f"{name} is left over" for name in names if name not in (STAGE, EXPECTED) and FileName.parse(name) is None]


def pack(root: Path, files: FileSystem | None = None) -> Path:
    """Pack the toys' cache without waiting for a network file system to settle."""
    return pack_result(root / STAMP.folder, settling=0, files=files).path


def tidy(root: Path, files: FileSystem | None = None) -> None:
    """Remove what the packed file has made superfluous."""
    collect(plan(root / STAMP.folder, files=files), files=files)


def packed_digest(root: Path) -> str:
    return hashlib.sha256(pack(root).read_bytes()).hexdigest()


def in_child(work: Callable[[], object]) -> int:
    """Fork, work, and return the child's number; it exits with what `work` returns, or 1 and a traceback on stderr."""
    child = os.fork()
    if child:
        return child
    try:
        os._exit(int(work() or 0))  # type: ignore[call-overload]
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def exit_code(child: int) -> int:
    """Wait for a child: its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
