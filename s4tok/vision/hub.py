"""Files of a repository on a model hub, kept as a folder."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from s4tok.dependencies import load
from s4tok.errors import MissingError, UsageError
from s4tok.vision.weights import HUB, reachable


def hub_folder(name: str, files: Sequence[str], call: str) -> Path:
    """Give the folder with files of a repository, "hf-hub:owner/name", fetching them where the hub can be reached.

    `call` is the Python that fetches them, for the hint where it cannot. What the repository lacks is not there.
    """
    repository = name.removeprefix(HUB)
    if len([part for part in repository.split("/") if part]) != 2:
        raise UsageError(f"{name} is no address on a hub.", f"write it as {HUB}owner/name.")
    hub = load("huggingface_hub")
    with suppress(OSError, ValueError):  # not here yet
        folder = Path(hub.snapshot_download(repository, local_files_only=True))
        if all((folder / file).is_file() for file in files):
            return folder
    if reachable():
        with suppress(Exception):  # the hub has many kinds of errors; what counts is that nothing came
            return Path(hub.snapshot_download(repository, allow_patterns=list(files)))
    raise MissingError(
        f"{name} is not on this machine, and cannot be fetched from its hub now.",
        f'on a login node, run: python -c "{call}"; or copy it here and name its folder.',
    )
