"""Datasets that a package of the system holds: `s4tok data fetch` unpacks them into the data root, without root."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from s4tok.config import DATA_ROOT
from s4tok.datasets.formats.deb import read_deb
from s4tok.datasets.table import DATASETS
from s4tok.errors import MissingError, UsageError, choose

LONGEST_WAIT = 1800  # seconds for a download
NOTICE = "copyright"  # the package's file of terms, which goes with the data


class Fetched(NamedTuple):
    """What was unpacked, and where."""

    name: str
    folder: Path
    files: tuple[str, ...]  # none where the dataset was there already


def fetch(name: str, root: Path = DATA_ROOT) -> Fetched:
    """Download the Debian package that holds a dataset and unpack its data; nothing is installed or run.

    Raises:
        UsageError: For a dataset that no package holds.
        MissingError: Where apt cannot download it; the hint is what to type instead.
    """
    row = choose("dataset", name, DATASETS)
    if not row.package:
        fetched = ", ".join(key for key, each in DATASETS.items() if each.package)
        hint = f"get it from {row.source}." if row.source else "name it as the source."
        raise UsageError(f"{name} is in no package; those that are: {fetched}.", hint)
    folder = root / name
    if folder.is_dir() and row.recognises(folder):
        return Fetched(name, folder, ())
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=root) as temporary:
        package = _downloaded(row.package, Path(temporary), folder)
        files = read_deb(package, lambda file: file.endswith(row.suffixes) or file == NOTICE)
        unpacked = Path(temporary) / name
        unpacked.mkdir()
        for file, content in files.items():
            (unpacked / file).write_bytes(content)
        folder.mkdir(exist_ok=True)
        for file in files:
            (unpacked / file).replace(folder / file)
    return Fetched(name, folder, tuple(sorted(files)))


def _downloaded(package: str, place: Path, folder: Path) -> Path:
    by_hand = f"apt-get download {package} && dpkg-deb -x {package}_*.deb {folder}"
    if shutil.which("apt-get") is None:
        reason = f"{package} is a package of Debian, and there is no apt-get here."
        raise MissingError(reason, f"on a Debian machine: {by_hand}")
    environment = {**os.environ, "LC_ALL": "C"}
    command = ["apt-get", "download", package]
    try:
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, timeout=LONGEST_WAIT, check=False
        )
        said = done.stderr.strip().splitlines()
    except subprocess.TimeoutExpired:
        said = [f"no end after {LONGEST_WAIT:,} s"]
    found = sorted(place.glob(f"{package}_*.deb"))
    if not found:
        errors = [line for line in said if line.startswith("E: ")] or said or ["no file came"]
        raise MissingError(
            f"apt-get cannot download {package}: {errors[-1].removeprefix('E: ').rstrip('.')}.",
            f"apt-get update, then {by_hand}",
        )
    return found[-1]
