"""How the result of each stage is named: the stage, and what its result was made with."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from s4tok.config import SuperpointConfig, ViewConfig
from s4tok.errors import UsageError, choose
from s4tok_cache import Stamp
from s4tok_cache.stamp import differences

SUPERPOINTS_STAGE, VIEWS_STAGE = "superpoints", "render-views"
FEATURES_STAGE, CLIP_STAGE = "extract-features", "extract-clip"  # the same stage; CLIP's results keep their name
# Each goes up when the same configuration gives another result.
SUPERPOINTS_ALGORITHM = 1
VIEWS_ALGORITHM = {"depth": 1, "shaded": 2}  # 2: colours as pictures have them, faces lit from both sides


def superpoints_stamp(config: SuperpointConfig, ready: Path | None = None) -> Stamp:
    """Say what a cache of superpoints was made with; ready labels by where they came from."""
    from s4tok.superpoints import METHODS

    is_ready = choose("superpoint method", config.method, METHODS) is None
    if (config.method == "labels") != (ready is not None):
        raise UsageError(
            "--method labels takes ready labels, and --labels names them: both or neither.",
            "s4tok superpoints scan.ply --method labels --labels scan.npy",
        )
    if not is_ready:
        return Stamp.of(SUPERPOINTS_STAGE, config, SUPERPOINTS_ALGORITHM)
    source = {} if ready is None else {"labels": str(ready.absolute())}
    return Stamp(SUPERPOINTS_STAGE, {"method": config.method, **source}, SUPERPOINTS_ALGORITHM)


def is_as(stamp: Stamp, wanted: SuperpointConfig) -> bool:
    """Say whether superpoints are cut as is wanted."""
    if wanted.method == "labels":  # wherever they came from
        return stamp.parameters.get("method") == "labels"
    return stamp.json == superpoints_stamp(wanted).json


def is_computed(method: object) -> bool:
    """Say whether s4tok cuts by this method, or only takes labels that are ready."""
    from s4tok.superpoints import METHODS

    return METHODS.get(str(method)) is not None


def in_words(stamps: Sequence[Stamp], wanted: SuperpointConfig) -> Iterator[str]:
    """Name cuts, and the settings in which they differ from the one that is wanted."""
    for stamp in stamps:
        method = stamp.parameters.get("method")
        odd = [f"method {method}, not {wanted.method}"]
        if method == wanted.method == "labels":
            odd = [f"of {stamp.parameters.get('labels')}"]
        elif method == wanted.method:
            odd = differences(stamp, superpoints_stamp(wanted))
        yield f"{stamp.folder} ({', '.join(odd)})"


def views_stamp(config: ViewConfig, up: str) -> Stamp:
    """Stamp what drawing depends on: what the frames of scenes are chosen by is not part of it."""
    used = {"size", "image"}
    used |= {"projection", "projection_compat"} if config.image == "depth" else {"object_ratio"}
    parameters = {name: value for name, value in asdict(config).items() if name in used}
    return Stamp(VIEWS_STAGE, {**parameters, "up": up}, VIEWS_ALGORITHM[config.image])
