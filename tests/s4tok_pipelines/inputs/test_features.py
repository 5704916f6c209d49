from pathlib import Path
from typing import Any

import pytest

from s4tok_cache import CacheMismatch, CacheMissing, Stamp, Store
from s4tok_pipelines.inputs.features import LAYOUTS, features_of, find_features, name_in, superpoints_under
from s4tok_pipelines.layouts import SUPERPOINTS
from s4tok_pipelines.stamps import CLIP_STAGE, FEATURES_STAGE

CUT, OTHER_CUT = Stamp("superpoints"), Stamp("superpoints", {"method": "grid"})
CLIP: dict[str, Any] = {"clip": "tiny", "weights": "1", "size": 48}
DINO: dict[str, Any] = {"model": "dinov2-small", "weights": "2", "size": 224}


def no_hint() -> str:
    return ""


def keep(root: Path, stage: str, parameters: dict[str, Any], cut: Stamp = CUT) -> Stamp:
    stamp = Stamp(stage, parameters, 1, (cut,))
    with Store.resume(root, SUPERPOINTS, cut), Store.resume(root, LAYOUTS[stage], stamp):
        return stamp


def test_features_are_found_by_the_model_and_by_nothing_else(tmp_path: Path) -> None:
    clip = keep(tmp_path, CLIP_STAGE, {**CLIP, "teacher": "clip", "dense": "last"})
    dino = keep(tmp_path, FEATURES_STAGE, DINO)
    assert find_features(tmp_path, "tiny", CLIP, no_hint).stamp == clip
    assert find_features(tmp_path, "dinov2-small", DINO, no_hint).stamp == dino
    assert find_features(tmp_path, "dinov2-small", {"model": "dinov2-small"}, no_hint).stamp == dino
    assert {name_in(stamp) for stamp in features_of(tmp_path, {})} == {"tiny", "dinov2-small"}
    assert superpoints_under(find_features(tmp_path, "tiny", CLIP, no_hint)).stamp == CUT


def test_what_is_not_there_is_told_beside_what_is(tmp_path: Path) -> None:
    with pytest.raises(CacheMissing, match=r"has no features by tiny\.") as found:
        find_features(tmp_path, "tiny", CLIP, lambda: "run this")
    assert found.value.hint == "run this"
    keep(tmp_path, FEATURES_STAGE, DINO)
    with pytest.raises(CacheMissing, match=r"has no features by tiny; there are some by dinov2-small\."):
        find_features(tmp_path, "tiny", CLIP, no_hint)
    with pytest.raises(CacheMissing, match="dinov2-small"):  # of other weights
        find_features(tmp_path, "dinov2-small", {**DINO, "weights": "3"}, no_hint)


def test_of_several_those_over_the_wanted_cut_are_taken_and_nothing_is_guessed(tmp_path: Path) -> None:
    one, other = keep(tmp_path, FEATURES_STAGE, DINO), keep(tmp_path, FEATURES_STAGE, DINO, OTHER_CUT)
    for cut, stamp in ((CUT, one), (OTHER_CUT, other)):
        assert find_features(tmp_path, "dinov2-small", DINO, no_hint, cut=cut).stamp == stamp
    with pytest.raises(CacheMismatch, match="has 2 results of features by dinov2-small, which differ: ") as found:
        find_features(tmp_path, "dinov2-small", DINO, no_hint)
    assert "method grid" in str(found.value)
    assert one.folder in found.value.hint
    assert other.folder in found.value.hint
