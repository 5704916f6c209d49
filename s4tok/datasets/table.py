"""The table of the datasets. A new one is a module and a row here.

The module holds a class as `s4tok/datasets/reader.py` describes it. Importing the table imports none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.reader import FolderLayout
from s4tok.errors import choose
from s4tok.plugins import Table


@dataclass(frozen=True)
class DatasetRow:
    """A dataset by the name users type."""

    reader: str  # "s4tok.datasets.module:Class", relative to s4tok.datasets
    says: str  # what it is, for people
    source: str = ""  # where to get it, or nothing for one that is made
    suffixes: tuple[str, ...] = ()  # of files that hold it whole
    package: str = ""  # of Debian, that holds it
    furnished_from: str = ""  # the dataset whose models a made one is furnished with, where they are there
    asked: bool = False  # any folder may be one: only who names it gets it

    @property
    def made(self) -> bool:
        """Tell whether its clouds are made as they are asked for, from no files."""
        return not self.source

    def load(self) -> Any:
        """Import the class that reads or makes it."""
        module, _, name = self.reader.partition(":")
        return getattr(import_module(module), name)

    def recognises(self, folder: Path) -> FolderLayout | None:
        """Find this dataset in a folder, or in a file that holds it whole."""
        layout: FolderLayout | None = None if self.made else self.load().recognises(folder)
        return layout


SCANOBJECTNN = "the form at https://hkust-vgd.github.io/scanobjectnn (h5_files.zip)"

SUNRGBD = "https://rgbd.cs.princeton.edu (SUNRGBD.zip and the metadata), or what VoteNet's sunrgbd/ prepares of it"

SH3D = "Debian's package sweethome3d-furniture 1.8-1: `s4tok data fetch sh3d`"
SH3D_FILES = (".deb", ".sh3f", ".zip")

SCENEZOO: Mapping[str, str] = {
    "3rscan": "3RScan",
    "arkitscenes": "ARKitScenes",
    "ase": "Aria Synthetic Environments",
    "matterport3d": "Matterport3D",
    "multiscan": "MultiScan",
    "scannetppv2": "ScanNet++ v2",
    "scenenn": "SceneNN",
}

OWN_FILES = "own-files"  # last in the table: what no other row knows

DATASETS: Mapping[str, DatasetRow] = Table(
    "s4tok.datasets",
    {
        "shapenet55": DatasetRow(
            "s4tok.datasets.shapenet55:ShapeNet55",
            "52,470 objects of 55 categories, in Point-BERT's form",
            "Point-BERT's DATASET.md: the points (shapenet_pc) and the lists (ShapeNet-55) are two downloads",
        ),
        "shapenetpart": DatasetRow(
            "s4tok.datasets.shapenetpart:ShapeNetPart",
            "16,881 objects of 16 categories with 50 parts",
            "shapenetcore_partanno_segmentation_benchmark_v0_normal.zip or shapenet_part_seg_hdf5_data.zip",
        ),
        "modelnet40": DatasetRow(
            "s4tok.datasets.modelnet40:ModelNet40",
            "12,311 objects of 40 categories",
            "modelnet40_normal_resampled.zip, modelnet40_ply_hdf5_2048.zip, Point-BERT's .dat or ModelNet40.zip (.off)",
        ),
        "scanobjectnn": DatasetRow(
            "s4tok.datasets.scanobjectnn:ScanObjectNN", "scanned objects of 15 categories, PB-T50-RS", SCANOBJECTNN
        ),
        "scanobjectnn-obj-bg": DatasetRow(
            "s4tok.datasets.scanobjectnn:ObjBg", "scanned objects with their background", SCANOBJECTNN
        ),
        "scanobjectnn-obj-only": DatasetRow(
            "s4tok.datasets.scanobjectnn:ObjOnly", "scanned objects without background", SCANOBJECTNN
        ),
        "scannet": DatasetRow(
            "s4tok.datasets.scannet:ScanNet",
            "1,613 scans of rooms with posed RGB-D frames, 20 classes",
            "the form at https://github.com/ScanNet/ScanNet; split lists and label table are in its repository",
        ),
        "sunrgbd-v1": DatasetRow(
            "s4tok.datasets.sunrgbd:SunRgbdV1", "10,335 RGB-D images of rooms, boxes of 10 classes, version 1", SUNRGBD
        ),
        "sunrgbd-v2": DatasetRow(
            "s4tok.datasets.sunrgbd:SunRgbdV2", "the same images, version 2 of the boxes", SUNRGBD
        ),
        "s3dis": DatasetRow(
            "s4tok.datasets.s3dis:S3DIS",
            "271 rooms of six areas, 13 classes",
            "Stanford3dDataset_v1.2_Aligned_Version.zip, or stanford_indoor3d or Pointcept's arrays made from it",
        ),
        "sh3d": DatasetRow(
            "s4tok.datasets.sh3d:SH3D",
            "820 named models of real things at their size, 64 classes",
            SH3D,
            SH3D_FILES,
            "sweethome3d-furniture",
        ),
        "sh3d-parts": DatasetRow("s4tok.datasets.sh3d:SH3DParts", "those of sh3d with named parts", SH3D, SH3D_FILES),
        "toy-shapes": DatasetRow(
            "s4tok.synthetic.datasets:ToyShapes",
            "made objects of 15 categories with named parts, +y up, in the unit sphere",
        ),
        "toy-scans": DatasetRow(
            "s4tok.synthetic.datasets:ToyScans",
            "made scans of furnished homes with posed images, ScanNet's class names, z up",
        ),
        "toy-rooms": DatasetRow(
            "s4tok.synthetic.datasets:ToyRooms",
            "made rooms of an office building with ceilings, S3DIS's 13 classes, z up",
        ),
        "home-scans": DatasetRow(
            "s4tok.synthetic.home_datasets:HomeScans",
            "made scans of homes furnished with sh3d's models, ScanNet's 20 classes, posed images, z up",
            furnished_from="sh3d",
        ),
        "home-rooms": DatasetRow(
            "s4tok.synthetic.home_datasets:HomeRooms",
            "made rooms of an office building furnished with sh3d's models, S3DIS's 13 classes, z up",
            furnished_from="sh3d",
        ),
        **{
            f"scenezoo-{name}": DatasetRow(
                "s4tok.datasets.scenezoo:SceneZoo",
                f"{says}, read by scenezoo (the extra `scenezoo`), ScanNet's 20 classes",
                "where https://scenezoo.readthedocs.io says",
                asked=True,
            )
            for name, says in SCENEZOO.items()
        },
        OWN_FILES: DatasetRow("s4tok.datasets.own_files:OwnFiles", "your own files: points or meshes", "your own disk"),
    },
)


def make(name: str, layout: FolderLayout | None, split: str | None) -> CloudDataset:
    """Open a dataset by its row, from the layout found or, where it is made, from nothing or from its furniture's."""
    row = choose("dataset", name, DATASETS)
    reader = row.load()
    split = split or reader.splits[0]
    dataset: CloudDataset
    if row.furnished_from:
        dataset = reader(split=split, furniture=layout)
    else:
        dataset = reader(split=split) if row.made else reader(name, layout, split)
    return dataset


def recognise(folder: Path) -> dict[str, FolderLayout]:
    """Find every dataset that a folder is, by name; of the variants of one dataset, the one that leads the table.

    A folder of loose files is taken as such only where it is nothing else.
    """
    found: dict[str, FolderLayout] = {}
    readers: list[type] = []
    for name in sorted(DATASETS, key=lambda name: name == OWN_FILES):  # own files last, after rows of plugins too
        row = DATASETS[name]
        layout = None if row.asked or (name == OWN_FILES and found) else row.recognises(folder)
        if layout and not issubclass(row.load(), tuple(readers)):
            found[name] = layout
            readers.append(row.load())
    return found
