"""Superpoints that somebody else has cut: a file of labels, or a folder of them named by the clouds."""

import json
from pathlib import Path

import numpy as np

from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError, UsageError
from s4tok.shapes import Array
from s4tok_cache import Fingerprint
from s4tok_pipelines.inputs.entries import fingerprint

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


def fingerprints_with(clouds: CloudDataset, ready: Path) -> dict[str, Fingerprint]:
    """Say of every cloud what its superpoints are made from: the cloud, and the labels of it where there are some."""
    return {key: _joined(fingerprint(clouds, key), ready, key, len(clouds)) for key in clouds.keys}


def _joined(cloud: Fingerprint, ready: Path, key: str, n_clouds: int) -> Fingerprint:
    try:
        status = _file(ready, key, n_clouds).stat()
    except InputError:
        return cloud  # what is missing is found out, and told, when it is read
    return Fingerprint(cloud.path, cloud.size + status.st_size, max(cloud.mtime_ns, status.st_mtime_ns))


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
