"""Turn 3D point clouds into tokens a frozen CLIP can read.

Importing this package loads nothing heavy: each public name brings its module along when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from s4tok.clouds import PointCloud as PointCloud
    from s4tok.errors import S4TokError as S4TokError
    from s4tok.models.model import build_model as build_model
    from s4tok.tokenizers import build_tokenizer as build_tokenizer

_HOMES = {
    "PointCloud": "s4tok.clouds",
    "S4TokError": "s4tok.errors",
    "build_model": "s4tok.models.model",
    "build_tokenizer": "s4tok.tokenizers",
}
__all__ = ["PointCloud", "S4TokError", "__version__", "build_model", "build_tokenizer"]

if not TYPE_CHECKING:  # a type checker reads the imports above, and knows a misspelt name

    def __getattr__(name: str) -> object:
        """Import the module a public name lives in, when the name is first used."""
        if name not in _HOMES:
            raise AttributeError(f"module 's4tok' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)
