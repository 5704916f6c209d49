"""Compare virtual frames with recorded ones: `python examples/own_clouds/compare_views.py --split val --limit 3`.

Toy rooms are labelled by the 2D features of a CLIP, without training: once by every 20th frame of their films, and by
frames of virtual cameras, which are given the mesh of a scan or the points of a room. Prints the mIoUs, and those of
virtual frames as a share of the recorded ones'. `--ways all` tries other cameras than those that ship.
"""

import argparse
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import numpy as np

from s4tok.config import Scene, VirtualConfig, VisionConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.open import open_dataset
from s4tok.geometry.rays import looking
from s4tok.geometry.sampling import farthest_points
from s4tok.rendering.virtual_cameras import Camera, virtual_cameras
from s4tok.shapes import Array, Float
from s4tok.zero_shot.point_figures import SceneFigures
from s4tok_pipelines.inputs.models import ModelNames
from s4tok_pipelines.stages.by_name import segment_by_name
from s4tok_pipelines.stages.extract_features import extract_features

TARGETS, AWAY = 40, 0.5  # points that are looked at, and how far away a camera stands at least, in heights of the room
LOOKING = VirtualConfig(places=8, around=1, pitches=(0.0,))  # of its cameras the places alone are kept
WAYS = {
    "ships": VirtualConfig(),
    "one ring, 15 down, and six from above": VirtualConfig(pitches=(15.0,), above=6),
    "one ring, 15 down": VirtualConfig(pitches=(15.0,)),
    "rings 15 down and 30 up": VirtualConfig(pitches=(15.0, -30.0)),
    "rings 25 down and 15 up": VirtualConfig(pitches=(25.0, -15.0)),
    "looking at 40 points from eight places": LOOKING,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=["toy-scans", "toy-rooms"], metavar="NAME")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, default=None, metavar="N", help="rooms of each dataset")
    parser.add_argument("--clip", default="mini")
    parser.add_argument("--ways", choices=["ships", "all"], default="ships", help="what ships, or all that was tried")
    parser.add_argument("--out", type=Path, default=Path("views"), help="folder of the caches")
    chosen = parser.parse_args()
    print(f"{chosen.split}, mIoU by 2D features of {chosen.clip}\n")
    print("| rooms | | cameras | mIoU | share |\n|---|---:|---|---:|---:|", flush=True)
    for name in chosen.datasets:
        clouds = open_dataset(name, split=chosen.split, limit=chosen.limit)
        recorded = _miou(clouds, chosen.clip, chosen.out / "recorded", None)
        print(f"| {name} | {len(clouds)} | recorded | {recorded:.3f} | |", flush=True)
        for way, config in WAYS.items():
            if chosen.ways in ("all", way):
                found = _miou(clouds, chosen.clip, chosen.out / way.replace(" ", "-"), config)
                print(f"| {name} | {len(clouds)} | {way} | {found:.3f} | {found / recorded:.0%} |", flush=True)


def _miou(clouds: CloudDataset, clip: str, cache: Path, config: VirtualConfig | None) -> float:
    """Measure labels by recorded frames, or by those of virtual cameras."""
    others = patch("s4tok.rendering.virtual_frames.virtual_cameras", _looking_at_points)
    with others if config is LOOKING else nullcontext():
        extract_features(clouds, cache, VisionConfig(clip), virtual=config, auto=True)
    figures = segment_by_name(clouds, cache, ModelNames(clip=clip, vision_only=True)).figures
    assert isinstance(figures, SceneFigures)
    return figures.scores.miou


def _looking_at_points(xyz: Float[Array, "n 3"], scene: Scene, config: VirtualConfig) -> list[Camera]:
    """Look at points that are spread over a room, each from the nearest place that is not too near."""
    eyes = np.unique([each.pose[:3, 3] for each in virtual_cameras(xyz, scene, config)], axis=0)
    height, cameras = float(np.ptp(xyz[:, 1])), []
    for target in xyz[farthest_points(xyz, TARGETS)]:
        away = np.linalg.norm(eyes - target, axis=1)
        far_enough = np.where(away > AWAY * height, away, np.inf)
        if np.isfinite(far_enough).any():
            eye = eyes[far_enough.argmin()]
            cameras.append(Camera(looking(eye, target, np.array([0.0, 1.0, 0.0])), np.inf))
    return cameras


if __name__ == "__main__":
    main()
