"""What --auto makes of 2D features beside those that lie there."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from s4tok.config import SuperpointConfig, ViewConfig, VirtualConfig
from s4tok.synthetic.datasets import ToyScans, ToyShapes
from s4tok_cache import CacheMismatch, CacheReader
from s4tok_pipelines.layouts import CLIP_FEATURES
from s4tok_pipelines.stages.auto import make_superpoints
from s4tok_pipelines.stages.extract_features import extract_features
from s4tok_pipelines.stages.make_features import make_features
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.stages.render_views import render_views


def test_auto_completes_the_features_that_lie_there_as_they_were_begun(world: Any, tmp_path: Path) -> None:
    first, few = (ToyShapes("train", sizes=(count, 0, 0), points=300) for count in (2, 4))
    config, small = world.config(epochs=1), ViewConfig(size=48)
    make_superpoints(first, tmp_path, SuperpointConfig())
    render_views(first, tmp_path, small)
    extract_features(first, tmp_path, replace(config.clip, dense="maskclip"), small, pool="max")
    assert pretrain(few, tmp_path, config, out=tmp_path / "run", auto=True).made == 1
    features = CacheReader.find(tmp_path / "toy-shapes" / "train", CLIP_FEATURES, "extract-clip")
    assert (features.keys(), features.stamp.parameters["pool"]) == (list(few.keys), "max")


def test_auto_makes_no_features_beside_several(world: Any, tmp_path: Path) -> None:
    few, config = ToyShapes("train", sizes=(2, 0, 0), points=300), world.config(epochs=1)
    make_superpoints(few, tmp_path, SuperpointConfig())
    render_views(few, tmp_path)
    kinds: tuple[Literal["last", "maskclip"], ...] = ("last", "maskclip")
    for dense in kinds:
        extract_features(few, tmp_path, replace(config.clip, dense=dense), pool="max")
    with pytest.raises(CacheMismatch, match="has 2 results of features by tiny, which differ: dense"):
        pretrain(few, tmp_path, config, out=tmp_path / "run", auto=True)


def test_auto_takes_features_of_frames_as_they_were_begun(world: Any, tmp_path: Path) -> None:
    first, scans = (ToyScans("val", sizes=(0, count, 0), frames=40, voxel=0.06) for count in (1, 2))
    cut, model = SuperpointConfig("grid"), world.config().clip
    for number, (views, virtual) in enumerate(
        [(ViewConfig(image="depth", zoom=1.5), None), (ViewConfig(), VirtualConfig(places=1, around=2))]
    ):
        cache = tmp_path / str(number)
        extract_features(first, cache, model, views, superpoints=cut, auto=True, frames=True, virtual=virtual)
        make_features(scans, cache, model, cut)
        found = CacheReader.find(cache / "toy-scans" / "val", CLIP_FEATURES, "extract-clip")
        assert found.keys() == list(scans.keys)
