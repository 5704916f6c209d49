"""What a shell offers for a word that is being typed: looked up when it asks, without PyTorch where that can be."""

from collections.abc import Callable, Iterable
from pathlib import Path

Complete = Callable[[str], list[str]]


def among(names: Callable[[], Iterable[str]]) -> Complete:
    """Offer those of some names that begin as typed."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


def or_path(names: Callable[[], Iterable[str]]) -> Complete:
    """Offer names, and what lies on disk."""

    def complete(incomplete: str) -> list[str]:
        typed = Path(incomplete)
        folder, start = (typed, "") if incomplete.endswith("/") else (typed.parent, typed.name)
        found = sorted(folder.glob(f"{start}*")) if folder.is_dir() else []
        paths = [f"{path}/" if path.is_dir() else str(path) for path in found]
        return [name for name in names() if name.startswith(incomplete)] + paths

    return complete


def datasets() -> list[str]:
    """Name the datasets that have known names."""
    from s4tok.datasets.table import DATASETS, OWN_FILES

    return [name for name in DATASETS if name != OWN_FILES]


def checkpoints() -> list[str]:
    """Name the checkpoints that come with s4tok."""
    from s4tok.models.checkpoint_files import shipped_checkpoints

    return shipped_checkpoints()


def tokenizers() -> list[str]:
    """Name the rows of Table 1, and those of plugins."""
    from s4tok.tokenizers.table import TOKENIZERS

    return list(TOKENIZERS)


def superpoint_methods() -> list[str]:
    """Name the ways to cut superpoints."""
    from s4tok.superpoints.methods import METHODS

    return list(METHODS)
