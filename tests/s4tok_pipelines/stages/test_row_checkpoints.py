"""Which checkpoints of a row are there, and which are trained, in which order."""

import json
from pathlib import Path
from typing import Any

import pytest

from s4tok.config import VisionConfig
from s4tok.synthetic.datasets import ToyShapes
from s4tok_pipelines.stages.row_checkpoints import RowCheckpoints
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.tables.spec import Method, Recipe, Spec

FIRST, SECOND = (
    Method("a", "A", recipe=Recipe("pretrain", "objects")),
    Method("b", "B", recipe=Recipe("finetune", "objects", begin="a")),
)
SPEC = Spec("table9", "Nine", "a paper", (), (SECOND,), before=(FIRST,))


def run(folder: Path, steps: int, of: int = 8) -> None:
    """Leave a run as it is after so many steps."""
    (folder / "ckpt" / "last").mkdir(parents=True, exist_ok=True)
    (folder / "ckpt" / "last" / "config.json").write_text(json.dumps({"steps": steps, "of": of}))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, str]]:
    """Stand in for training, and note what is trained."""
    trained: list[tuple[str, int, str]] = []

    def train(self: Trainer, method: Method, clouds: Any, begin: str, seed: int) -> None:
        trained.append((method.names, seed, Path(begin).name))
        run(self.folder / f"{method.names}-{seed}", 8)

    monkeypatch.setattr(Trainer, "train", train)
    return trained


def rows(folder: Path, given: Path | None = None, *, trains: bool = True) -> RowCheckpoints:
    trainer = Trainer(folder, folder, VisionConfig("other"), "toy")
    return RowCheckpoints(SPEC, given, trainer, trains, 2, {"objects": ToyShapes("train")})


def test_what_was_stopped_goes_on_and_what_is_done_is_not_done_again(
    trained: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    run(tmp_path / "a-0", 8)
    run(tmp_path / "a-1", 3)  # killed on its way
    found = rows(tmp_path).of(SECOND)
    assert [Path(each).name for each in found] == ["b-0", "b-1"]
    assert trained == [("a", 1, ""), ("b", 0, "a-0"), ("b", 1, "a-1")]
    assert rows(tmp_path).of(SECOND) == found
    assert len(trained) == 3


def test_a_checkpoint_of_ones_own_is_taken_as_it_is(trained: list[tuple[str, int, str]], tmp_path: Path) -> None:
    run(tmp_path / "mine" / "b-7", 3)
    assert [Path(each).name for each in rows(tmp_path / "trained", tmp_path / "mine").of(SECOND)] == ["b-7"]
    assert rows(tmp_path, trains=False).of(SECOND) == []
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "config.json").write_text("{}")
    assert [Path(each).name for each in rows(tmp_path, tmp_path).of(SECOND)] == ["b"]
    assert trained == []


def test_seeds_that_are_missing_among_others_are_trained(trained: list[tuple[str, int, str]], tmp_path: Path) -> None:
    run(tmp_path / "a-4", 8)
    assert [Path(each).name for each in rows(tmp_path, tmp_path).of(FIRST)] == ["a-0", "a-4"]
    assert trained == [("a", 0, "")]


@pytest.mark.parametrize(("clip", "of_mini", "of_mini2"), [("mini", 1, 0), ("mini2", 0, 1), ("other", 0, 0)])
def test_of_those_that_ship_a_row_takes_the_ones_of_its_clip(
    clip: str, of_mini: int, of_mini2: int, tmp_path: Path
) -> None:
    trainer = Trainer(tmp_path, tmp_path, VisionConfig(clip), "toy")
    there = RowCheckpoints(SPEC, None, trainer, False, 1, {})
    assert len(there.found(Method("universal", "U"))) == of_mini
    assert len(there.found(Method("universal2", "U"))) == of_mini2
