"""Choose how objects are cut into superpoints: `python examples/trials/superpoints.py > superpoints.md`.

Cuts objects of the toy world's validation split with every combination of regularisation, smoothness and smallest
share, at two densities, and measures them as `superpoint_quality.py` does: what an oracle of superpoint labels
reaches, purity and boundary recall. More superpoints score higher on all of them, so rows are sorted by number; an
object should have 20 to 60, since a sample of 1,024 points is grouped into 32 to 64 tokens that stay inside
superpoints. `--skip 45` repeats a choice on objects that it was not made on.

Prints Markdown tables; says on stderr how long it will take, about. The same numbers on every run.
"""

import argparse
import sys
import time
from dataclasses import replace
from itertools import product

from superpoint_quality import BY_CUT_PURSUIT, EARLIER, HEADER, measured

from s4tok.config import SuperpointConfig
from s4tok.synthetic.datasets import ToyShapes

SOLVE, MERGE = 3.5e-5, 5e-6  # seconds a point, of one core of a 2-core x86-64 VM
REGULARIZATION = [0.05, 0.1, 0.15, 0.2, 0.3]
SMOOTHNESS = [0.0, 0.2, 0.4]
SMALLEST_SHARE = [0.002, 0.004, 0.006, 0.008]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clouds", type=int, default=45, metavar="N", help="objects; 15 categories in turn")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="leave the first N objects out")
    parser.add_argument("--points", type=int, nargs="+", default=[8192, 2048], metavar="N", help="points of an object")
    parser.add_argument("--regularization", type=float, nargs="+", default=REGULARIZATION, metavar="X")
    parser.add_argument("--smoothness", type=float, nargs="+", default=SMOOTHNESS, metavar="X")
    parser.add_argument("--smallest-share", type=float, nargs="+", default=SMALLEST_SHARE, metavar="X")
    parser.add_argument("--quick", action="store_true", help="15 objects and the middle of each list")
    chosen = parser.parse_args()
    ways = [chosen.regularization, chosen.smoothness, chosen.smallest_share]
    if chosen.quick:
        chosen.clouds, ways = min(chosen.clouds, 15), [way[len(way) // 2 :][:1] for way in ways]
    configs = {"s4tok": BY_CUT_PURSUIT, "s4tok, earlier default": EARLIER}
    configs["printed form"] = SuperpointConfig.of("object", "paper")
    for price, smooth, share in product(*ways):
        one = replace(BY_CUT_PURSUIT, regularization=price, smoothness=smooth, smallest_share=share)
        configs[f"{price:g}, {smooth:g}, {share:g}"] = one
    seconds = (SOLVE * (len(ways[0]) + 2) + MERGE * len(configs)) * chosen.clouds * sum(chosen.points)
    print(f"{len(configs)} ways to cut {chosen.clouds} objects, about {seconds / 60:.1f} min", file=sys.stderr)
    began = time.monotonic()
    for points in chosen.points:
        shapes = ToyShapes("val", points=points)
        shapes.keys = shapes.keys[chosen.skip :][: chosen.clouds]
        rows = dict(zip(configs, measured(shapes, list(configs.values())), strict=True))
        print(f"\n{points} points, {len(shapes)} objects; regularisation, smoothness, smallest share\n\n{HEADER}")
        for name, row in sorted(rows.items(), key=lambda item: item[1].number):
            print(row.markdown(name), flush=True)
    print(f"took {(time.monotonic() - began) / 60:.1f} min", file=sys.stderr)


if __name__ == "__main__":
    main()
