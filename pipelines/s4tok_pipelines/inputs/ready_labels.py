"""Superpoints that somebody else has cut: a file of labels, or a folder of them named by the clouds."""

import hashlib
import json
from pathlib import Path

import numpy as np

from s4tok.errors import InputError, UsageError
from s4tok.shapes import Array
from s4tok_cache import Fingerprint

ENDINGS = (".npy", ".txt", ".segs.json", "_vh_clean_2.0.010000.segs.json")  # after a cloud's name


def read_labels(ready: Path, key: str, n_clouds: int) -> Array:
    """Read the label of each of a cloud's points."""
    path = _file(ready, key, n_clouds)
    try:
        if path.suffix == ".npy":
            ids: Array = np.load(path, allow_pickle=False)
        elif path.suffix == ".json":
            ids = np.asarray(json.loads(path.read_text(encoding="utf-8"))["segIndices"])
        else:
            ids = np.loadtxt(path)
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise InputError(f"{path} holds no labels: {error}.") from error
    return ids


def with_labels(cloud: Fingerprint, ready: Path, key: str, n_clouds: int) -> Fingerprint:
    """Say what a cloud's superpoints are made from: the cloud, and the labels of it where there are some."""
    try:
        labels = _file(ready, key, n_clouds).stat()
    except InputError:
        return cloud  # what is missing is found out, and told, when it is read
    known = f"{cloud.size}, {cloud.mtime_ns}, {labels.st_size}, {labels.st_mtime_ns}"
    latest = max(cloud.mtime_ns, labels.st_mtime_ns)
    return Fingerprint(cloud.path, cloud.size + labels.st_size, latest, hashlib.sha256(known.encode()).hexdigest())


def are_current(made_from: Fingerprint, cloud: Fingerprint, ready: Path, key: str) -> bool:
    """Say whether superpoints are those of a cloud and its labels; of labels that are gone, whether the cloud is."""
    now = with_labels(cloud, ready, key, 1)
    return made_from.same(now) or (now is cloud and cloud.mtime_ns <= made_from.mtime_ns)


def _file(ready: Path, key: str, n_clouds: int) -> Path:
    """Find the file with a cloud's labels: the one that was named, or in a folder that of the cloud's name."""
    if ready.is_file():
        if n_clouds > 1:
            raise UsageError(f"{ready} is one file, and there are {n_clouds} clouds.", "name a folder of files.")
        return ready
    stems = [key, str(Path(key).with_suffix(""))]
    found = [path for stem in stems for ending in ENDINGS if (path := ready / f"{stem}{ending}").is_file()]
    if not found:
        raise InputError(f"{ready} holds no labels of {key}: no {stems[-1]}{', '.join(ENDINGS)}.")
    return found[0]
