"""The dataset `sh3d`: named models of the furniture libraries of Debian's package sweethome3d-furniture."""

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from s4tok.clouds import PointCloud
from s4tok.datasets.dataset import Credit, Mesh, Origin
from s4tok.datasets.formats.obj import Surface
from s4tok.datasets.painting import FINE
from s4tok.datasets.reader import FileDataset, FolderLayout
from s4tok.datasets.sh3d.catalogue import Piece
from s4tok.datasets.sh3d.library import LIBRARIES, layout_of, read_model_files, read_pieces, sources
from s4tok.datasets.sh3d.model import read_model
from s4tok.datasets.sh3d.words import part_told, read_kinds, read_parts, read_words
from s4tok.datasets.surface import sample_surface

KINDS = tuple(read_kinds())
PARTS = {kind: parts for kind, parts in read_parts().items() if parts}
STARTS = dict(zip(PARTS, accumulate(map(len, PARTS.values()), initial=0), strict=False))
FEWEST_PARTS = 2  # that a model's names must tell, to be among those with parts


class SH3D(FileDataset):
    """Models by library and name, in metres, +y up, their front along +z; whole libraries are train, val or test."""

    splits = ("train", "val", "test")
    official: ClassVar[Mapping[str, int]] = {"train": 310, "val": 115, "test": 395}
    scene = "object"
    up = "y"
    categories = KINDS

    def __init__(self, name: str, layout: FolderLayout, split: str) -> None:
        self.sources = sources(layout)
        self.pieces: dict[str, Piece] = {}
        self.sizes: dict[str, int] = {}  # bytes of each model's file
        super().__init__(name, layout, split)

    @classmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Look for the libraries or the package by their names."""
        return layout_of(folder)

    def listed(self, split: str) -> dict[str, str]:
        """Read the catalogues of a split's libraries."""
        files: dict[str, str] = {}
        for library, source in self.sources.items():
            if LIBRARIES[library].split == split:
                for piece, size in read_pieces(source, library).items():
                    self.pieces[piece.key], self.sizes[piece.key] = piece, size
                    files[piece.key] = source.path.relative_to(self.layout.root).as_posix()
        return files

    def __getitem__(self, key: str) -> PointCloud:
        """Draw points from a model's surface, with colours, and its parts as labels."""
        return sample_surface(self.mesh(key), key, self.path(key) / self.pieces[key].model)

    def mesh(self, key: str, fine: float = FINE) -> Mesh:
        """Read a model; textured faces are cut until the colours of their corners show the texture."""
        piece = self.pieces[key]
        files = read_model_files(self.sources[piece.library], piece.model)
        return read_model(piece, files, self.path(key), self.part_of(key), fine)

    def part_of(self, key: str) -> Callable[[Surface], int] | None:
        """Say how surfaces of a model are labelled; here they are not."""
        return None

    def category(self, key: str) -> int | None:
        """Tell the class of a model, where the hand-made list gives it one."""
        word = read_words().get(key)
        return self.categories.index(word.kind) if word and word.kind in self.categories else None

    def credits(self) -> Iterator[Credit]:
        """Say who made each model and on what terms it may be used, in the catalogues' order."""
        for key in self.files:
            piece = self.pieces[key]
            terms = LIBRARIES[piece.library]
            yield Credit(key, piece.name, piece.creator, terms.licence, terms.source)

    def origin(self, key: str) -> Origin:
        """Say which library and model, as large as the model's file."""
        origin = super().origin(key)
        return Origin(f"{origin.path}/{self.pieces[key].model}", self.sizes[key], origin.mtime_ns)


class SH3DParts(SH3D):
    """The models with at least two parts that the names of their surfaces tell; other points have no label."""

    official: ClassVar[Mapping[str, int]] = {"train": 79, "val": 15, "test": 47}
    categories = tuple(PARTS)
    classes = tuple(part.name for parts in PARTS.values() for part in parts)
    parts = MappingProxyType({kind: range(STARTS[kind], STARTS[kind] + len(parts)) for kind, parts in PARTS.items()})

    def listed(self, split: str) -> dict[str, str]:
        """Take the models whose parts are told."""
        told = {key for key, word in read_words().items() if len(word.parts) >= FEWEST_PARTS}
        return {key: file for key, file in super().listed(split).items() if key in told}

    def part_of(self, key: str) -> Callable[[Surface], int] | None:
        """Label surfaces with the parts of the model's class."""
        kind = read_words()[key].kind

        def label(surface: Surface) -> int:
            told = part_told(surface, PARTS[kind])
            return -1 if told is None else STARTS[kind] + told

        return label
