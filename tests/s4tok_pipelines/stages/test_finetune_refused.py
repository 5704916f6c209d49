"""What fine-tuning refuses before it has begun."""

from pathlib import Path
from typing import Any

import pytest

from s4tok.config import FinetuneRecipe
from s4tok.errors import InputError, UsageError
from s4tok.synthetic.datasets import ToyRooms
from s4tok_pipelines.stages.finetune import finetune
from tests.s4tok_pipelines.stages.test_finetune import recipe, tuned


def test_a_dataset_without_such_labels_is_refused(world: Any, tmp_path: Path) -> None:
    rooms = ToyRooms("val", sizes=(0, 1, 0))
    with pytest.raises(UsageError, match="toy-rooms has no named parts"):
        finetune(rooms, tmp_path, FinetuneRecipe(**{**vars(recipe(world)), "task": "parts"}))
    with pytest.raises(InputError, match="has no superpoints"):
        finetune(rooms, tmp_path, recipe(world))


def test_columns_of_rooms_are_refused_where_all_clouds_are_objects(world: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--window 2 cuts rooms into columns, and toy-shapes has objects") as caught:
        tuned(world, tmp_path / "run", "parts", window=2.0)
    assert caught.value.hint == "leave --window out."
    assert not (tmp_path / "run").exists()
