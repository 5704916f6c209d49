"""The procedural world as datasets: nothing is read, every cloud is made when it is asked for.

A cloud depends on the world's seed and its own key alone: neither order nor workers nor the number of clouds asked
for changes a byte of it.
"""

from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import ClassVar

from s4tok.clouds import PointCloud
from s4tok.config import WorldConfig
from s4tok.datasets.dataset import CloudDataset, Mesh, Origin
from s4tok.datasets.reader import parts_of
from s4tok.worlds.categories import CATEGORIES
from s4tok.worlds.objects import make_object, sample_surface
from s4tok.worlds.randomness import Draw

VERSION = 1  # of the world; raise it whenever the same key gives another cloud, so that caches notice

NAMES = tuple(CATEGORIES)
STARTS = (0, *accumulate(len(row.all_parts) for row in CATEGORIES.values()))


class Toy(CloudDataset):
    """A made dataset: keys from sizes, origins from keys."""

    splits: ClassVar[tuple[str, ...]] = ("train", "val", "test")

    def __init__(self, sizes: tuple[int, int, int], split: str, seed: int) -> None:
        self.split, self.seed = split, seed
        counts = dict(zip(self.splits, sizes, strict=True))
        self.keys = tuple(
            sorted(self.key(part, number) for part in parts_of(split, self.splits) for number in range(counts[part]))
        )

    def key(self, split: str, number: int) -> str:
        """Name a cloud; names sort by split and number."""
        return f"{split}-{number:06d}"

    def origin(self, key: str) -> Origin:
        """Say which version of the world a cloud is made of, and how many points it has."""
        return Origin(f"{self.name}/version-{VERSION}/seed-{self.seed}/{key}", self.size)

    def draw(self, key: str) -> Draw:
        """Start the stream of decisions that makes one cloud."""
        return Draw(self.seed, self.name, key)

    @property
    def size(self) -> int:
        """Give the points of a cloud, or about that many."""
        raise NotImplementedError


class ToyShapes(Toy):
    """Objects of fifteen categories with named parts in the unit sphere, in turn, so that any first few are mixed."""

    name = "toy-shapes"
    scene = "object"
    up = "y"
    categories = NAMES
    classes = tuple(part for row in CATEGORIES.values() for part in row.all_parts)
    parts = MappingProxyType({name: range(*ids) for name, ids in zip(NAMES, pairwise(STARTS), strict=True)})

    def __init__(
        self,
        split: str = "train",
        *,
        sizes: tuple[int, int, int] = WorldConfig.shapes,
        points: int = WorldConfig.shape_points,
        seed: int = WorldConfig.seed,
    ) -> None:
        self.points = points
        super().__init__(sizes, split, seed)

    def key(self, split: str, number: int) -> str:
        """Name an object after its category too."""
        return f"{super().key(split, number)}-{NAMES[number % len(NAMES)]}"

    @property
    def size(self) -> int:
        """Give the points of a cloud."""
        return self.points

    def __getitem__(self, key: str) -> PointCloud:
        """Make an object and sample its surface."""
        mesh, draw = self._make(key)
        assert mesh.labels is not None
        sample = sample_surface(mesh.vertices, mesh.faces, self.points, draw)
        return PointCloud.of(sample.xyz, name=key, normals=sample.normals, labels=mesh.labels[sample.faces])

    def category(self, key: str) -> int:
        """Give the index of an object's category."""
        return NAMES.index(key.rpartition("-")[2])

    def mesh(self, key: str) -> Mesh:
        """Make an object; its faces are labelled with its parts."""
        return self._make(key)[0]

    def _make(self, key: str) -> tuple[Mesh, Draw]:
        draw, category = self.draw(key), self.category(key)
        thing = make_object(NAMES[category], draw).in_unit_sphere()
        return Mesh(thing.vertices, thing.faces, labels=thing.parts + STARTS[category]), draw
