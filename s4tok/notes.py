"""Sentences worth knowing that are no errors: whoever calls may listen, and Python's logging hears them otherwise."""

import logging
from collections.abc import Callable
from typing import TypeAlias

Note: TypeAlias = Callable[[str], None]  # called with one sentence


def log(text: str) -> None:
    """Tell the logger "s4tok", which shows it to nobody unless its level is INFO."""
    logging.getLogger("s4tok").info(text)
