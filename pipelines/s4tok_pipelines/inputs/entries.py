"""What every stage asks of a dataset: where results lie, what entries are made from, what makes missing ones."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from s4tok.config import FrameConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.frame_clouds import FrameClouds
from s4tok.datasets.object_rooms import ObjectRooms
from s4tok.datasets.own_files import OwnFiles
from s4tok.datasets.table import DATASETS
from s4tok.errors import InputError
from s4tok.geometry.placement import Said
from s4tok_cache import CacheReader, Entry, Fingerprint
from s4tok_pipelines.inputs.ready_labels import are_current, with_labels
from s4tok_pipelines.layouts import CLIP_FEATURES, FEATURES, SUPERPOINTS
from s4tok_pipelines.paths import CACHE
from s4tok_pipelines.stamps import FEATURES_STAGE, SUPERPOINTS_STAGE

# What a cache holds, and the command that makes it or says why it cannot be made.
MADE: Mapping[str, tuple[str, str]] = {
    SUPERPOINTS.name: ("superpoints", SUPERPOINTS_STAGE),
    CLIP_FEATURES.name: ("features", FEATURES_STAGE),
    FEATURES.name: ("features", FEATURES_STAGE),
}


def root_of(cache: Path, clouds: CloudDataset) -> Path:
    """Say where all stages of a dataset's split put their results."""
    return cache / clouds.name / clouds.split


def cache_of(root: Path) -> Path:
    """Say in which cache such a folder lies."""
    return root.parents[1]


def fingerprints(clouds: CloudDataset, superpoints: CacheReader | None = None) -> dict[str, Fingerprint]:
    """Say of every cloud what an entry is made from: the cloud, and its superpoints where they are read too."""
    return {key: fingerprint(clouds, key, superpoints) for key in clouds.keys}


def fingerprint(clouds: CloudDataset, key: str, superpoints: CacheReader | None = None) -> Fingerprint:
    """Say what the entry of one cloud is made from: the cloud, and its superpoints where they are read too."""
    cloud = _of_cloud(clouds, key)
    if superpoints is None:
        return cloud
    return cloud.with_entries([superpoints.digest(key)] if key in superpoints else [])


def fingerprints_with(clouds: CloudDataset, ready: Path) -> dict[str, Fingerprint]:
    """Say of every cloud what its superpoints are made from, where they are labels that are ready."""
    return {key: with_labels(fingerprint(clouds, key), ready, key, len(clouds)) for key in clouds.keys}


def _of_cloud(clouds: CloudDataset, key: str) -> Fingerprint:
    try:
        origin = clouds.origin(key)
    except InputError:
        return Fingerprint(key, 0)  # what is wrong with it is found out, and told, when it is read
    known = f"{origin.identity}, {origin.size}, {origin.mtime_ns}"
    sha256 = hashlib.sha256(known.encode()).hexdigest() if origin.identity else ""
    return Fingerprint(origin.path, origin.size, origin.mtime_ns, sha256)


def holds_some(result: CacheReader, clouds: CloudDataset) -> bool:
    """Say whether a result is of these clouds: of own files, whether it has one of them as what it is taken for now.

    Objects and rooms of a folder lie in one place, and results of them differ. One that could not be made counts.
    """
    if not isinstance(clouds, OwnFiles):
        return True
    failed = {key: failure.fingerprint.path for key, failure in result.failures().items()}
    made = {key: result.fingerprint(key).path for key in clouds.keys if key in result}
    return any(of.path in (made.get(key), failed.get(key)) for key, of in fingerprints(clouds).items())


def read_entry(
    reader: CacheReader, clouds: CloudDataset, key: str, *arrays: str, superpoints: CacheReader | None = None
) -> Entry:
    """Read what a cache holds of a cloud, unless the cloud, its ready labels or its superpoints have changed since."""
    what, command = MADE[reader.layout.name]
    if key not in reader:
        raise InputError(f"it has no {what}; s4tok {command} says why not.")
    made_from, now = reader.fingerprint(key).without_entries(), fingerprint(clouds, key)
    ready = reader.stamp.parameters.get("labels")
    if ready is None and not made_from.same(now):
        raise InputError(f"its {what} were made before it changed; run s4tok {command}.")
    if ready is not None and not are_current(made_from, now, Path(str(ready)), key):
        raise InputError(
            f"its {what} were made before it or its labels changed; run s4tok {command} --method labels "
            f"--labels {quote(str(ready))}."
        )
    if superpoints is not None and not reader.fingerprint(key).same(fingerprint(clouds, key, superpoints)):
        raise InputError(
            f"its {what} were made before its superpoints changed, or by an older s4tok; run s4tok {command}."
        )
    return reader.read(key, arrays)


def way_out(clouds: CloudDataset, cache: Path, *stages: str, auto: bool = True) -> str:
    """Name the commands that make what is missing in a cache, and the option that runs them; a stage may bring options.

    `auto` is off for commands that have no such option.
    """
    source, taken = clouds, ""
    if isinstance(clouds, FrameClouds):
        step = clouds.config.step
        source = clouds.scenes
        taken = " --clouds frames" + (f" --frame-step {step}" if step != FrameConfig.step else "")
    elif isinstance(clouds, ObjectRooms):
        source, taken = clouds.objects, " --clouds rooms"
    row = DATASETS.get(source.name)
    said = _said_of(source.said) if isinstance(source, OwnFiles) else ""
    named = source.asked_as or (source.name if row is not None and row.made else "SOURCE")
    place = "" if cache.absolute() == CACHE.absolute() else f" --cache {quote(str(cache))}"
    of = f"{named} --split {clouds.split}{said}{taken}{place}"
    commands = (
        f"s4tok {name} {of}{space}{options}" for name, space, options in (each.partition(" ") for each in stages)
    )
    return f"run `{'; '.join(commands)}`{', or pass --auto' * auto}."


def _said_of(said: Said) -> str:
    """Repeat the options that say what own files are."""
    named = {"up": said.up, "unit": said.unit, "scale": None if said.scale == Said.scale else f"{said.scale:g}"}
    options = [f" --{name} {value}" for name, value in named.items() if value is not None]
    return "".join([f" --{said.scene}"] * (said.scene is not None) + options)
