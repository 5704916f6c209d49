"""Turn 3D point clouds into tokens a frozen CLIP can read.

    import s4tok

    found = s4tok.segment(points, ["seat", "back", "leg"])  # points: (n, 3), an array or a tensor, or a list of such
    found.labels, found.words, found.save("chair.ply")

Importing this package loads nothing heavy: each public name brings its module along when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.2.0"

if TYPE_CHECKING:
    from s4tok.clouds import PointCloud as PointCloud
    from s4tok.errors import S4TokError as S4TokError
    from s4tok.inference.box_calls import detect as detect
    from s4tok.inference.calls import classify as classify
    from s4tok.inference.calls import embed as embed
    from s4tok.inference.calls import partition as partition
    from s4tok.inference.calls import segment as segment
    from s4tok.inference.loading import Checkpoint as Checkpoint
    from s4tok.inference.loading import list_checkpoints as list_checkpoints
    from s4tok.inference.loading import load as load
    from s4tok.inference.results import Classification as Classification
    from s4tok.inference.results import Detection as Detection
    from s4tok.inference.results import Embedding as Embedding
    from s4tok.inference.results import Segmentation as Segmentation
    from s4tok.models.detector_files import load_detector as load_detector
    from s4tok.models.model import build_model as build_model
    from s4tok.models.point_encoder_files import load_encoder as load_encoder
    from s4tok.tokenizers import build_tokenizer as build_tokenizer

_HOMES = {
    "Checkpoint": "s4tok.inference.loading",
    "Classification": "s4tok.inference.results",
    "Detection": "s4tok.inference.results",
    "Embedding": "s4tok.inference.results",
    "PointCloud": "s4tok.clouds",
    "S4TokError": "s4tok.errors",
    "Segmentation": "s4tok.inference.results",
    "build_model": "s4tok.models.model",
    "build_tokenizer": "s4tok.tokenizers",
    "classify": "s4tok.inference.calls",
    "detect": "s4tok.inference.box_calls",
    "embed": "s4tok.inference.calls",
    "list_checkpoints": "s4tok.inference.loading",
    "load_detector": "s4tok.models.detector_files",
    "load_encoder": "s4tok.models.point_encoder_files",
    "load": "s4tok.inference.loading",
    "partition": "s4tok.inference.calls",
    "segment": "s4tok.inference.calls",
}
__all__ = [  # noqa: RUF022 - as a reader meets them
    "__version__", "load", "segment", "classify", "embed", "detect", "partition", "build_tokenizer",
    "build_model", "list_checkpoints", "load_encoder", "load_detector", "PointCloud", "Checkpoint", "Segmentation",
    "Classification", "Embedding", "Detection", "S4TokError",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker reads the imports above, and knows a misspelt name

    def __getattr__(name: str) -> object:
        """Import the module a public name lives in, when the name is first used."""
        if name not in _HOMES:
            raise AttributeError(f"module 's4tok' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)

    def __dir__() -> list[str]:
        return sorted(__all__)
