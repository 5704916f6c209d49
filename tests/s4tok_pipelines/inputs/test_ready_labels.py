"""Labels that are ready are found by their cloud's name, and belong to what superpoints are made from."""

import os
from pathlib import Path

import numpy as np
import pytest

from s4tok.errors import InputError, UsageError
from s4tok.synthetic.datasets import ToyShapes
from s4tok_pipelines.inputs.entries import fingerprints
from s4tok_pipelines.inputs.ready_labels import fingerprints_with, read_labels


def test_new_labels_of_a_cloud_are_noticed_and_only_there(tmp_path: Path) -> None:
    clouds = ToyShapes("val", sizes=(0, 2, 0), points=300)
    first, second = clouds.keys
    path = tmp_path / f"{first}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.zeros(300, int))
    before = fingerprints_with(clouds, tmp_path)
    assert before[second] == fingerprints(clouds)[second]
    os.utime(path, ns=(1, before[first].mtime_ns + 1))
    after = fingerprints_with(clouds, tmp_path)
    assert not after[first].same(before[first])
    assert after[second] == before[second]
    assert len(read_labels(tmp_path, first, 2)) == 300
    with pytest.raises(InputError, match="holds no labels of"):
        read_labels(tmp_path, second, 2)
    with pytest.raises(UsageError, match="is one file, and there are 2 clouds"):
        read_labels(path, first, 2)
