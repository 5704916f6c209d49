"""Formulas of docstrings on the site: LaTeX as it stands, since the site loads nothing from elsewhere."""

import re
from typing import Any

import griffe

BLOCK = re.compile(r"^( *)\.\. math:: ?(.+)$", re.MULTILINE)
INLINE = re.compile(r":math:`([^`]+)`")


class DocstringMath(griffe.Extension):
    """Turn reStructuredText's formulas into Markdown's code."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring is not None:
            obj.docstring.value = as_code(obj.docstring.value)


def as_code(text: str) -> str:
    """Rewrite a text's formulas."""
    return INLINE.sub(r"`\1`", BLOCK.sub(r"\1```tex\n\1\2\n\1```", text))
