import json
from pathlib import Path

import numpy as np
import pytest
import torch

import s4tok
from s4tok.datasets.formats.ply import read_ply
from s4tok.errors import UsageError
from s4tok.inference.loading import Checkpoint
from s4tok.models.checkpoint import TrainedModel

POINTS = 5e5 + np.random.default_rng(0).random((200, 3))


@pytest.mark.parametrize("points", [POINTS, torch.from_numpy(POINTS)], ids=["array", "tensor"])
def test_results_come_back_from_their_files(checkpoint: TrainedModel, points: np.ndarray, tmp_path: Path) -> None:  # type: ignore[type-arg]
    random = Checkpoint(checkpoint)
    found = s4tok.segment(points, ["seat", "back"], random)
    found.save(tmp_path / "found.ply")
    found.save(str(tmp_path / "found.npz"))
    np.testing.assert_allclose(read_ply(tmp_path / "found.ply").points, POINTS, atol=1e-6)
    with np.load(tmp_path / "found.npz") as kept:
        np.testing.assert_array_equal(kept["labels"], found.labels)
        np.testing.assert_array_equal(kept["names"], ["seat", "back"])
        np.testing.assert_allclose(kept["scores"], found.scores, atol=1e-3)
    classified = s4tok.classify(points, ["chair", "table"], random)
    classified.save(tmp_path / "class.json")
    said = json.loads((tmp_path / "class.json").read_text())
    assert (said["label"], said["checkpoint"], list(said["scores"])) == (classified.label, "X", ["chair", "table"])
    classified.save(tmp_path / "class.npz")
    with np.load(tmp_path / "class.npz") as kept:
        assert str(kept["label"]) == classified.label


def test_an_embedding_keeps_superpoints_and_each_point_where_asked(checkpoint: TrainedModel, tmp_path: Path) -> None:
    found = s4tok.embed(POINTS, Checkpoint(checkpoint))
    found.save(tmp_path / "a.npz")
    found.save(tmp_path / "b.npz", each_point=True)
    with np.load(tmp_path / "a.npz") as small, np.load(tmp_path / "b.npz") as large:
        assert sorted(small) == ["centers", "features", "superpoints", "tokens", "whole"]
        assert set(large) - set(small) == {"points"}
        np.testing.assert_allclose(large["points"], found.points, atol=1e-3)
        for each, row in enumerate(small["features"]):
            np.testing.assert_allclose(row, np.asarray(found.points)[small["superpoints"] == each].mean(0), atol=1e-3)


def test_a_kind_of_file_that_is_not_written_is_refused_before_it_is_there(
    checkpoint: TrainedModel, tmp_path: Path
) -> None:
    random = Checkpoint(checkpoint)
    for found in (s4tok.segment(POINTS, ["seat"], random), s4tok.embed(POINTS, random)):
        with pytest.raises(UsageError, match=r"no kind of file is called '\.csv'; there are: .*\.npz"):
            found.save(tmp_path / "found.csv")
    assert not list(tmp_path.iterdir())
