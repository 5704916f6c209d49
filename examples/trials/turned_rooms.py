"""What it costs that a room lies askew: `python examples/trials/turned_rooms.py home-scans --limit 4`.

Rooms are turned about the vertical and given to `s4tok.segment` as a user's own, with the classes of their dataset: as
they are, turned, and turned without being turned back (`align=False`).
"""

import argparse
from pathlib import Path

import numpy as np

import s4tok
from s4tok.config import DATA_ROOT, DEFAULT_CHECKPOINT, SegmentConfig
from s4tok.datasets.open import open_dataset
from s4tok.geometry.walls import turned_about
from s4tok.metrics.labels import confusion, label_scores


def main() -> None:
    """Print a row for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, help="the first rooms alone")
    parser.add_argument("--data", type=Path, default=DATA_ROOT, help="the folder of what is not made")
    parser.add_argument("--checkpoint", default=DEFAULT_CHECKPOINT)
    parser.add_argument("--degrees", type=float, default=35.0)
    chosen = parser.parse_args()
    rooms = open_dataset(chosen.dataset, split=chosen.split, limit=chosen.limit, root=chosen.data)
    checkpoint, classes = s4tok.load(chosen.checkpoint), list(rooms.classes)
    print("| | mIoU | points right |\n|---|---:|---:|")
    ways = {
        "as they are": (0.0, True),
        "turned": (chosen.degrees, True),
        "turned, not aligned": (chosen.degrees, False),
    }
    for way, (degrees, align) in ways.items():
        counts = np.zeros((len(classes), len(classes) + 1), np.int64)
        for key in rooms.keys:
            room = rooms[key]
            assert room.labels is not None
            points = turned_about(room.original_xyz(), np.radians(degrees), rooms.up)
            found = s4tok.segment(
                points, classes, checkpoint, config=SegmentConfig(align=align), up=rooms.up, unit="m", scene="room"
            )
            counts += confusion(room.labels, np.asarray(found.labels), len(classes))
        scores = label_scores(counts)
        print(f"| {way} | {scores.miou:.3f} | {scores.accuracy:.3f} |", flush=True)


if __name__ == "__main__":
    main()
