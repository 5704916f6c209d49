from pathlib import Path

import numpy as np
import pytest

import s4tok as library
from s4tok.datasets.open import open_dataset
from tests.running import Run


def test_own_files_become_files_of_features_as_the_library_gives_them(s4tok: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "box.npy", np.random.default_rng(0).random((900, 3)))
    done = s4tok("embed", "box.npy", "--each-point", "--device", "cpu", "--json")
    assert (done.returncode, done.json["made"], done.json["out"]) == (0, 1, "embeddings")
    cloud = open_dataset(tmp_path / "box.npy")["box.npy"]
    with np.load(tmp_path / "embeddings" / "box.embedding.npz") as found:
        expected = library.embed(cloud, library.load(device="cpu")).arrays(each_point=True)
        assert set(found) == set(expected)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)


def test_a_dataset_goes_into_the_cache_which_is_whole(s4tok: Run) -> None:
    done = s4tok("embed", "toy-shapes", "--limit", 2)
    assert done.returncode == 4
    assert "--auto" in done.stderr
    done = s4tok("embed", "toy-shapes", "--limit", 2, "--auto", "--device", "cpu", "--json")
    assert (done.returncode, done.json["made"]) == (0, 2)
    assert Path(done.json["out"]).name.startswith("embed-")
    assert s4tok("cache", "verify").returncode == 0
    again = s4tok("embed", "toy-shapes", "--limit", 2, "--device", "cpu", "--json")
    assert (again.json["made"], again.json["present"]) == (0, 2)


def test_what_the_cache_does_not_keep_is_refused(s4tok: Run) -> None:
    done = s4tok("embed", "toy-shapes", "--each-point")
    assert done.returncode == 2
    assert "--out" in done.stderr


def test_a_checkpoint_of_a_hub_that_is_out_of_reach_is_missing(
    s4tok: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "box.npy", np.random.default_rng(0).random((900, 3)))
    monkeypatch.setattr("s4tok.vision.hub.reachable", lambda: False)
    done = s4tok("embed", "box.npy", "--checkpoint", "hf-hub:owner/name")
    assert done.returncode == 6
    assert "hf-hub:owner/name is not on this machine" in done.stderr
