"""What every stage asks of a dataset: where results lie, what entries are made from, what makes missing ones."""

from pathlib import Path

from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.table import DATASETS
from s4tok.errors import InputError
from s4tok_cache import Fingerprint


def root_of(cache: Path, clouds: CloudDataset) -> Path:
    """Say where all stages of a dataset's split put their results."""
    return cache / clouds.name / clouds.split


def fingerprints(clouds: CloudDataset) -> dict[str, Fingerprint]:
    """Say of every cloud what it is read or made from."""
    return {key: fingerprint(clouds, key) for key in clouds.keys}


def fingerprint(clouds: CloudDataset, key: str) -> Fingerprint:
    """Say what one cloud is read or made from."""
    try:
        origin = clouds.origin(key)
    except InputError:
        return Fingerprint(key, 0)  # what is wrong with it is found out, and told, when it is read
    return Fingerprint(origin.path, origin.size, origin.mtime_ns)


def way_out(clouds: CloudDataset, *stages: str) -> str:
    """Name the commands that make what is missing, and the option that runs them; a stage may bring options."""
    row = DATASETS.get(clouds.name)
    of = f"{clouds.name if row is not None and row.made else 'SOURCE'} --split {clouds.split}"
    commands = (
        f"s4tok {name} {of}{space}{options}" for name, space, options in (each.partition(" ") for each in stages)
    )
    return f"run `{'; '.join(commands)}`, or pass --auto."
