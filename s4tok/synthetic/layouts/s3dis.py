"""Toy rooms as S3DIS publishes its rooms: a text a room and one of each thing in it."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from s4tok.synthetic.datasets import ToyRooms
from s4tok.synthetic.layouts.table import Sizes

FOLDER = "Stanford3dDataset_v1.2_Aligned_Version"
AREAS = {"train": (1, 2, 3, 4), "val": (6,), "test": (5,)}  # Area 5 is what everybody tests on
ROW = ("%.3f",) * 3 + ("%d",) * 3


def s3dis(out: Path, sizes: Sizes, seed: int) -> Iterator[str]:
    """Write x y z r g b in the building's coordinates."""
    counts: dict[int, int] = defaultdict(int)
    for split, areas in AREAS.items():
        dataset = ToyRooms(split, sizes=sizes, seed=seed)
        for number, key in enumerate(dataset.keys):
            area = areas[number % len(areas)]
            counts[area] += 1
            name = f"office_{counts[area]}"
            folder = out / FOLDER / f"Area_{area}" / name
            (folder / "Annotations").mkdir(parents=True)
            seen = dataset.capture(key)
            rows = np.column_stack([seen.xyz, seen.color])
            np.savetxt(folder / f"{name}.txt", rows, fmt=ROW)
            nth: dict[str, int] = defaultdict(int)
            for thing in np.unique(seen.things).tolist():
                of_thing = seen.things == thing
                kind = ToyRooms.classes[int(seen.classes[of_thing][0])]
                nth[kind] += 1
                np.savetxt(folder / "Annotations" / f"{kind}_{nth[kind]}.txt", rows[of_thing], fmt=ROW)
            yield key
    for area in counts:
        angles = "".join(f"office_{k + 1} 0\n" for k in range(counts[area]))
        (out / FOLDER / f"Area_{area}" / f"Area_{area}_alignmentAngle.txt").write_text(angles)
