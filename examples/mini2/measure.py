"""Measure a CLIP on sh3d's models, drawn from ten directions: top 1 and top 5 of the classes, and rank among all names.

Choices are made on val; test is measured once, when there is nothing left to choose.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from picture_book import left_out
from torch import Tensor

from s4tok.config import ViewConfig, VisionConfig
from s4tok.datasets.sh3d import SH3D
from s4tok.datasets.sh3d.words import read_words
from s4tok.errors import MissingError
from s4tok.rendering.object_views import object_views
from s4tok.shapes import Float
from s4tok.vision.known_words import plain
from s4tok.vision.table import load_vision_model
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.classifier import classifier
from s4tok.zero_shot.prompts import load_prompts


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print one object."""
    parser = asking(__doc__)
    parser.add_argument("--prompts", default="mini2", help="the set of prompts")
    parser.add_argument("--image", choices=("depth", "shaded"), default="depth")
    chosen = parser.parse_args(arguments)
    clip, models = load_vision_model(VisionConfig(chosen.clip)), opened(chosen.sh3d, chosen.split)
    found = {key: feature_of(models, key, clip, chosen.image) for key in models.keys[: chosen.limit]}
    rare = left_out(chosen.leave_out, chosen.seed)
    print(json.dumps(figures(models, found, clip, chosen.prompts, rare), indent=2))


def asking(about: str | None) -> argparse.ArgumentParser:
    """Take which CLIP is asked, and about which models."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--clip", required=True, help="a folder in open_clip's form, or a name")
    parser.add_argument("--sh3d", type=Path, required=True, help="folder of the furniture libraries")
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--leave-out", type=int, default=0, help="as it was trained: these classes are told apart")
    parser.add_argument("--seed", type=int, default=0, help="as above")
    parser.add_argument("--limit", type=int, help="take the first models only")
    return parser


def opened(folder: Path, split: str) -> SH3D:
    """Open a split of the furniture libraries."""
    layout = SH3D.recognises(folder)
    if layout is None:
        raise MissingError(f"{folder} has no furniture libraries.", "s4tok data fetch sh3d")
    return SH3D("sh3d", layout, split)


def feature_of(models: SH3D, key: str, clip: VisionModel, image: Literal["depth", "shaded"]) -> Float[Tensor, " d"]:
    """Give the mean feature of ten views, each of unit length."""
    return looks(models, key, clip, image).mean(0)


def looks(models: SH3D, key: str, clip: VisionModel, image: Literal["depth", "shaded"]) -> Float[Tensor, "v d"]:
    """Give the feature of each of ten views, of unit length."""
    seen = object_views(models[key], models.up, ViewConfig(image=image, size=224), mesh=models.mesh(key))
    images = torch.from_numpy(seen.images.astype(np.float32)).permute(0, 3, 1, 2)
    return clip.whole(images)


def figures(
    models: SH3D, found: Mapping[str, Float[Tensor, " d"]], clip: VisionModel, prompts: str, rare: tuple[str, ...]
) -> dict[str, float]:
    """Count how often the right class is first and among five, and where the right name comes among all."""
    said, kinds = load_prompts(prompts), list(SH3D.categories)
    classes = classifier(clip, [said.of_object(kind) for kind in kinds])
    words = read_words()
    names = sorted({plain(words[key].name) for key in words})
    every = classifier(clip, [said.of_object(name) for name in names])
    ranks, rare_right, places = list[int](), list[bool](), list[int]()
    for key, feature in found.items():
        order = (every @ feature).argsort(descending=True).tolist()
        places.append(order.index(names.index(plain(words[key].name))) + 1)
        if (kind := models.category(key)) is None:
            continue
        order = (classes @ feature).argsort(descending=True).tolist()
        ranks.append(order.index(kind) + 1)
        if kinds[kind] in rare:
            rare_right.append(next(each for each in order if kinds[each] in rare) == kind)
    told = {
        "models": len(ranks), "top1": float(np.mean([rank == 1 for rank in ranks])),
        "top5": float(np.mean([rank <= 5 for rank in ranks])),
        "chance": 1 / len(kinds), "names": len(names), "median_rank_of_name": float(np.median(places)),
    }  # fmt: skip
    if rare_right:
        told |= {
            "left_out": len(rare_right),
            "left_out_top1": float(np.mean(rare_right)),
            "left_out_chance": 1 / len(rare),
        }
    return told


if __name__ == "__main__":
    main()
