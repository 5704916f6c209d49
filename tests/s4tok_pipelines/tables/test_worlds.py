from pathlib import Path

import pytest

from s4tok.config import ReproduceConfig
from s4tok.datasets.table import DATASETS
from s4tok.errors import InputError
from s4tok.synthetic.layouts import write
from s4tok_pipelines.tables.worlds import ROLES, open_roles

SMALL = ReproduceConfig(shapes=5)


def test_every_role_is_a_dataset_and_one_of_its_splits() -> None:
    for role in ROLES.values():
        for place in filter(None, role):
            splits = DATASETS[place[0]].load().splits
            assert {*place[1].split("+")} <= {*splits}, place


def test_the_synthetic_data_have_no_scanned_objects_and_shapes_are_as_many_as_shown() -> None:
    found = open_roles(["parts", "obj-bg", "scannet"], None, SMALL)
    assert {role: clouds.name for role, clouds in found.items()} == {"parts": "toy-shapes", "scannet": "toy-scans"}
    assert len(found["parts"]) == 5
    assert len(open_roles(["scannet"], None, SMALL, 2)["scannet"]) == 2
    assert len(open_roles(["parts"], None, SMALL, 7)["parts"]) == 7  # more than are shown, where that is asked for


def test_all_that_is_missing_is_told_at_once_with_where_it_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_roles(["parts", "scannet", "s3dis"], tmp_path, SMALL)
    for name in ("shapenetpart", "scannet", "s3dis"):
        assert f"{name} is not under" in str(caught.value)
        assert f"{tmp_path / name} takes" in caught.value.hint


def test_another_split_is_taken_where_that_is_asked_for(tmp_path: Path) -> None:
    list(write("modelnet40", tmp_path / "modelnet40", (2, 0, 0)))
    with pytest.raises(InputError, match="modelnet40"):
        open_roles(["modelnet40"], tmp_path, SMALL)
    assert open_roles(["modelnet40"], tmp_path, SMALL, any_split=True)["modelnet40"].split == "train"
    with pytest.raises(InputError, match="scannet is not under"):
        open_roles(["modelnet40", "scannet"], tmp_path, SMALL, any_split=True)
