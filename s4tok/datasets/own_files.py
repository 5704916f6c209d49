"""A user's own files, points or meshes, each a cloud by its file's name, in the frame of own clouds."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import SURFACE_POINTS, Axis, Scene
from s4tok.datasets.dataset import Mesh, Origin
from s4tok.datasets.folders import from_root
from s4tok.datasets.formats import colmap, e57, glb, las, obj, off, pcd, ply, stl, usd
from s4tok.datasets.formats.arrays import read_h5, read_npy_points, read_npz, read_text
from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile, legible
from s4tok.datasets.reader import FileDataset, Finding, FolderLayout
from s4tok.datasets.surface import sample_surface
from s4tok.errors import InputError, MissingError, did_you_mean
from s4tok.geometry.placement import AXES, UP, Guess, Said, guessed, placed
from s4tok.shapes import Array, Bool

FORMATS: dict[str, Callable[[Path], Contents]] = {
    ".ply": ply.read_ply,
    ".pcd": pcd.read_pcd,
    ".npy": read_npy_points,
    ".npz": read_npz,
    ".txt": read_text,
    ".xyz": read_text,
    ".las": las.read_las,
    ".laz": las.read_las,
    ".obj": obj.read_obj,
    ".off": off.read_off,
    ".stl": stl.read_stl,
    ".glb": glb.read_glb,
    ".h5": read_h5,
    ".e57": e57.read_e57,
    ".usd": usd.read_usd,
    ".usda": usd.read_usd,
    ".usdc": usd.read_usd,
    ".usdz": usd.read_usd,
    "points3d.bin": colmap.read_points_bin,  # known by their names, for .bin alone says nothing
    "points3d.txt": colmap.read_points_text,
}
ORGANISED = {".pcd", ".e57"}  # whose rows may be the pixels of a camera or scanner, some of them empty
NOTES = {".txt"}  # notes, poses and lists end so too: of a folder they are taken where nothing else can be read
RESULTS = re.compile(r"\.(labels|scores|mesh|boxes|embedding)\.[a-z]+$")  # beside a result.json, what s4tok wrote
# Which axis files of a format have up, as odds before their shape is measured; of other formats the general ones hold.
# glTF asks for y, surveyors' files have z, and those of modellers mostly y.
CONVENTIONS: Mapping[str, Mapping[Axis, float]] = {
    ".glb": {"x": 0.01, "y": 1.0, "z": 0.03},
    ".las": {"x": 0.01, "y": 0.01, "z": 1.0},
    ".laz": {"x": 0.01, "y": 0.01, "z": 1.0},
    ".obj": {"x": 0.1, "y": 1.0, "z": 0.5},
}
DOUBT = 0.05  # the odds of each other axis where a file itself says which is up
FRAME = 3  # goes up when the same file gives another cloud, so that caches notice


class OwnFiles(FileDataset):
    """Own files. A mesh gives points drawn from its surface; a .ply that is a dense scan gives its vertices.

    Clouds are in the frame of own clouds, +y up, whatever the files have; `guess` says what a file was taken for.
    """

    splits = ("all",)
    scene: Scene = "object"
    up = UP
    said = Said()  # by the user, of all of them

    def __init__(self, name: str, layout: FolderLayout, split: str) -> None:
        super().__init__(_cache_name(name, layout), layout, split)
        self.guesses: dict[str, Guess] = {}  # of the files that were read; whoever knows better may change one

    @classmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Take any folder that holds a file of a known format, at any depth."""
        return FolderLayout("files", folder) if _walk(folder)[0] else None

    def listed(self, split: str) -> dict[str, str]:
        """List the files that were named, or all of a known format.

        Results of s4tok are passed over where there is anything else, and so are .txt.
        """
        if self.layout.files:
            return {legible(name): name for name in self.layout.files}
        found, links = _walk(self.layout.root)
        inputs = [name for name in found if not _is_result(self.layout.root / name)] or found
        taken = [name for name in inputs if _format(name) not in NOTES] or inputs
        left = (
            (set(found) - set(inputs), "files", "which s4tok has written"),
            (set(inputs) - set(taken), ".txt files", "since files of other formats are there"),
            (set(links), "links to folders", "since links may lead in a circle"),
        )
        self.remarks = tuple(_passed_over(*each) for each in left if each[0])
        return {legible(name): name for name in taken}

    def __getitem__(self, key: str) -> PointCloud:
        """Read a cloud, or draw one from a mesh."""
        cloud, up = self._as_it_comes(key)
        return placed(cloud, self._guess(key, cloud, up).placement)

    def guess(self, key: str) -> Guess:
        """Say what a file is taken for."""
        return self.guesses.get(key) or self._guess(key, *self._as_it_comes(key))

    def origin(self, key: str) -> Origin:
        """Say where a file lies, in letters that can be written; taken for something else, it is another cloud."""
        origin = super().origin(key)
        try:
            taken = f"{self.guess(key).placement}, frame {FRAME}"
            return replace(origin, path=f"{key}: {taken}", identity=taken)
        except InputError:
            return replace(origin, path=key)  # what is wrong with it is told when it is read

    def oddities(self) -> Iterator[Finding]:
        """Say what of the folder is passed over."""
        return (Finding("note", str(self.layout.root), None, remark) for remark in self.remarks)

    def present(self, key: str) -> Bool[Array, " r"] | None:
        """Tell which rows of an organised cloud, a scan or of Gaussian splats are points."""
        may_have_holes = _format(key) in ORGANISED or (_format(key) == ".ply" and ply.holds_gaussians(self.path(key)))
        return self._contents(key).present if may_have_holes else None

    def mesh(self, key: str) -> Mesh | None:
        """Read the mesh of a file that has one."""
        contents = self._contents(key)
        return None if contents.faces is None or not len(contents.faces) else _mesh(contents, key, self.path(key))

    def _guess(self, key: str, cloud: PointCloud, up: Axis | None) -> Guess:
        if key not in self.guesses:
            stated: Mapping[Axis, float] = {axis: 1.0 if axis == up else DOUBT for axis in AXES}
            self.guesses[key] = guessed(cloud, self.said, stated if up else CONVENTIONS.get(_format(key)))
        return self.guesses[key]

    def _as_it_comes(self, key: str) -> tuple[PointCloud, Axis | None]:
        """Read a cloud, and which axis its file says is up."""
        contents = self._contents(key)
        if _is_surface(contents, key):
            mesh = _mesh(contents, key, self.path(key))
            return sample_surface(mesh, key, self.path(key), draw=f"{len(mesh.faces)} faces"), contents.up
        return contents.cloud(self.path(key), key), contents.up

    def _contents(self, key: str) -> Contents:
        try:
            return FORMATS[_format(key)](self.path(key))
        except MissingError as error:  # other formats can be read without that package
            raise DamagedFile(self.path(key), f"{error} {error.hint}") from error


