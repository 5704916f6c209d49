"""What a table announces: what is missing of it, and no less time than it takes."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from s4tok.config import ReproduceConfig
from s4tok_pipelines.inputs.models import ModelNames
from s4tok_pipelines.report import silent
from s4tok_pipelines.stages import reproduce_by_name as stage
from s4tok_pipelines.stages.reproduce_by_name import Reproduction, reproduce_by_name
from s4tok_pipelines.tables.costs import STARTING, Plan


def planned(name: str, asked: Reproduction) -> Plan:
    return stage._open(name, asked, asked.evaluator(silent), silent).plan()


def test_trainings_take_longer_with_more_seeds_and_nothing_is_trained_unasked(
    make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    names = ModelNames(clip=str(make_clip(tmp_path / "tiny")), device="cpu")
    asked = Reproduction(tmp_path, tmp_path / "cache", names, trains=True)
    three, one = planned("table7", asked), planned("table7", replace(asked, config=ReproduceConfig(seeds=1)))
    assert (three.runs, one.runs, three.results, one.results) == (15, 5, 16, 6)  # with the 2D model's
    assert three.seconds > 2.5 * one.seconds > 3600
    assert planned("table7", replace(asked, trains=False)).runs == 0
    rooms, objects = (planned("table2", replace(asked, rows=[row])) for row in ("s4token-scans", "knn"))
    assert (rooms.results, objects.results) == (3 * 2 + 3, 3 * (2 + 4) + 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table5", "table7", "sam-segmentation", "figureC"])
def test_a_quick_table_ends_within_the_time_it_announces_and_has_nothing_left_to_do(name: str, tmp_path: Path) -> None:
    asked = Reproduction(tmp_path, tmp_path / "cache", ModelNames(clip="mini", device="cpu"), is_quick=True)
    before = planned(name, asked.as_quick())
    start = time.process_time()
    reproduce_by_name(name, asked)
    taken = time.process_time() - start
    assert taken < before.most
    after = planned(name, asked.as_quick())
    assert (after.results, after.runs) == (0, 0)
    assert after.kept == before.results
    start = time.process_time()
    reproduce_by_name(name, asked)
    assert time.process_time() - start < max(after.most, STARTING)
