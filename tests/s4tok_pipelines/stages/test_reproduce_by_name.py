"""Everything by one command, on a table and a figure that cost little; all weights are random."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from s4tok.errors import InputError, UsageError
from s4tok_pipelines.inputs.models import ModelNames
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stages import reproduce_by_name as stage
from s4tok_pipelines.stages.plans import plan_table
from s4tok_pipelines.stages.reproduce_by_name import Reproduction, reproduce_by_name
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.stages.table_work import TableWork, Wanted
from s4tok_pipelines.tables.result_table import schema
from s4tok_pipelines.tables.table import SPECS


class Heard(Report):
    """Keep what is said."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    warn = note


@pytest.fixture
def asked(make_clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reproduction:
    make_clip(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    return Reproduction(tmp_path / "out", tmp_path / "cache", ModelNames(clip="tiny", device="cpu"), limit=1)


def test_checkpoints_of_a_quick_run_are_never_taken_for_those_of_a_whole_one(tmp_path: Path) -> None:
    whole = Reproduction(tmp_path, trains=True)
    assert {each.as_quick().folder for each in (whole, replace(whole, checkpoints=tmp_path / "given"))} == {
        tmp_path / "checkpoints-quick"
    }
    assert whole.folder == tmp_path / "checkpoints"


def test_tables_of_the_poster_have_a_row_for_all_they_print(asked: Reproduction) -> None:
    heard = Heard()
    found = reproduce_by_name("sam-detection", asked, heard)
    jsonschema.validate(found.facts, schema())
    rows = {row["name"]: row for row in found.facts["tables"][0]["rows"]}
    assert rows["3detr-pimae"]["lacks"] == "as printed"
    assert rows["sam-guided"]["cells"][3]["paper"] == 0.484
    assert not any(cell["each"] for row in rows.values() for cell in row["cells"])
    page = (asked.out / "sam-detection.md").read_text()
    assert "There is no figure of 3DETR, 3DETR, plain transformer, SAM-guided, 3DETR, GroupFree3D, SAM-guided, " in page
    assert heard.notes[0].startswith("sam-detection: nothing to measure; ")
    trained = TableWork.open(
        SPECS["sam-detection"], Wanted(asked.out, seeds=2, trains=True), asked.evaluator(silent),
        Trainer(asked.folder, asked.cache, asked.clip, "toy"),
    )  # fmt: skip
    plan = plan_table(trained)
    assert (plan.results, plan.runs) == (5 * 2 * 2, 5 * 2 * 2 + 2 * 2)  # rows, datasets and seeds; both stages


def test_the_2d_model_has_the_superpoints_of_the_checkpoints_beside_it(asked: Reproduction) -> None:
    assert asked.evaluator(silent).superpoints == "cut-pursuit"  # the synthetic rows were trained with them
    assert replace(asked, data=asked.out).evaluator(silent).superpoints == "default"


@pytest.mark.slow
def test_figure_b_counts_what_gamma_trades_and_is_drawn(asked: Reproduction) -> None:
    found = reproduce_by_name("figureB", asked)
    jsonschema.validate(found.facts, schema())
    [table] = found.facts["tables"]
    shares = {row["name"]: [cell["mean"] for cell in row["cells"]] for row in table["rows"]}
    assert shares["gamma 0.3"][0] > shares["gamma 0"][0]  # more superpoints have a centre
    assert shares["gamma 1"][1] < shares["gamma 0.1"][1]  # and large ones lose theirs in the end
    assert (asked.out / "figureB.png").stat().st_size > 20_000
    (asked.out / "figureB.png").unlink()
    again = reproduce_by_name("figureB", asked).facts
    assert (again["results_made"], again["results_present"], again["tables"]) == (0, 1, found.facts["tables"])
    assert (asked.out / "figureB.png").is_file()


def test_all_goes_on_where_one_cannot_be_made_and_ends_with_a_page(
    asked: Reproduction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(name: str, *given: Any) -> Any:
        if name == "table2":
            raise InputError("nothing is there.")
        return original(name, *given)

    original, heard = stage._open, Heard()
    monkeypatch.setattr(stage, "NAMES", ("table2", "sam-detection"))
    monkeypatch.setattr(stage, "_open", opened)
    found = reproduce_by_name("all", asked, heard)
    assert heard.notes[0] == "table2 cannot be made: nothing is there."
    assert heard.notes[1].startswith("1 tables and figures: nothing to measure; ")
    assert [(each.key, each.reason) for each in found.failures] == [("table2", "nothing is there.")]
    assert found.grids[0].rows[0][:2] == ["table2", "not made: nothing is there."]
    page = (asked.out / "index.html").read_text()
    assert "data:image/png" in page
    assert 'id="sam-detection"' in page
    assert json.loads((asked.out / "index.json").read_text())["made"] == ["sam-detection"]


def test_names_and_rows_there_are_not_are_answered(asked: Reproduction) -> None:
    with pytest.raises(UsageError, match="no table or figure is called 'table8'"):
        reproduce_by_name("table8", asked)
    with pytest.raises(InputError, match="data holds none of shapenetpart"):
        reproduce_by_name("real", asked)
