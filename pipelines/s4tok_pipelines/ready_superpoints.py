"""Superpoints for a stage that reads them: opened where they are, made first where that is wished."""

from pathlib import Path

from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.shapes import Array, Int32
from s4tok_cache import SUPERPOINTS, CacheReader, examine
from s4tok_cache.inspect import stamps_of
from s4tok_pipelines.entries import fingerprint, root_of
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.usual import usual_superpoints

SHOWN = 3  # keys


def ready_superpoints(
    clouds: CloudDataset, cache: Path, *, make: bool = False, workers: int = 1, report: Report = silent
) -> CacheReader:
    """Open the one cut of a dataset that is in the cache.

    With `make`, what is missing of the usual cut is made first; a cut with other settings is taken as it is.

    Raises:
        InputError: Where clouds are not cut, and it is not known that they cannot be.
    """
    root = root_of(cache, clouds)
    if make:
        usual_superpoints(clouds, cache, workers=workers, report=report)
    elif not stamps_of(root, "superpoints"):
        raise InputError(f"{root} has no superpoints.", _way_out(clouds))
    reader = CacheReader.find(root, SUPERPOINTS, "superpoints")
    missing = {key for key in clouds.keys if key not in reader}
    unknown = sorted(missing - examine(reader.folder).failures.keys()) if missing else []
    if unknown:
        some = ", ".join(unknown[:SHOWN]) + (", ..." if len(unknown) > SHOWN else "")
        raise InputError(f"{len(unknown)} of {len(clouds)} clouds have no superpoints: {some}.", _way_out(clouds))
    return reader


def labels_of(superpoints: CacheReader, clouds: CloudDataset, key: str) -> Int32[Array, " n"]:
    """Read the superpoint of each of a cloud's points."""
    if key not in superpoints:
        raise InputError("it has no superpoints; s4tok superpoints says why not.")
    is_foreign = "labels" in superpoints.stamp.parameters  # labels that somebody else made have an origin of their own
    if not is_foreign and not superpoints.fingerprint(key).same(fingerprint(clouds, key)):
        raise InputError("its superpoints were made before it changed; run s4tok superpoints.")
    return superpoints.read(key, ("labels",))["labels"]


def _way_out(clouds: CloudDataset) -> str:
    return f"run s4tok superpoints on the same SOURCE with --split {clouds.split}, or pass --auto."
