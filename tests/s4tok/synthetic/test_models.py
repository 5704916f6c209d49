from pathlib import Path

import numpy as np

from s4tok.datasets.reader import FolderLayout
from s4tok.datasets.scannet_labels import CLASSES
from s4tok.datasets.sh3d.library import layout_of
from s4tok.datasets.sh3d.words import read_words
from s4tok.synthetic.furniture import Kind, anything
from s4tok.synthetic.kinds import CLASSES_OF_HOMES, OF_CATEGORY, OF_HOMES
from s4tok.synthetic.models import Models, model, outline
from s4tok.synthetic.randomness import Draw
from tests.furniture import MTL, OBJ, picture, properties, write_library

SIZES = {"bed1": (160, 200, 60), "wardrobe1": (100, 50, 200), "wardrobe": (90, 60, 210), "upperCabinet": (60, 40, 70)}


def library(folder: Path, name: str, *models: str, wider: int = 0) -> Path:
    """Write a library of a few models whose names the hand-made list knows."""
    files: dict[str, bytes | str] = {}
    catalogue = ""
    for number, each in enumerate(models, 1):
        width, depth, height = SIZES[each]
        more = {"elevation": "145"} if each == "upperCabinet" else {}
        sides = {"width": str(width + wider), "depth": str(depth), "height": str(height)}
        catalogue += properties(number, each, **sides, **more)
        files |= {f"x/{each}/{each}.obj": OBJ, f"x/{each}/thing.mtl": MTL}
        files[f"x/{each}/paint.png"] = picture([(0, 0, 255, 255)])
    write_library(folder / f"{name}.sh3f", catalogue, files)
    return folder


def libraries(folder: Path) -> FolderLayout:
    library(folder, "BlendSwap-CC-0", "bed1", "upperCabinet")
    library(folder, "Scopia", "bed1", "wardrobe1")
    layout = layout_of(folder)
    assert layout is not None
    return layout


def test_a_split_is_furnished_from_its_own_libraries(tmp_path: Path) -> None:
    layout = libraries(tmp_path)
    for split, source in (("train", "BlendSwap-CC-0/bed1"), ("val", ""), ("test", "Scopia/bed1")):
        bed = Models(layout, split).make(OF_HOMES["bed"], Draw(0), anything)
        assert bed is not None
        assert bed.source == source
    assert Models(layout, "val").identity == "none"


def test_a_model_stands_at_its_size_with_its_colours(tmp_path: Path) -> None:
    bed = model(libraries(tmp_path), "test", "Scopia/bed1")
    np.testing.assert_allclose(bed.size, [1.6, 0.6, 2.0], atol=1e-5)
    np.testing.assert_allclose(bed.vertices.min(0), [-0.8, 0, -1.0], atol=1e-5)
    assert bed.colors is not None
    assert {tuple(color) for color in bed.colors.tolist()} == {(0.5, 0.25, 0.0), (1.0, 1.0, 1.0)}


def test_what_does_not_fit_or_hangs_elsewhere_is_made(tmp_path: Path) -> None:
    train = Models(libraries(tmp_path), "train")
    small = train.make(OF_HOMES["bed"], Draw(0), lambda thing: bool(thing.size[0] < 1.2))
    assert small is not None
    assert not small.source
    cupboard = train.make(OF_HOMES["hanging cupboard"], Draw(0), anything)
    assert cupboard is not None
    assert cupboard.elevation == 1.45
    low = train.make(Kind("x", models=("upper cabinet",), stand_in="cabinet"), Draw(0), anything)
    assert low is not None
    assert not low.source


def test_the_identity_is_that_of_what_lies_in_the_libraries(tmp_path: Path) -> None:
    one = libraries(tmp_path / "one")
    same = libraries(tmp_path / "same")
    assert Models(one, "train").identity == Models(same, "train").identity
    assert Models(one, "train").identity != Models(one, "test").identity
    library(tmp_path / "other", "BlendSwap-CC-0", "bed1", "upperCabinet", wider=1)
    other = layout_of(tmp_path / "other")
    assert other is not None
    assert Models(other, "train").identity != Models(one, "train").identity


def test_an_outline_has_the_size_of_its_model(furniture: Path) -> None:
    layout = layout_of(furniture)
    assert layout is not None
    for word in ("chair", "sofa", "table lamp"):
        source = Models(layout, "test")
        kind = Kind("x", models=(word,))
        thing = source.make(kind, Draw(0), anything)
        assert thing is not None
        piece = next(key for key in read_words() if key == thing.source)
        assert piece.startswith("Scopia/")
        assert len(thing.faces) <= 5000
        assert thing.colors is not None
        assert thing.colors.min() >= 0
        assert thing.colors.max() <= 1


def test_every_word_of_the_kinds_is_one_of_the_libraries() -> None:
    known = {word for each in read_words().values() for word in (each.kind, each.name)}
    for kind in (*OF_HOMES.values(), *OF_CATEGORY.values()):
        assert set(kind.models) <= known, kind.name


def test_every_class_of_scannet_is_made_where_no_library_has_it() -> None:
    made = {CLASSES[CLASSES_OF_HOMES[kind.name]] for kind in OF_HOMES.values() if kind.label and kind.stand_in}
    shell = {name for name in CLASSES if name in CLASSES_OF_HOMES and name not in OF_HOMES}
    assert made | shell | {"shower curtain"} == set(CLASSES)


def test_outlines_are_boxes() -> None:
    from s4tok.datasets.sh3d.catalogue import Piece

    np.testing.assert_allclose(outline(Piece("a", "b", "c", "d", (), "e", (1.0, 2.0, 3.0))).size, [1, 2, 3])
