from pathlib import Path

import numpy as np

from tests.running import Run


def test_objects_of_a_folder_are_drawn_and_its_rooms_named_and_left_out(s4tok: Run, tmp_path: Path) -> None:
    rng, folder = np.random.default_rng(0), tmp_path / "mine"
    folder.mkdir()
    np.save(folder / "chair.npy", rng.uniform(size=(300, 3)))
    flat, zero = rng.uniform(0, 5, (2000, 2)), np.zeros(1000)
    np.save(folder / "hall.npy", np.concatenate([np.c_[flat[:1000], zero], np.c_[zero, flat[1000:]]]))
    shared = ("--size", 32, "--cache", tmp_path / "cache", "--device", "cpu", "--json")
    done = s4tok("render-views", folder, *shared)
    assert (done.returncode, done.json["made"]) == (0, 1)
    assert "rooms are not drawn from outside, and left out: hall.npy" in done.stderr
    alone = s4tok("render-views", folder / "hall.npy", *shared)
    assert (alone.returncode, alone.json["made"]) == (0, 1)  # asked for by itself
