"""ShapeNet55 as Point-BERT publishes it: 52,470 objects of 55 categories, 8,192 points each, without labels."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from s4tok.clouds import PointCloud
from s4tok.datasets.folders import candidates, child, index_of, read_list
from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.npy import read_npy
from s4tok.datasets.reader import FileDataset, FolderLayout

LISTS_HINT = (
    "the lists are in Point-BERT's repository, data/ShapeNet55-34/ShapeNet-55; the points come apart from them."
)

# WordNet's offset and the name of each category, in the order of the offsets.
CATEGORIES = {
    "02691156": "airplane", "02747177": "trash bin", "02773838": "bag", "02801938": "basket", "02808440": "bathtub",
    "02818832": "bed", "02828884": "bench", "02843684": "birdhouse", "02871439": "bookshelf", "02876657": "bottle",
    "02880940": "bowl", "02924116": "bus", "02933112": "cabinet", "02942699": "camera", "02946921": "can",
    "02954340": "cap", "02958343": "car", "02992529": "cellphone", "03001627": "chair", "03046257": "clock",
    "03085013": "keyboard", "03207941": "dishwasher", "03211117": "display", "03261776": "earphone",
    "03325088": "faucet", "03337140": "file cabinet", "03467517": "guitar", "03513137": "helmet", "03593526": "jar",
    "03624134": "knife", "03636649": "lamp", "03642806": "laptop", "03691459": "loudspeaker", "03710193": "mailbox",
    "03759954": "microphone", "03761084": "microwaves", "03790512": "motorbike", "03797390": "mug",
    "03928116": "piano", "03938244": "pillow", "03948459": "pistol", "03991062": "flowerpot", "04004475": "printer",
    "04074963": "remote", "04090263": "rifle", "04099429": "rocket", "04225987": "skateboard", "04256520": "sofa",
    "04330267": "stove", "04379243": "table", "04401088": "telephone", "04460130": "tower", "04468005": "train",
    "04530566": "watercraft", "04554684": "washer",
}  # fmt: skip
INDEX = index_of(CATEGORIES)


class ShapeNet55(FileDataset):
    """Objects by synset and model, `02691156-1a04e3eab45ca15dd86060f189eb133`, +Y up, as large as they come."""

    splits = ("train", "test")
    official: ClassVar[Mapping[str, int]] = {"train": 41952, "test": 10518}
    scene = "object"
    up = "y"
    categories = tuple(CATEGORIES.values())

    @classmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Look for the folder of points, shapenet_pc."""
        for root in candidates(folder, "ShapeNet55-34", "ShapeNet55"):
            points = child(root, "shapenet_pc")
            if points is not None and points.is_dir():
                return FolderLayout("point-bert", root)
        return None

    def listed(self, split: str) -> dict[str, str]:
        """Read ShapeNet-55/train.txt or test.txt."""
        root = self.layout.root
        lists = child(root, "ShapeNet-55") or root / "ShapeNet-55"
        points = child(root, "shapenet_pc") or root / "shapenet_pc"
        names = read_list(lists, f"{split}.txt", LISTS_HINT)
        return {name.removesuffix(".npy"): f"{points.name}/{name.removesuffix('.npy')}.npy" for name in names}

    def __getitem__(self, key: str) -> PointCloud:
        """Read (8192, 3) points."""
        path = self.path(key)
        points = read_npy(path)
        if points.ndim != 2 or points.shape[1] != 3:
            raise DamagedFile(path, f"must be (8192, 3) points, and is {points.shape}")
        return Contents(points).cloud(path, key)

    def category(self, key: str) -> int | None:
        """Tell the category from the key; a synset that is none of the 55 has none."""
        return INDEX.get(key.partition("-")[0])
