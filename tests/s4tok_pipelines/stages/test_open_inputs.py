"""What is opened before the first cloud, and what is refused before anything is made."""

from dataclasses import replace
from pathlib import Path

import pytest

from s4tok.config import SegmentConfig
from s4tok.errors import UsageError
from s4tok.models.checkpoint import TrainedModel
from s4tok.synthetic.datasets import ToyShapes
from s4tok_pipelines.stages.open_inputs import open_scorer
from tests.notes import Notes


def test_settings_are_refused_before_superpoints_are_made_and_nothing_is_left_open(
    checkpoint: TrainedModel, tmp_path: Path
) -> None:
    clouds, clip = ToyShapes("val", sizes=(0, 2, 0), points=300), checkpoint.model.clip
    with pytest.raises(UsageError, match="--calibrate mean needs them"):
        open_scorer(clouds, tmp_path, clip, checkpoint, SegmentConfig(calibrate="mean"), auto=True)
    assert not list(tmp_path.iterdir())
    notes, asked = Notes(), SegmentConfig(n_tokens=5)
    scorer = open_scorer(clouds, tmp_path, clip, checkpoint, asked, auto=True, report=notes)
    assert sorted(scorer.superpoints) == list(clouds.keys)
    trained = checkpoint.model.tokenizer.config
    assert scorer.config == replace(
        asked, n_points=trained.n_points, window=0.0, attend=checkpoint.model.attend,
        calibrate="none", calibration_share=0.0,
    )  # fmt: skip
    assert [note.startswith("using 5 tokens") for note in notes.said] == [True]
