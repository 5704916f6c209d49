"""The names of the files that are written of a cloud's labels and boxes, known without PyTorch."""

from collections.abc import Sequence

from s4tok.errors import UsageError, choose

USUAL = ("ply", "npy", "txt", "scores")
FORMATS = (*USUAL, "mesh")  # which only a mesh has
BOX_USUAL = "json"
BOX_FORMATS = (BOX_USUAL, "csv", "ply", "kitti")


def read_formats(text: str, known: Sequence[str] = FORMATS, option: str = "--format") -> list[str]:
    """Take "ply,npy" apart."""
    names = [word.strip() for word in text.split(",") if word.strip()]
    if not names:
        raise UsageError(f"{option} names nothing.", f"there are: {', '.join(known)}.")
    for name in names:
        choose("format", name, dict.fromkeys(known, name))
    return names
