from collections import Counter
from pathlib import Path

import pytest

from s4tok.datasets.formats.obj import Surface, parse_obj
from s4tok.datasets.formats.text import lines_of
from s4tok.datasets.sh3d import SH3D
from s4tok.datasets.sh3d.library import LIBRARIES, read_model_files
from s4tok.datasets.sh3d.words import part_told, read_kinds, read_parts, read_words


@pytest.mark.parametrize(
    ("kind", "surface", "part"),
    [
        ("chair", Surface("BackLegs.001_Cube.003", "", "None"), "leg"),
        ("chair", Surface("ChairBack", "", ""), "back"),
        ("chair", Surface("chair", "", "oak"), None),
        ("armchair", Surface("armchair.002", "", ""), None),  # no arm
        ("chair", Surface("Achterpoten_Cube.355", "", "Wood_Cherry"), "leg"),  # Dutch
        ("sofa", Surface("Cube", "", "cojin_negro"), "cushion"),  # Spanish
        ("bed", Surface("", "Cube.004_Pillow", "Pillow"), "pillow"),
        ("bottle", Surface("tap_Circle", "", ""), "cap"),  # Catalan
        ("sink", Surface("Tap-Left-Hot_Cylinder.011", "", "Steel"), "tap"),
    ],
)
def test_names_tell_parts_word_by_word(kind: str, surface: Surface, part: str | None) -> None:
    parts = read_parts()[kind]
    told = part_told(surface, parts)
    assert (None if told is None else parts[told].name) == part


def test_tables_agree_with_each_other() -> None:
    words, kinds, parts = read_words(), read_kinds(), read_parts()
    assert len(words) == 820
    assert len(kinds) == 64
    assert {word.kind for word in words.values()} - {""} == set(kinds)
    assert all(bool(word.kind) != bool(word.why_not) for word in words.values())
    assert all(word.name.strip() == word.name != "" for word in words.values())
    others = [other for names in kinds.values() for other in names]
    assert not set(others) & set(kinds)
    assert max(Counter(others).values()) == 1  # no word for two classes
    for key, word in words.items():
        names = [part.name for part in parts.get(word.kind, ())]
        assert len(set(names)) == len(names)
        assert list(word.parts) == [name for name in names if name in word.parts], key


def test_every_class_has_a_model_to_train_on_and_those_without_one_to_test_on_are_the_ten_that_are_named() -> None:
    seen: dict[str, set[str]] = {"train": set(), "val": set(), "test": set()}
    for key, word in read_words().items():
        seen[LIBRARIES[key.partition("/")[0]].split].add(word.kind)
    kinds = set(read_kinds())
    assert kinds <= seen["train"]
    assert kinds - seen["test"] - seen["val"] == {"dresser", "bedside table", "toilet", "radiator"}
    untested = {"drinking glass", "refrigerator", "wall lamp", "laptop", "trash can", "coat hanger"}
    assert (kinds & seen["val"]) - seen["test"] == untested


@pytest.mark.slow
def test_the_parts_of_the_real_models_are_those_that_the_table_lists(furniture: Path) -> None:
    layout = SH3D.recognises(furniture)
    assert layout is not None
    dataset, parts = SH3D("sh3d", layout, "all"), read_parts()
    assert list(dataset.files) == list(read_words())
    for key, word in read_words().items():
        if not word.kind or not parts[word.kind]:
            continue
        piece = dataset.pieces[key]
        files, path = read_model_files(dataset.sources[piece.library], piece.model), Path(piece.model)
        found = parse_obj(lines_of(files[piece.model], path), path)
        used = {found.surfaces[each] for each, n in zip(found.surface_of, found.lengths, strict=True) if n > 2}
        told = {part_told(surface, parts[word.kind]) for surface in used} - {None}
        assert word.parts == tuple(part.name for n, part in enumerate(parts[word.kind]) if n in told), key
