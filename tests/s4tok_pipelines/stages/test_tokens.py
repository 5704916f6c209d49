from pathlib import Path

import pytest

from s4tok.errors import UsageError
from s4tok.synthetic.datasets import ToyShapes
from s4tok_pipelines.stages.tokens import tokens

SHAPES = ToyShapes("test", sizes=(0, 0, 2), points=600)


def test_patches_are_counted_cloud_by_cloud_and_the_first_is_drawn(tmp_path: Path) -> None:
    found = tokens(SHAPES, n_tokens=12, preview=tmp_path / "a.png")
    facts = found.facts()
    assert list(facts["of_each"]) == list(SHAPES.keys)
    for name in ("superpoints", "points", "in_patches", "purity"):
        assert facts[name] == pytest.approx(sum(each[name] for each in facts["of_each"].values()) / 2)
        assert 0 < facts[name] <= 1
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_patches_that_end_with_superpoints_hold_fewer_points_than_balls_and_are_purer() -> None:
    ours, balls = (tokens(SHAPES, name, n_tokens=12).facts() for name in ("s4token", "ball+rpn"))
    assert ours["in_patches"] < balls["in_patches"]
    assert ours["purity"] > balls["purity"]
    with pytest.raises(UsageError, match="no tokenizer is called 'ours'"):
        tokens(SHAPES, "ours")
