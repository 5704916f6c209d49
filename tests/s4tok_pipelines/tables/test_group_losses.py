import json
from pathlib import Path
from typing import Any

import pytest

from s4tok.models.checkpoint_files import CARD
from s4tok_pipelines.tables.group_losses import group_losses, losses_grid, thirds

SEVEN: dict[str, Any] = {  # by hand: 70 regions are in the most frequent group, 1 in the rarest that validation has
    "step": 9,
    "group_sizes": [1, 70, 30, 20, 10, 5, 0, 50],
    "group_l1": [0.08, 0.01, 0.04, 0.05, 0.02, 0.06, 0.0, 0.03],
    "group_regions": [1, 9, 3, 2, 0, 1, 0, 4],
}


def write(run: Path, *rows: dict[str, Any], of: int = 9) -> None:
    last = run / "ckpt" / "last" / CARD
    last.parent.mkdir(parents=True)
    last.write_text(json.dumps({"steps": 9, "of": of}))
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_groups_are_parted_by_what_training_has_of_them_and_those_validation_lacks_are_left_out() -> None:
    assert thirds(SEVEN) == pytest.approx((0.07, 0.045, 0.02))  # .08 .06 | .05 .04 | .03 .01


@pytest.mark.parametrize(("n", "means"), [(1, (0.5, 0.5, 0.5)), (2, (0.5, 0.6, 0.7)), (3, (0.5, 0.7, 0.9))])
def test_few_groups_have_thirds_too(n: int, means: tuple[float, float, float]) -> None:
    few = {"group_sizes": [1, 2, 3][:n], "group_l1": [0.5, 0.7, 0.9][:n], "group_regions": [1, 1, 1][:n]}
    assert thirds(few) == pytest.approx(means)


def test_the_last_validation_of_each_run_that_knows_groups_is_read_by_name_and_seed(tmp_path: Path) -> None:
    validation = {"kind": "validation", **SEVEN}
    write(tmp_path / "a" / "stage1-paper-0", {**validation, "step": 4}, validation, {"kind": "step", "step": 10})
    write(tmp_path / "b" / "stage1-paper-12", {**validation, "group_l1": [0.1] * 8})
    write(tmp_path / "b" / "stage2-0", {"kind": "validation", "step": 9, "total": 1.0})
    write(tmp_path / "b" / "named otherwise", validation)
    write(tmp_path / "b" / "stage1-paper-3", validation, of=20)  # stopped
    found = group_losses(tmp_path / "a", None, tmp_path / "b")
    assert list(found) == ["stage1-paper"]
    assert {seed: each["step"] for seed, each in found["stage1-paper"].items()} == {0: 9, 12: 9}
    (row,) = losses_grid(found).rows
    assert row == ["stage1-paper", "2", "85.0 ± 21.2", "72.5 ± 38.9", "60.0 ± 56.6"]
