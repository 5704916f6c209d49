import numpy as np

from s4tok.synthetic.home_datasets import HomeRooms, HomeScans
from s4tok.synthetic.kinds import CLASSES_OF_HOMES, OF_CATEGORY, OF_HOMES
from s4tok.synthetic.thing_names import NAME_OF, NAMES
from s4tok.vision.known_words import KnownWords
from s4tok.vision.weights import CARRIED, MINI2


def test_every_kind_has_a_name_but_those_of_many_things() -> None:
    placed = {"guitar", "lamp", "laptop", "monitor", "mug"}  # of toy rooms' categories, what offices have too
    named = {*OF_HOMES, *CLASSES_OF_HOMES, *(placed & set(OF_CATEGORY))}
    assert {name for name in named if name not in NAME_OF} == {name for name in OF_HOMES if name.endswith(" things")}


def test_mini2_knows_every_name() -> None:
    known = KnownWords.beside(CARRIED[MINI2])
    assert known is not None
    assert [name for name in NAMES if known.unknown_in(name)] == []


def test_points_of_homes_and_offices_have_names_that_agree_with_their_classes() -> None:
    for rooms in (HomeScans("train", sizes=(2, 0, 0), voxel=0.08), HomeRooms("train", sizes=(2, 0, 0), points=4000)):
        assert rooms.names == NAMES
        for key in rooms.keys:
            names, labels = rooms.named(key), rooms[key].labels
            assert labels is not None
            assert names.shape == labels.shape
            assert (names >= 0).mean() > 0.9
            for word in ("wall", "floor", "door", "window", "sofa"):
                np.testing.assert_array_equal(names == NAMES.index(word), labels == list(rooms.classes).index(word))
