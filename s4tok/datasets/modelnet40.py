"""ModelNet40 in its four published forms: resampled texts, HDF5, Point-BERT's pickle and the original meshes."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.datasets import batches
from s4tok.datasets.dataset import Mesh, Origin
from s4tok.datasets.folders import candidates, child, index_of, read_list
from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.off import read_off
from s4tok.datasets.formats.text import read_table
from s4tok.datasets.formats.unpickling import read_pickled_arrays
from s4tok.datasets.reader import FileDataset, FolderLayout
from s4tok.datasets.surface import sample_surface
from s4tok.shapes import Array

CLASSES = (
    "airplane", "bathtub", "bed", "bench", "bookshelf", "bottle", "bowl", "car", "chair", "cone", "cup", "curtain",
    "desk", "door", "dresser", "flower_pot", "glass_box", "guitar", "keyboard", "lamp", "laptop", "mantel", "monitor",
    "night_stand", "person", "piano", "plant", "radio", "range_hood", "sink", "sofa", "stairs", "stool", "table",
    "tent", "toilet", "tv_stand", "vase", "wardrobe", "xbox",
)  # fmt: skip
INDEX = index_of(CLASSES)
PICKLE = "modelnet40_{}_8192pts_fps.dat"
HDF5_LIST = "{}_files.txt"
TXT_LIST = "modelnet40_{}.txt"
FOLDERS = ("modelnet40_normal_resampled", "modelnet40_ply_hdf5_2048", "ModelNet40", "data")


class ModelNet40(FileDataset):
    """Objects by name, or by file and row. The meshes have z up, the three forms made of them y."""

    splits = ("train", "test")
    official: ClassVar[Mapping[str, int]] = {"train": 9843, "test": 2468}
    scene = "object"
    up: Literal["x", "y", "z"] = "y"
    categories = tuple(name.replace("_", " ") for name in CLASSES)

    def __init__(self, name: str, layout: FolderLayout, split: str) -> None:
        self.category_of: dict[str, int] = {}
        self.rows: dict[str, int] = {}  # of each file that holds several clouds
        super().__init__(name, layout, split)
        if layout.name == "off":
            self.up = "z"

    @classmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Look for what only one of the forms has."""
        for root in candidates(folder, *FOLDERS):
            if any(child(root, TXT_LIST.format(split)) for split in cls.splits) and any(
                (child(root, name) or root / name).is_dir() for name in CLASSES
            ):
                return FolderLayout("txt", root)
            if any(child(root, PICKLE.format(split)) for split in cls.splits):
                return FolderLayout("pickle", root)
            if any(root.glob("ply_data_train*.h5")) and not any(root.glob("ply_data_val*.h5")):
                return FolderLayout("hdf5", root)
            inner = (child(root, name) for name in CLASSES)
            if any(each is not None and (each / "train").is_dir() for each in inner):
                return FolderLayout("off", root)
        return None

    def listed(self, split: str) -> dict[str, str]:
        """List one split as the layout has it."""
        listing = {"txt": self._txt, "pickle": self._pickle, "hdf5": self._hdf5, "off": self._off}
        return listing[self.layout.name](split)

    def __getitem__(self, key: str) -> PointCloud:
        """Read a cloud, or draw one from a mesh."""
        path = self.path(key)
        match self.layout.name:
            case "txt":
                rows = read_table(path, columns=6).finite(path).rows
            case "pickle":
                rows = _unpickled(path, super().origin(key).mtime_ns).clouds[batches.row_of(key)]
            case "hdf5":
                [rows] = batches.read_rows(path, batches.row_of(key), "data")
            case _:
                return sample_surface(_read_mesh(path), key, path)
        normals = rows[:, 3:6] if rows.shape[1] == 6 else None
        return Contents(rows[:, :3], normals=normals).cloud(path, key)

    def category(self, key: str) -> int | None:
        """Tell the class from the name, or from what the file says of the row."""
        return self.category_of[key]

    def mesh(self, key: str) -> Mesh | None:
        """Read the mesh, in the one form that has it."""
        return _read_mesh(self.path(key)) if self.layout.name == "off" else None

    def origin(self, key: str) -> Origin:
        """Say which file, and where it holds several clouds, which row."""
        origin = super().origin(key)
        count = self.rows.get(self.files[key])
        return origin if count is None else batches.share(origin, key, count)

    def _txt(self, split: str) -> dict[str, str]:
        name = TXT_LIST.format(split)
        keys = read_list(self.layout.root, name, "it is part of modelnet40_normal_resampled.zip.")
        labels = {key: key.rpartition("_")[0] for key in keys}  # a class may have an underscore of its own
        folders = {label: child(self.layout.root, label) or Path(label) for label in set(labels.values())}
        for key, label in labels.items():
            if label.lower() not in INDEX:
                path = self.layout.root / name
                raise DamagedFile(path, f"lists {key!r}, and {label!r} is none of the 40 classes")
            self.category_of[key] = INDEX[label.lower()]
        return {key: f"{folders[label].name}/{key}.txt" for key, label in labels.items()}

    def _hdf5(self, split: str) -> dict[str, str]:
        # The lists name data/modelnet40_ply_hdf5_2048/..., a folder of whoever wrote them: only the last part counts.
        root = self.layout.root
        listed = HDF5_LIST.format(split)
        names = read_list(root, listed, "it is part of modelnet40_ply_hdf5_2048.zip.")
        files: dict[str, str] = {}
        for name in sorted(name.rpartition("/")[2] for name in names):
            path = child(root, name)
            if path is None:
                raise DamagedFile(root / name, f"is listed in {listed} and is not there", "get the .zip again.")
            self.rows[path.name] = batches.count_rows(path, "data", "label")
            keys = batches.row_keys(path, self.rows[path.name])
            files |= dict.fromkeys(keys, path.name)
            self.category_of |= zip(keys, batches.read_ids(path, "label", len(CLASSES)).tolist(), strict=True)
        return files

    def _pickle(self, split: str) -> dict[str, str]:
        path = child(self.layout.root, PICKLE.format(split))
        if path is None:
            raise DamagedFile(self.layout.root / PICKLE.format(split), "is not there", "get the file again.")
        labels = _unpickled(path, path.stat().st_mtime_ns).labels
        keys = batches.row_keys(Path(split), len(labels))
        self.rows[path.name] = len(keys)
        self.category_of |= zip(keys, labels, strict=True)
        return dict.fromkeys(keys, path.name)

    def _off(self, split: str) -> dict[str, str]:
        files = {}
        for label in CLASSES:
            folder = child(self.layout.root, label)
            if folder is None:
                raise DamagedFile(
                    self.layout.root / label, "the folder of this class is not there", "get the .zip again."
                )
            for path in sorted((folder / split).glob("*.off")):
                files[path.stem] = f"{folder.name}/{split}/{path.name}"
                self.category_of[path.stem] = INDEX[label]
        return files


