"""What tests of stages share: a small world with its caches, made in a second."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.config import ClusterConfig, PretrainConfig, RunConfig, TokenizerConfig, VisionConfig
from s4tok.synthetic.datasets import ToyShapes
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import CacheReader, Stamp, Store
from s4tok_pipelines.inputs.entries import fingerprints
from s4tok_pipelines.layouts import CLIP_FEATURES, SUPERPOINTS
from tests.octants import cut_into_octants


@dataclass
class World:
    """A few toy shapes, cut by a grid, with features of their own for each place; and a CLIP of random weights."""

    cache: Path
    clip: str
    train: ToyShapes
    val: ToyShapes

    def config(self, **training: Any) -> RunConfig:
        """Give a small recipe: five steps of four shapes an epoch."""
        return RunConfig(
            PretrainConfig(**{"batch": 4, "epochs": 2, "draws": 2, "learning_rate": 3e-3, **training}),
            TokenizerConfig(n_points=150, n_tokens=12, patch_size=8, adapter_widths=(8, 16, 16)),
            ClusterConfig(n_clusters=4, iterations=3),
            clip=VisionConfig(model=self.clip),
        )


def fill(cache: Path, clouds: ToyShapes, clip: FrozenClip) -> None:
    root = cache / clouds.name / clouds.split
    cut, seen = Stamp("superpoints"), Stamp("extract-clip", clip.stamp)
    seen = Stamp(seen.stage, seen.parameters, 1, (cut,))
    places = np.random.default_rng(0).normal(size=(8, clip.width))
    cut_into_octants(clouds, cache, stamp=cut)
    superpoints = CacheReader(root, SUPERPOINTS, cut)
    with Store.resume(root, CLIP_FEATURES, seen) as features:
        origins = fingerprints(clouds, superpoints)
        features.missing(origins)
        for key in clouds.keys:
            octant = (clouds[key].xyz > 0) @ [1, 2, 4]
            ids = superpoints.read(key)["labels"]
            draw = np.random.default_rng(clouds.category(key))
            vectors = places[np.unique(octant)] + draw.normal(size=clip.width)
            unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
            visible = np.bincount(ids).astype(np.int32) * 2
            visible[0] = 0
            views = np.repeat(unit.mean(0, keepdims=True), 3, axis=0)
            features.write(key, {"superpoints": unit, "visible": visible, "views": views}, origins[key])


@pytest.fixture(scope="session")
def world(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make the world once; runs only read its caches, and add their samples."""
    folder = tmp_path_factory.mktemp("world")
    made = World(
        folder / "cache",
        str(make_clip(folder / "tiny")),
        *(ToyShapes(split, sizes=(22, 4, 0), points=600) for split in ("train", "val")),
    )
    for clouds in (made.train, made.val):
        fill(made.cache, clouds, FrozenClip.load(made.clip))
    return made
