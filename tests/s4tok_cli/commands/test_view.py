from pathlib import Path

import numpy as np

from tests.running import Run


def test_a_page_is_written_and_its_clouds_are_told(s4tok: Run, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.xyz", np.random.default_rng(0).random((30, 3)))
    np.save(tmp_path / "a.npy", np.arange(30) % 2)
    done = s4tok("view", "a.xyz", "a.npy", "a.xyz", "--labels", "seat,back", "--up", "y")
    assert (done.returncode, done.stdout) == (0, "2 clouds to view: view.html\n")
    assert "seat" in (tmp_path / "view.html").read_text()
    told = s4tok("view", "a.xyz", "--out", "b/c.html", "--json").json
    assert told == {"clouds": ["a.xyz"], "out": "b/c.html", "failures": []}
    assert (tmp_path / "b" / "c.html").is_file()
    assert s4tok("view", "a.npy").returncode == 2
    assert s4tok("view").returncode == 2
