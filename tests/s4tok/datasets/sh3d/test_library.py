from pathlib import Path

import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.reader import FolderLayout
from s4tok.datasets.sh3d.library import digest, layout_of, library_of, read_model_files, read_pieces, sources
from tests.furniture import properties, wardrobes, write_library
from tests.s4tok.datasets.formats.test_deb import deb_of


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("Scopia.sh3f", "Scopia"),
        ("scopia.ZIP", "Scopia"),
        ("3DModels-BlendSwap-CC-0-1.8.zip", "BlendSwap-CC-0"),
        ("BlendSwap-CC-BY.sh3f", "BlendSwap-CC-BY"),
        ("BlendSwap.sh3f", None),
        ("Scopiano.zip", None),
        ("Scopia.txt", None),
        ("Scopia", None),
    ],
)
def test_a_library_is_known_by_its_files_name(name: str, library: str | None) -> None:
    assert library_of(name) == library


def test_libraries_are_found_in_a_folder_in_an_unpacked_package_in_a_package_or_by_file(tmp_path: Path) -> None:
    deep = tmp_path / "unpacked/usr/share/sweethome3d/furniture"
    path = wardrobes(deep / "Scopia.sh3f", "bed")
    flat = FolderLayout("sh3f", deep, ("Scopia.sh3f",))
    assert layout_of(tmp_path / "unpacked") == layout_of(deep) == layout_of(path) == flat
    assert layout_of(tmp_path) is None
    package = deb_of(tmp_path / "sweethome3d-furniture_1.8-1_all.deb", path)
    packed = FolderLayout("deb", tmp_path, (package.name,))
    assert layout_of(tmp_path) == layout_of(package) == packed
    for layout in (flat, packed):
        [(library, source)] = sources(layout).items()
        [piece] = read_pieces(source, library)
        assert piece.key == "Scopia/bed"
        assert sorted(read_model_files(source, piece.model)) == ["x/bed/bed.obj", "x/bed/paint.png", "x/bed/thing.mtl"]


def test_libraries_that_are_none_or_lack_a_model_are_told(tmp_path: Path) -> None:
    path = tmp_path / "Scopia.sh3f"
    [source] = sources(FolderLayout("sh3f", tmp_path, (path.name,))).values()
    for catalogue, told in (
        (properties(1, "bed"), "lists x/bed/bed.obj, which it does not hold"),
        (properties(1, "bed", model="../../etc/passwd"), "lists ../../etc/passwd, which it does not hold"),
        ("", "lists no model"),
    ):
        write_library(path, catalogue, {})
        with pytest.raises(DamagedFile, match=told):
            read_pieces(source, "Scopia")
    path.write_bytes(b"PK, or something like it")
    with pytest.raises(DamagedFile, match=r"is no whole \.sh3f archive"):
        read_pieces(source, "Scopia")
    empty = deb_of(tmp_path / "sweethome3d-furniture_1_all.deb")
    with pytest.raises(DamagedFile, match="holds no furniture library"):
        sources(FolderLayout("deb", tmp_path, (empty.name,)))


def test_a_librarys_digest_is_that_of_what_lies_in_it_wherever_it_lies(tmp_path: Path) -> None:
    def of(folder: str, *names: str) -> str:
        path = wardrobes(tmp_path / folder / "Scopia.sh3f", *names)
        layout = layout_of(path.parent)
        assert layout is not None
        return digest(sources(layout)["Scopia"])

    assert of("one", "bed1", "bed2") == of("other", "bed1", "bed2")
    assert of("one", "bed1", "bed2") != of("third", "bed1", "bed3")
