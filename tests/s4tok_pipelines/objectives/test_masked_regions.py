from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from s4tok.config import RegionConfig, TokenizerConfig
from s4tok.errors import UsageError
from s4tok_pipelines.report import Item, Report
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.training.run_folder import read_metrics
from tests.s4tok_pipelines.objectives.test_region_distillation import recipe


@pytest.fixture(scope="module")
def stage1(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of stage 1."""
    out = tmp_path_factory.mktemp("stage1") / "run"
    pretrain(world.train, world.cache, recipe(world, epochs=1), validation=[world.val], out=out)
    return out


@pytest.fixture
def stage2(world: Any, stage1: Path, tmp_path: Path) -> Callable[..., Path]:
    """Give `stage2(name, epochs, **regions)`, which trains stage 2 and gives the folder of its run."""

    def run(name: str, epochs: int = 2, resume: bool = False, **regions: Any) -> Path:
        teacher = None if regions.get("teaching", "frozen") != "frozen" else str(stage1)
        config = replace(recipe(world, "masked_regions", epochs=epochs), teacher=teacher)
        config = replace(config, regions=RegionConfig(groups=4, **regions))
        pretrain(world.train, world.cache, config, validation=[world.val], out=tmp_path / name, resume=resume)
        return tmp_path / name

    return run


@pytest.mark.parametrize(
    "regions", [{}, {"start": "teacher"}, {"teaching": "none"}, {"teaching": "ema", "distil": True}]
)
def test_each_control_trains_and_its_loss_falls(stage2: Callable[..., Path], regions: dict[str, Any]) -> None:
    rows = [row for row in read_metrics(stage2("run", 4, **regions) / "metrics.jsonl") if row["kind"] == "step"]
    assert rows[-1]["total"] < rows[0]["total"]
    assert (rows[0]["region"] > 0) == ("distil" in regions)
    assert {"masked_tokens", "instance", "target_spread"} <= rows[0].keys()


def test_a_frozen_teacher_lies_in_no_checkpoint_and_its_weights_are_in_the_runs_stamp(
    stage2: Callable[..., Path],
) -> None:
    run = stage2("run")
    assert not any(name.startswith("teacher") for name in load_file(run / "ckpt" / "last" / "training.safetensors"))
    assert "[teacher]" in (run / "config.toml").read_text()
    assert not any("decoder" in name for name in load_file(run / "ckpt" / "last" / "model.safetensors"))


def test_a_finished_run_is_told_from_one_with_another_teacher(stage2: Callable[..., Path]) -> None:
    stage2("run")
    with pytest.raises(UsageError, match="is a run with"):
        stage2("run", teaching="ema", resume=True)


def test_a_teacher_is_named_where_one_is_used_and_nowhere_else(world: Any, stage1: Path, tmp_path: Path) -> None:
    config = recipe(world, "masked_regions")
    with pytest.raises(UsageError, match="predicts the tokens of a trained encoder, and no run is named") as error:
        pretrain(world.train, world.cache, config, out=tmp_path)
    assert "--teacher RUN" in error.value.hint
    ema = replace(config, teacher=str(stage1), regions=RegionConfig(teaching="ema"))
    with pytest.raises(UsageError, match="takes no teacher, and --teacher names one"):
        pretrain(world.train, world.cache, ema, out=tmp_path)
    odd = replace(config, teacher=str(stage1), tokenizer=TokenizerConfig("region", n_tokens=5))
    with pytest.raises(UsageError, match=r"was trained with .*n_tokens 8, not 5.*: its tokens are not the student's"):
        pretrain(world.train, world.cache, odd, out=tmp_path)


class StopsAfter(Report):
    """A user who presses Ctrl-C after some steps."""

    def __init__(self, count: int) -> None:
        self.count = count

    def steps(self, items: Iterable[Item], text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        for number, item in enumerate(items, 1):
            yield item
            if text == "Training" and number == self.count:
                raise KeyboardInterrupt


@pytest.mark.parametrize("regions", [{}, {"teaching": "ema", "distil": True}])
def test_a_stopped_run_goes_on_and_ends_with_the_bits_of_one_that_was_not(
    world: Any, stage1: Path, regions: dict[str, Any], tmp_path: Path
) -> None:
    config = replace(recipe(world, "masked_regions"), regions=RegionConfig(groups=4, **regions))
    config = replace(config, teacher=None if regions else str(stage1))
    pretrain(world.train, world.cache, config, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        pretrain(world.train, world.cache, config, out=tmp_path / "run", save_every=0.0, report=StopsAfter(4))
    pretrain(world.train, world.cache, config, out=tmp_path / "run", resume=True)
    for name in ("model.safetensors", "training.safetensors"):
        whole, run = (tmp_path / each / "ckpt" / "last" / name for each in ("whole", "run"))
        assert whole.read_bytes() == run.read_bytes()
