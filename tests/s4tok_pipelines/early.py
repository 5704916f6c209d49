"""What a process is told by its environment when it imports this."""

import os

KNOWN = dict(os.environ)


def environment_at_import(name: str) -> str | None:
    """Give a variable as it was."""
    return KNOWN.get(name)
