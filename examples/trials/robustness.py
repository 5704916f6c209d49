"""How far a checkpoint bears what clouds of users are like: `python examples/trials/robustness.py --each 10`.

Clouds of objects that it was not trained on are scaled, stood on other axes, thinned, made noisy or cut, and given to
`s4tok.classify` (all names of the dataset) and `s4tok.segment` (the parts of their kind) as a user gives them: nothing
is said about axes, units or superpoints, and there are no colours or normals. Prints a table in Markdown; what is
measured is kept in OUT and passed over.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import s4tok
from s4tok.clouds import PointCloud
from s4tok.config import DEFAULT_CHECKPOINT
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.open import open_dataset
from s4tok.geometry.axes import upright
from s4tok.metrics.labels import part_counts, part_scores
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float64, Int

Points = Float64[Array, "n 3"]
Change = Callable[[Points, np.random.Generator], tuple[Points, Int[Array, " n"]]]  # points, and which they were


def main() -> None:
    """Measure what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="toy-shapes")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder of a dataset that is not made")
    parser.add_argument("--split", default="test")
    parser.add_argument("--checkpoint", default=DEFAULT_CHECKPOINT, help="name or run folder")
    parser.add_argument("--each", type=int, default=10, help="clouds of each kind")
    parser.add_argument("--only", nargs="+", choices=CHANGES, default=list(CHANGES), metavar="CHANGE")
    parser.add_argument("--out", type=Path, default=Path("runs/robustness"), help="folder of results")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    clouds = open_dataset(chosen.dataset, split=chosen.split, root=chosen.data)
    keys, checkpoint = some(clouds, chosen.each), s4tok.load(chosen.checkpoint, device="cpu")
    what = f"{chosen.dataset}, {chosen.split}"
    print(f"{len(keys)} clouds of {what}, {checkpoint.name}; chance 1/{len(clouds.categories)}")
    print("\n| | named | parts, mIoU_I |\n|---|---:|---:|")
    for name in chosen.only:
        words = (checkpoint.name, chosen.dataset, chosen.split, str(chosen.each), *name.split())
        file = chosen.out / f"{'-'.join(words)}.json"
        if not file.is_file():
            file.write_text(json.dumps(measure(clouds, keys, checkpoint, name)) + "\n", encoding="utf-8")
        found = json.loads(file.read_text(encoding="utf-8"))
        print(f"| {name} | {found['named']:.3f} | {found['parts']:.3f} |", flush=True)


def some(clouds: CloudDataset, each: int) -> list[str]:
    """Take the first clouds of every kind."""
    taken = dict[int, list[str]]()
    for key in clouds.keys:
        if (number := clouds.category(key)) is not None:
            taken.setdefault(number, []).append(key)
    return [key for number in sorted(taken) for key in taken[number][:each]]


def measure(clouds: CloudDataset, keys: list[str], checkpoint: s4tok.Checkpoint, name: str) -> dict[str, float]:
    """Change each cloud, and ask what it is and what its points are."""
    named, counts, kinds = list[bool](), [], []
    turn, words = upright(clouds.up), list(clouds.categories)
    for key in keys:
        cloud, kind = clouds[key], clouds.category(key)
        assert kind is not None
        rng = np.random.default_rng(seed_of(0, "robustness", name, key))
        points, kept = CHANGES[name](cloud.xyz.astype(np.float64) @ turn.T, rng)
        given = PointCloud.of(points)
        named.append(s4tok.classify(given, words, checkpoint).label == words[kind])
        parts = clouds.parts.get(clouds.categories[kind], ())
        if cloud.labels is not None and len(parts) > 1:
            truth = np.where(kept >= 0, cloud.labels[kept], -1)
            asked = [clouds.classes[part] for part in parts]
            answers = s4tok.segment(given, asked, checkpoint, category=words[kind]).labels
            counts.append(part_counts(truth, np.array([*parts, -1])[answers], len(clouds.classes)))
            kinds.append(kind)
        print(f"{name}: {len(named)} of {len(keys)}", end="\r", file=sys.stderr)
    members = [clouds.parts.get(kind, ()) for kind in clouds.categories]
    return {
        "named": float(np.mean(named)),
        "parts": part_scores(np.stack(counts), np.array(kinds), members).miou_i if counts else float("nan"),
    }


def as_it_is(points: Points, _: np.random.Generator) -> tuple[Points, Int[Array, " n"]]:
    return points, np.arange(len(points))


def scaled(factor: float) -> Change:
    return lambda points, _: (points * factor, np.arange(len(points)))


def stood(axes: str) -> Change:
    """Save a cloud whose y is up so that another axis is, or with -y, upside down."""
    turn = np.diag([1.0, -1.0, -1.0]) if axes == "-y" else upright(axes)
    return lambda points, _: (points @ turn, np.arange(len(points)))


def thinned(share: float) -> Change:
    def change(points: Points, rng: np.random.Generator) -> tuple[Points, Int[Array, " n"]]:
        kept = np.sort(rng.permutation(len(points))[: max(round(share * len(points)), 1)])
        return points[kept], kept

    return change


def outliers(share: float) -> Change:
    """Add points anywhere in the box around the cloud; what they are is not asked."""

    def change(points: Points, rng: np.random.Generator) -> tuple[Points, Int[Array, " n"]]:
        low, high = points.min(axis=0), points.max(axis=0)
        extra = rng.uniform(low, high, (round(share * len(points)), 3))
        return np.concatenate([points, extra]), np.append(np.arange(len(points)), np.full(len(extra), -1))

    return change


def noisy(share: float) -> Change:
    """Move points by Gaussian noise, a share of the longest side wide."""

    def change(points: Points, rng: np.random.Generator) -> tuple[Points, Int[Array, " n"]]:
        extent = np.ptp(points, axis=0).max()
        return points + share * extent * rng.standard_normal(points.shape), np.arange(len(points))

    return change


def cut(points: Points, rng: np.random.Generator) -> tuple[Points, Int[Array, " n"]]:
    """Keep the half that lies on one side of an upright plane, as a scan from one side has it."""
    angle = rng.uniform(0, 2 * np.pi)
    along = points @ np.array([np.cos(angle), 0.0, np.sin(angle)])
    kept = np.flatnonzero(along <= np.median(along))
    return points[kept], kept


CHANGES: Mapping[str, Change] = {
    "as it is": as_it_is,
    "1,000 times smaller": scaled(1e-3),
    "1,000 times larger": scaled(1e3),
    "z is up": stood("z"),
    "x is up": stood("x"),
    "upside down": stood("-y"),
    "half of the points": thinned(0.5),
    "a tenth of the points": thinned(0.1),
    "10 % outliers": outliers(0.1),
    "noise of 1 %": noisy(0.01),
    "noise of 2 %": noisy(0.02),
    "noise of 5 %": noisy(0.05),
    "cut in half": cut,
}

if __name__ == "__main__":
    main()
