"""Labels that are ready are found by their cloud's name, and belong to what superpoints are made from."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.errors import InputError, UsageError
from s4tok.synthetic.datasets import ToyShapes
from s4tok_cache import CacheReader, Stamp, Store
from s4tok_pipelines.inputs.entries import fingerprints, fingerprints_with, read_entry, root_of
from s4tok_pipelines.inputs.ready_labels import read_labels
from s4tok_pipelines.layouts import SUPERPOINTS


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


def test_other_labels_are_noticed_though_they_are_older_than_the_cloud(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).uniform(size=(50, 3)))
    np.save(tmp_path / "cut.npy", np.arange(50))
    clouds = open_dataset(tmp_path / "a.npy")
    befores = []
    for moment in (10, 20):
        os.utime(tmp_path / "cut.npy", ns=(moment, moment))
        befores.append(fingerprints_with(clouds, tmp_path / "cut.npy")["a.npy"])
    assert not befores[0].same(befores[1])
    assert befores[1].same(fingerprints_with(clouds, tmp_path / "cut.npy")["a.npy"])


def test_superpoints_of_ready_labels_are_read_until_cloud_or_labels_change(tmp_path: Path) -> None:
    path, cut = tmp_path / "a.npy", tmp_path / "cut.npy"
    np.save(path, np.random.default_rng(0).uniform(size=(50, 3)))
    np.save(cut, np.arange(50))
    clouds, stamp = open_dataset(path), Stamp("superpoints", {"method": "labels", "labels": str(cut)})

    def read() -> int:
        reader = CacheReader(root_of(tmp_path, clouds), SUPERPOINTS, stamp)
        return len(read_entry(reader, clouds, "a.npy", "labels")["labels"])

    with Store.resume(root_of(tmp_path, clouds), SUPERPOINTS, stamp) as store:
        made_from = fingerprints_with(clouds, cut)["a.npy"]
        store.write("a.npy", {"labels": np.arange(50, dtype=np.int32)}, made_from, {"n_superpoints": 50})
    assert read() == 50
    for each in (path, cut):
        before = each.stat().st_mtime_ns
        os.utime(each, ns=(before + 1, before + 1))
        with pytest.raises(InputError, match=f"before it or its labels changed; run .* --method labels --labels {cut}"):
            read()
        os.utime(each, ns=(before, before))
    shutil.move(cut, tmp_path / "elsewhere.npy")  # what the cache holds of labels that are gone is all there is
    assert read() == 50
    os.utime(path, ns=(made_from.mtime_ns + 1, made_from.mtime_ns + 1))
    with pytest.raises(InputError, match="before it or its labels changed"):
        read()
