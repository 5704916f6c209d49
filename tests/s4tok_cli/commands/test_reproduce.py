from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from s4tok.config import RunConfig
from s4tok_pipelines.report import Failure
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.tables.grid import grid
from s4tok_pipelines.tables.table2 import Measured
from s4tok_pipelines.tables.written import Reproduced
from tests.running import Run


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("table8",), 2, "no table or figure is called 'table8'"),
        (("table3", "--rows", "knn"), 2, "no row is called 'knn'"),
        (("all", "--rows", "knn"), 2, "all has no rows to choose from"),
        (
            ("table5", "--data", "nowhere"),
            4,
            "modelnet40 is not under nowhere. scanobjectnn-obj-only is not under nowhere.",
        ),
        (("real", "--data", "nowhere"), 4, "nowhere holds none of shapenetpart, modelnet40"),
        (("table2", "--rows", "knn,s4tokn"), 2, "no row is called 's4tokn'"),
        (("table2", "--rows", " , "), 2, "--rows names nothing"),
        (("table2", "--data", "nowhere"), 4, "shapenet55 is not under nowhere"),
        (("table2", "--checkpoints", "nowhere"), 6, "there are no checkpoints"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(
    s4tok: Run, tmp_path: Path, make_clip: Callable[..., Path], arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = s4tok("reproduce", *arguments, "--clip", make_clip(tmp_path / "tiny"), "--device", "cpu", "--json")
    assert done.returncode == code
    assert says in done.json["error"]
    assert "\n" not in done.json["error"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_clip: Callable[..., Path]) -> dict[str, Any]:
    """Stand in for the stages, and note what they are asked for."""
    asked: dict[str, Any] = {}
    measured = Measured((("toy-scans", "test"), ("toy-rooms", "test")), ("toy-shapes", "test"), {}, {}, {})

    def train(self: Trainer, method: Any, clouds: Any, begin: str, seed: int) -> None:
        config = self.config(method.recipe, begin, seed)
        asked.setdefault("trained", []).append((method.name, seed, self.folder, config, self.clouds(clouds, config)))

    def make(worlds: Any, places: Any, out: Path, evaluator: Any, **options: Any) -> Any:
        asked.update(places=places, out=out)
        return Reproduced(
            out, [grid(table) for table in measured.tables], ["a note"], {"table": "table2"}, asked.get("failures", [])
        )

    monkeypatch.setattr(Trainer, "train", train)
    monkeypatch.setattr("s4tok_pipelines.stages.reproduce_by_name.reproduce", make)
    make_clip(tmp_path / "tiny")
    return asked


def test_people_see_all_three_tables_with_the_papers_figures(s4tok: Run, asked: dict[str, Any]) -> None:
    done = s4tok("reproduce", "table2", "--clip", "tiny", "--device", "cpu")
    assert done.returncode == 0
    said = done.stdout
    assert [line.partition(":")[0] for line in said.splitlines() if line[:1].isupper()] == [
        "Table 2", "Scale sweep", "Table 4"
    ]  # fmt: skip
    assert "+12.4" in said
    assert said.splitlines()[-1] == "a note"
    assert asked["out"] == Path("results/table2")
    assert "trained" not in asked


def test_training_goes_where_the_result_goes_with_the_preset_and_seeds_asked_for(
    s4tok: Run, asked: dict[str, Any]
) -> None:
    asked["failures"] = [Failure("a", "is broken")]
    flags = ("--train", "--seeds", 2, "--preset", "quick", "--rows", "knn, s4token", "--out", "mine", "--json")
    done = s4tok("reproduce", "table2", "--clip", "tiny", "--device", "cpu", *flags)
    assert done.returncode == 3
    assert [each[:3] for each in asked["trained"]] == [
        (name, seed, Path("mine/checkpoints")) for name in ("knn", "s4token") for seed in (0, 1)
    ]
    _, _, _, recipe, clouds = asked["trained"][1]
    quick = RunConfig.of("quick")
    assert (len(clouds), recipe.training.epochs, recipe.clip.model) == (quick.limit, quick.training.epochs, "tiny")
    assert list(asked["places"]) == ["knn", "s4token"]
    said = done.json
    assert (said["table"], said["out"], said["failures"]) == ("table2", "mine", [{"key": "a", "reason": "is broken"}])
