from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from s4tok.config import ReproduceConfig, SegmentConfig
from s4tok.synthetic.datasets import ToyRooms
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.prompts import load_prompts
from s4tok_cache import Stamp
from s4tok_pipelines.report import silent
from s4tok_pipelines.stages.evaluator import Evaluator
from s4tok_pipelines.tables.kept_results import KeptResults


def test_a_kept_result_of_the_2d_model_in_rooms_is_of_the_features_it_was_made_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    smallest, zoom = 10, 1.0

    def opened(*_: Any) -> Any:
        cut = Stamp("superpoints", {"smallest": smallest}, 1)
        seen = Stamp("extract-features", {"zoom": zoom}, 1, (cut,))
        superpoints, features = (SimpleNamespace(stamp=stamp) for stamp in (cut, seen))
        return SimpleNamespace(config=SegmentConfig(), superpoints=superpoints, features=features)

    monkeypatch.setattr(Evaluator, "_by_views", opened)
    monkeypatch.setattr(Evaluator, "_segmented", lambda *_: {"smallest": smallest, "failures": []})
    clip, rooms = FrozenClip.load(str(make_clip(tmp_path / "tiny"))), ToyRooms("val")
    kept = KeptResults(tmp_path / "results")
    evaluator = Evaluator(clip, load_prompts("clip"), tmp_path, kept, ReproduceConfig(), SegmentConfig(), 1, silent)
    assert evaluator.vision(rooms)["smallest"] == 10
    assert (evaluator.vision(rooms)["smallest"], kept.made, kept.present) == (10, 1, 1)
    smallest = 20
    assert (evaluator.vision(rooms)["smallest"], kept.made) == (20, 2)
    zoom = 2.0
    assert (evaluator.vision(rooms)["smallest"], kept.made) == (20, 3)
