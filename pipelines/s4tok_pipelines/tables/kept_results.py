"""Results that are made once: each in a JSON file named by everything it depends on."""

import hashlib
import json
from collections.abc import Callable
from glob import escape
from pathlib import Path
from typing import Any

from s4tok import __version__
from s4tok.datasets.dataset import CloudDataset
from s4tok.models.checkpoint import POINT_FEATURES, TrainedModel
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.prompts import Prompts
from s4tok_cache import Stamp
from s4tok_cache.stamp import canonical
from s4tok_pipelines.inputs.entries import fingerprints
from s4tok_pipelines.outputs.results import plain, write_json

STAMP = "stamp"


class KeptResults:
    """A folder of results; one that is there is not computed twice, and one made otherwise is never taken for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = self.present = 0

    def get(self, name: str, stamp: Stamp, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Read a result, or make it and write it down; one in which clouds have failed is tried again next time."""
        path = self.folder / f"{name}-{stamp.short}.json"
        known = _read(path)
        if known.pop(STAMP, "") == stamp.sha256:
            self.present += 1
            return known
        facts: dict[str, Any] = plain(make())
        self.made += 1
        if not facts["failures"]:
            write_json(path, {STAMP: stamp.sha256, **facts})
        return facts

    def has(self, name: str, clouds: CloudDataset) -> bool:
        """Tell whether a result of this name, version and number of clouds is there; `get` looks more closely."""
        found = (
            _read(path) for path in self.folder.glob(f"{escape(name)}-*.json") if "-" not in path.stem[len(name) + 1 :]
        )
        return any((each.get("clouds"), each.get("s4tok")) == (len(clouds), __version__) for each in found)


def result_stamp(
    stage: str,
    clouds: CloudDataset,
    clip: FrozenClip,
    checkpoint: TrainedModel | None,
    prompts: Prompts,
    config: dict[str, Any],
    upstream: tuple[Stamp, ...],
) -> Stamp:
    """Stamp what a checkpoint, or the 2D model, is asked; where it lies and what it is called change nothing."""
    means = None if checkpoint is None else checkpoint.means_for(clouds.scene)
    made_from = sorted((key, *of) for key, of in fingerprints(clouds).items())
    parameters = {
        "s4tok": __version__,
        "dataset": clouds.name,
        "split": clouds.split,
        "up": clouds.up,
        "clouds": hashlib.sha256(canonical(made_from).encode()).hexdigest(),
        "clip": clip.identity,
        "checkpoint": None if checkpoint is None else checkpoint.sha256,
        "tokenizer": None if checkpoint is None else plain(dict(checkpoint.card["tokenizer"])),
        "means": None if means is None else means.sha256,
        "prompts": prompts.sha256,
        "config": plain(config),
    }
    if checkpoint is not None and POINT_FEATURES in checkpoint.card:
        parameters[POINT_FEATURES] = plain(dict(checkpoint.card[POINT_FEATURES]))
    return Stamp(stage, parameters, upstream=upstream)


def _read(path: Path) -> dict[str, Any]:
    """Read what is there; a file that somebody has broken is as good as none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