def layout_of(paths: list[Path]) -> FolderLayout:
    """Make a dataset of files by name; their keys are their paths below the folder they share."""
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file.", "name files, or one folder.")
        if _format(path.name) not in FORMATS:
            hint = did_you_mean(_format(path.name), list(FORMATS)) or f"known formats: {', '.join(FORMATS)}."
            raise InputError(f"{path} is in no format that can be read.", hint)
    absolute = sorted({from_root(path) for path in paths})
    root = Path(os.path.commonpath([path.parent for path in absolute]))
    return FolderLayout("files", root, tuple(path.relative_to(root).as_posix() for path in absolute))


def _walk(folder: Path) -> tuple[list[str], list[str]]:
    """Find the files of known formats at any depth, and the links to folders, which are not followed."""
    found, links = [], []
    for directory, folders, files in os.walk(folder):  # follows no links, so it ends
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        place = Path(directory).relative_to(folder)
        names = [name for name in files if _format(name) in FORMATS and not name.startswith(".")]
        links += [(place / name).as_posix() for name in folders if (Path(directory) / name).is_symlink()]
        found += [(place / name).as_posix() for name in names if _is_file_or_gone(Path(directory) / name)]
    return found, links


def _is_result(path: Path) -> bool:
    """Tell what s4tok has written, so that a folder with its results gives the same clouds again."""
    return RESULTS.search(path.name) is not None and (path.parent / "result.json").is_file()


def _passed_over(names: set[str], kind: str, why: str) -> str:
    left, them = (f"{len(names)} {kind} are", "them") if len(names) > 1 else (f"{legible(min(names))} is", "it")
    return f"{left} passed over, {why}; name {them} to have {them} read."


def _is_file_or_gone(path: Path) -> bool:
    """Leave out pipes and devices, which may have no end; a link to what is not there is told when it is read."""
    return path.is_file() or not path.exists()


def _format(name: str) -> str:
    """Give a file's format: by its whole name where that is one, else by how it ends."""
    whole = Path(name).name.lower()
    return whole if whole in FORMATS else Path(name).suffix.lower()


def _is_surface(contents: Contents, key: str) -> bool:
    if contents.faces is None or not len(contents.faces):
        return False
    return _format(key) != ".ply" or len(contents.points) < SURFACE_POINTS


def _mesh(contents: Contents, key: str, path: Path) -> Mesh:
    if contents.faces is None:
        raise DamagedFile(path, "has no faces")
    vertices = contents.cloud(path, key)  # validates what the vertices carry
    labels = contents.face_labels
    if labels is None and vertices.labels is not None:  # of a face, where its corners agree
        corners = vertices.labels[contents.faces]
        labels = np.where((corners == corners[:, :1]).all(axis=1), corners[:, 0], -1)
    return Mesh(contents.points.astype(np.float64), contents.faces, vertices.color, labels)


def _cache_name(name: str, layout: FolderLayout) -> str:
    """Tell own files apart in one cache: a name to read, and a digest of where they are."""
    root = from_root(layout.root)
    stem = Path(layout.files[0]).stem if len(layout.files) == 1 else root.name
    words = re.sub(r"[^A-Za-z0-9_.]+", "-", stem).strip("-.") or name
    where = "\n".join([str(root), *layout.files])
    return f"{words}-{blake2b(os.fsencode(where), digest_size=4).hexdigest()}"