class _Pickled(NamedTuple):
    clouds: list[Array]
    labels: list[int]


@lru_cache(maxsize=2)  # both splits; a file of 2 GB is read once a process
def _unpickled(path: Path, mtime_ns: int) -> _Pickled:
    content = read_pickled_arrays(path)
    if not isinstance(content, list) or len(content) != 2 or not all(isinstance(part, list) for part in content):
        raise DamagedFile(path, "must hold a list of clouds and a list of classes")
    clouds, labels = content
    if len(clouds) != len(labels):
        raise DamagedFile(path, f"holds {len(clouds)} clouds and {len(labels)} classes")
    for i, cloud in enumerate(clouds):
        if not isinstance(cloud, np.ndarray) or cloud.ndim != 2 or cloud.shape[1] not in (3, 6):
            shape = getattr(cloud, "shape", type(cloud).__name__)
            raise DamagedFile(path, f"cloud {i} must be (8192, 6), and is {shape}")
    ids = [int(np.asarray(label).reshape(-1)[0]) if np.size(label) == 1 else -1 for label in labels]
    broken = next((i for i, label in enumerate(ids) if not 0 <= label < len(CLASSES)), None)
    if broken is not None:
        raise DamagedFile(path, f"the class of cloud {broken} is none of the 40")
    return _Pickled(clouds, ids)


def _read_mesh(path: Path) -> Mesh:
    contents = read_off(path)
    if contents.faces is None or not len(contents.faces):
        raise DamagedFile(path, "has no faces")
    return Mesh(contents.points.astype(np.float64), contents.faces)
