"""From points to labels, a class and features: `python examples/labels_from_python.py`."""

import numpy as np

import s4tok
from s4tok.datasets.open import open_dataset


def main() -> None:
    shapes = open_dataset("toy-shapes", split="test", limit=2)
    clouds = [shapes[key].original_xyz() for key in shapes.keys]  # arrays (n, 3), as you would have them

    checkpoint = s4tok.load()  # loaded once; a run folder of yours in its place
    for kind in s4tok.classify(clouds, ["airplane", "bed", "chair"], checkpoint, up=shapes.up):
        print(f"a cloud is classified as {kind.label}")

    found = s4tok.segment(clouds[0], ["wing", "body", "tail"], checkpoint, category="airplane", up=shapes.up)
    counts = np.bincount(found.labels, minlength=len(found.names))
    print(f"{len(found.labels)} points: " + ", ".join(map("{} {}".format, found.names, counts)))
    found.save("airplane.ply")

    embedded = s4tok.embed(clouds[0], checkpoint, up=shapes.up)
    print(f"{embedded.tokens.shape[0]} tokens, features of {embedded.points.shape[1]} numbers a point")


if __name__ == "__main__":
    main()
