"""Datasets that the package scenezoo reads, through its one interface: meshes or points, objects and posed frames."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.datasets.dataset import Frame, Mesh, Origin
from s4tok.datasets.reader import ALL, FileDataset, Finding, FolderLayout
from s4tok.datasets.scannet_labels import CLASSES
from s4tok.errors import InputError, MissingError, choose
from s4tok.shapes import Array, Int

PREFIX = "scenezoo-"  # of a dataset's name here, before its name there
PINHOLE = (None, "PINHOLE", "SIMPLE_PINHOLE")
ITEMS = ("rgb", "depth", "rgb_intrinsics", "depth_intrinsics", "world_to_camera")

Answer = TypeVar("Answer")


class SceneZoo(FileDataset):
    """Scenes with z up, as scenezoo turns them. Objects called as one of ScanNet's classes are have its label.

    Splits are scenezoo's, which may fetch lists of them that do not come with the dataset.
    """

    scene: Scene = "room"
    up: Literal["x", "y", "z"] = "z"
    classes = CLASSES
    splits: ClassVar[tuple[str, ...]] = (ALL,)

    def __init__(self, name: str, layout: FolderLayout, split: str) -> None:
        self.name, self.layout, self.split = name, layout, split
        self.files = self.listed(split)
        self.keys = tuple(sorted(self.files))

    def listed(self, split: str) -> dict[str, str]:
        """List the scenes of a split by their ids; which files they are in is scenezoo's own affair."""
        if split == ALL:
            found = self._asked(lambda zoo: list(zoo.get_ids()))
        else:
            every = self._asked(lambda zoo: zoo.splits)
            found = [key for part in split.split("+") for key in choose("split", part, every)]
        return {str(key): str(key) for key in found}

    def count_findings(self, *, partial: bool = False) -> Iterator[Finding]:
        """Find nothing: scenezoo has a check of its own."""
        return iter(())

    @classmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Take any folder: only who asks for one of these datasets by its name gets it."""
        return FolderLayout("scenezoo", folder) if folder.is_dir() else None

    def __getitem__(self, key: str) -> PointCloud:
        """Read a scene's vertices, or its points where it has no mesh."""
        mesh = self.mesh(key)
        if mesh is None:
            batch = self._asked(lambda zoo: zoo.get_points(key), key)
            points, color, normals, faces = batch.xyz, batch.rgb, batch.normals, np.zeros((0, 3), np.int64)
        else:
            points, color, normals, faces = mesh.vertices, mesh.color, None, mesh.faces
        ids, labels = self._annotated(key, len(points), faces)
        return PointCloud.of(points, name=key, color=color, normals=normals, labels=labels, instances=ids)

    def origin(self, key: str) -> Origin:
        """Say where a scene comes from, and by what it was read."""
        version = import_module("scenezoo").__version__
        return Origin(f"{key}, scenezoo {version}", 1, identity=f"scenezoo {version}")

    def mesh(self, key: str) -> Mesh | None:
        """Read a scene's mesh, where the dataset has meshes."""
        if not self._asked(lambda zoo: zoo.supports("mesh")):
            return None
        found = self._asked(lambda zoo: zoo.get_mesh(key), key)
        color = np.asarray(found.vertex_colors, np.float32) if found.has_vertex_colors() else None
        return Mesh(np.array(found.vertices, np.float64), np.array(found.triangles, np.int64), color)

    def frames(self, key: str, step: int = 1) -> Iterator[Frame]:
        """Read every `step`-th frame with a pose, one at a time."""
        if not self._asked(lambda zoo: zoo.supports("frames")):
            return
        posed = self._asked(lambda zoo: zoo.get_frames(key, step=step, items=("world_to_camera",)), key)
        for number in posed.indices.tolist():
            batch = self._asked(partial(_frame, key=key, number=number), key)
            if batch.camera_model not in PINHOLE or batch.depth_mode == "ray_distance":
                raise InputError(f"{key}: frames of a {batch.camera_model} camera cannot be read, only of a pinhole.")
            yield Frame(
                str(number),
                batch.rgb[0],
                batch.depth[0].astype(np.float32),
                batch.rgb_intrinsics[0][:3, :3].astype(np.float64),
                batch.depth_intrinsics[0][:3, :3].astype(np.float64),
                np.linalg.inv(batch.world_to_camera[0].astype(np.float64)),
            )

    def _annotated(
        self, key: str, n_points: int, faces: Int[Array, "f 3"]
    ) -> tuple[Int[Array, " n"] | None, Int[Array, " n"] | None]:
        """Read the object of each point, and its class; nothing where a scene has no annotation."""
        if not self._asked(lambda zoo: zoo.supports("segmentation")):
            return None, None
        try:
            found = self._asked(lambda zoo: zoo.get_segmentation(key), key)
        except InputError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None, None
            raise
        values = np.asarray(found.labels, np.int64).reshape(len(found.labels), -1)[:, 0]  # the first of several
        values = np.where(values == found.invalid_id, -1, values)
        ids = values
        if found.domain == "face":
            ids = np.full(n_points, -1)
            ids[faces[: len(values)].T] = values
        if len(ids) != n_points or (found.domain == "face" and len(values) != len(faces)):
            raise InputError(
                f"{key}: {len(values):,} labels of its {found.domain}s do not fit its {n_points:,} points."
            )
        names = {number: str(name).strip().lower() for number, name in found.id_to_name.items()}
        classes = {number: CLASSES.index(name) for number, name in names.items() if name in CLASSES}
        every, place = np.unique(ids, return_inverse=True)
        return ids, np.array([classes.get(number, -1) for number in every.tolist()])[place]

    def _asked(self, ask: Callable[[Any], Answer], key: str = "") -> Answer:
        """Ask scenezoo something, and translate what it raises."""
        zoo = _opened(self.name.removeprefix(PREFIX), self.layout.root)
        try:
            return ask(zoo)
        except Exception as error:  # its own errors, and those of whatever it reads by
            where = f"{self.layout.root}: {key}" if key else str(self.layout.root)
            reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise InputError(f"{where}: scenezoo cannot read it: {reason}.") from error


def _frame(zoo: Any, key: str, number: int) -> Any:
    return zoo.get_frames(key, indices=[number], items=ITEMS)


@lru_cache(maxsize=2)
def _opened(name: str, root: Path) -> Any:
    """Open a dataset of scenezoo's, once a process; it is not sent to others."""
    try:
        scenezoo = import_module("scenezoo")
    except ImportError as error:
        raise MissingError(
            "scenezoo, which reads this dataset, is not here.", 'pip install "s4tok[scenezoo]"'
        ) from error
    return scenezoo.get_dataset(name, root)
