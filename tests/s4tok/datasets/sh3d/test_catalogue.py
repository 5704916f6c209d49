from pathlib import Path

import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.sh3d.catalogue import read_catalogue
from tests.furniture import properties


def test_sizes_are_metres_along_the_axes_and_what_is_not_said_is_as_usual() -> None:
    text = properties(1, "Bed", tags="Double, Blend Swap", elevation="42", modelRotation="1 0 0 0 0 1 0 -1 0")
    text += properties(2, "Lamp\\u20ac", doorOrWindow="true")
    bed, lamp = read_catalogue(text.encode("latin-1"), "Small", Path("a"))
    assert (bed.key, bed.name, bed.shelf, bed.creator) == ("Small/Bed", "Bed", "Bedroom", "A. Maker")
    assert bed.size == (1.0, 2.0, 0.5)  # width, height, depth
    assert (bed.tags, bed.elevation, bed.is_opening) == (("Double", "Blend Swap"), 0.42, False)
    assert (bed.turn @ [0, 0, 3]).tolist() == [0, 3, 0]  # a model with z up
    assert (lamp.name, lamp.is_opening, lamp.turn.tolist()) == ("Lamp€", True, [[1, 0, 0], [0, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name=Small\n", "lists no model"),
        (properties(2, "Bed"), "lists no model"),
        (properties(1, "Bed") + properties(2, "Bed"), "lists a model twice"),
        (properties(1, "Bed", width="wide"), "width#1 must be 1 numbers"),
        (properties(1, "Bed", height="-3"), "height#1 is -3 cm"),
        (properties(1, "Bed", height="nan"), "height#1 must be 1 numbers"),
        (properties(1, "Bed", depth="1e9"), "depth#1 is 1e[+]09 cm"),
        (properties(1, "Bed", modelRotation="1 0 0"), "modelRotation#1 must be 9 numbers"),
    ],
)
def test_a_catalogue_that_cannot_be_is_told(text: str, told: str) -> None:
    with pytest.raises(DamagedFile, match=told):
        read_catalogue(text.encode(), "Small", Path("a"))
