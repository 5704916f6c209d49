from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.open import open_dataset
from s4tok.errors import InputError
from s4tok.synthetic.datasets import ToyShapes
from s4tok_pipelines.inputs.own_clouds import parted
from s4tok_pipelines.outputs.assumed import tell_assumed
from tests.notes import Notes
from tests.own_files import chairs_and_a_hall


def test_what_shape_alone_decides_is_told(tmp_path: Path) -> None:
    notes = Notes()
    for part in parted(open_dataset(chairs_and_a_hall(tmp_path)), report=notes):
        tell_assumed(part, notes)
    assert notes.said == [
        "a-chair.npy, b-chair.npy: taken for objects (else --room) of any unit, y up (else --up), told by shape and "
        "format alone",
        "hall.npy: taken for a room (else --object) in m (else --unit), z up (else --up), told by shape and format "
        "alone",
    ]
    (part,) = parted(open_dataset(tmp_path / "a-chair.npy", up="x"))
    tell_assumed(part, notes)
    assert notes.said[-1] == "a-chair.npy: taken for an object (else --room) of any unit, x up (else --up)"
    tell_assumed(ToyShapes("val"), notes)
    assert len(notes.said) == 3


def test_a_file_that_cannot_be_read_is_taken_for_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "chair.npy", ToyShapes("val")[ToyShapes("val").keys[6]].xyz)
    (tmp_path / "broken.ply").write_bytes(b"ply\n")
    clouds, notes = open_dataset(tmp_path), Notes()
    with pytest.raises(InputError, match="ends within its header"):
        clouds["broken.ply"]
    clouds["chair.npy"]
    tell_assumed(clouds, notes)
    assert notes.said[0].startswith("chair.npy: taken for an object (else --room)")
