"""Files for people and other programs: whole, or not there."""

from pathlib import Path


def publish(path: Path, content: bytes) -> None:
    """Write under another name first, so that nobody finds half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)
