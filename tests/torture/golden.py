"""Caches as each format lays them out, written by h5py alone: what must stay readable when the code moves on."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.torture.toys import STAMP, arrays_of

PARAMETERS = {"algorithm": 1, "parameters": {"seed": 0}, "stage": "toy", "upstream": []}


def _hash(*parts: bytes) -> str:
    return hashlib.blake2b(b"".join(parts), digest_size=16).hexdigest()


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def write_format_1(path: Path, keys: list[str], **root: object) -> None:
    """Write toys as format 1, the first there was (2026); `root` replaces attributes of the file."""
    params = _json(PARAMETERS)
    index: dict[str, list[str | int]] = {}
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        for key in keys:
            entry = file.create_group("entries/" + key.replace("/", "%2F"))
            digests = {}
            for name, array in arrays_of(key).items():
                head = f"{key}\0{name}\0{array.dtype.str}\0{array.shape}\0".encode()
                digests[name] = _hash(head, array.tobytes())
                small = {} if name == "features" else {"shuffle": True, "compression": 1}
                dataset = entry.create_dataset(name, data=array, chunks=array.shape, fletcher32=True, **small)
                dataset.attrs["blake2b"] = np.bytes_(digests[name])
            n_superpoints = len(arrays_of(key)["features"])
            entry.attrs["n_superpoints"] = np.int64(n_superpoints)
            fingerprint: list[str | int] = [f"{key}.ply", 100 + sum(key.encode()) % 50, 7, ""]
            whole: list[object] = [key, digests, {"n_superpoints": n_superpoints}, fingerprint]
            index[key] = [*fingerprint, _hash(_json(whole).encode())]
        content = _json(index).encode()
        table = file.create_dataset("index", data=np.frombuffer(content, np.uint8), chunks=True, fletcher32=True)
        table.attrs["blake2b"] = np.bytes_(_hash(content))
        attributes = {
            "format": np.int64(1),
            "layout": np.bytes_(b"toy"),
            "layout_version": np.int64(1),
            "stage": np.bytes_(b"toy"),
            "params_json": np.bytes_(params.encode()),
            "params_sha256": np.bytes_(hashlib.sha256(params.encode()).hexdigest()),
            "entries": np.int64(len(keys)),
            "tool": np.bytes_(b"s4tok 0.1.0"),
        }
        for name, value in (attributes | root).items():
            file.attrs[name] = value


FORMATS: dict[int, Callable[..., None]] = {1: write_format_1}


def place(root: Path, kind: str, write: Callable[[Path], None]) -> None:
    """Put a file where a cache has it: among the segments or beside them."""
    folder = root / STAMP.folder
    if kind == "packed file":
        root.mkdir(exist_ok=True)
        write(root / f"{STAMP.folder}.h5")
        return
    folder.mkdir(parents=True)
    about = {"format": 1, "layout": "toy", "layout_version": 1, "parameters": PARAMETERS, "stage": "toy"}
    sha256 = hashlib.sha256(_json(PARAMETERS).encode()).hexdigest()
    (folder / "stage.json").write_text(_json(about | {"sha256": sha256, "tool": "s4tok 0.1.0"}))
    write(folder / "new")
    content = (folder / "new").read_bytes()
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    (folder / "new").rename(folder / f"seg-0000of0001-{1_700_000_000_000_000_000:020d}-{digest}.h5")
