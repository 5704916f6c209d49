"""Compare virtual frames with recorded ones: `python examples/own_clouds/compare_views.py --split val --limit 3`.

Toy rooms are labelled by the 2D features of a CLIP, without training: once by every 20th frame of their films, once by
frames of virtual cameras that are given the points alone. Prints both mIoUs, and the second as a share of the first.
"""

import argparse
from pathlib import Path

from s4tok.config import VirtualConfig, VisionConfig
from s4tok.datasets.open import open_dataset
from s4tok.zero_shot.point_figures import SceneFigures
from s4tok_pipelines.inputs.models import ModelNames
from s4tok_pipelines.stages.by_name import segment_by_name
from s4tok_pipelines.stages.extract_features import extract_features


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=["toy-scans", "toy-rooms"], metavar="NAME")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, default=None, metavar="N", help="rooms of each dataset")
    parser.add_argument("--clip", default="mini")
    parser.add_argument("--out", type=Path, default=Path("views"), help="folder of the caches")
    chosen = parser.parse_args()
    print(f"{chosen.split}, mIoU by 2D features of {chosen.clip}\n")
    print("| rooms | | recorded | virtual | share |\n|---|---|---|---|---|")
    for name in chosen.datasets:
        clouds = open_dataset(name, split=chosen.split, limit=chosen.limit)
        found = []
        for kind, virtual in {"recorded": None, "virtual": VirtualConfig()}.items():
            cache = chosen.out / kind
            extract_features(clouds, cache, VisionConfig(chosen.clip), virtual=virtual, auto=True)
            figures = segment_by_name(clouds, cache, ModelNames(clip=chosen.clip, vision_only=True)).figures
            assert isinstance(figures, SceneFigures)
            found.append(figures.scores.miou)
        recorded, virtual_miou = found
        cells = f"{recorded:.3f} | {virtual_miou:.3f} | {virtual_miou / recorded:.0%}"
        print(f"| {name} | {len(clouds)} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
