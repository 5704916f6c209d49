"""The names of the files that are written of a labelled cloud, known without PyTorch."""

from s4tok.errors import UsageError, choose

USUAL = ("ply", "npy", "txt", "scores")
FORMATS = (*USUAL, "mesh")  # which only a mesh has


def read_formats(text: str) -> list[str]:
    """Take "ply,npy" apart."""
    names = [word.strip() for word in text.split(",") if word.strip()]
    if not names:
        raise UsageError("--format names nothing.", f"there are: {', '.join(FORMATS)}.")
    for name in names:
        choose("format", name, dict.fromkeys(FORMATS, name))
    return names
