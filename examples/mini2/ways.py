"""Ask a CLIP for sh3d's classes in other ways than measure.py does: other sentences, calibration, each view a vote.

Choices are made on val; test is measured for the report alone. Calibration subtracts a share of each class's mean
cosine over the models of the split train, whose classes are not used.
"""

from collections.abc import Mapping

import numpy as np
import torch
from measure import asking, looks, opened
from picture_book import left_out
from torch import Tensor
from torch.nn import functional

from s4tok.config import VisionConfig
from s4tok.datasets.sh3d import SH3D
from s4tok.datasets.sh3d.words import read_kinds
from s4tok.shapes import Float
from s4tok.vision.table import load_vision_model
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.classifier import classifier
from s4tok.zero_shot.prompts import load_prompts

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def main(arguments: list[str] | None = None) -> None:
    """Look at the models once, ask in each way, and print a table."""
    chosen = asking(__doc__).parse_args(arguments)
    clip, models = load_vision_model(VisionConfig(chosen.clip)), opened(chosen.sh3d, chosen.split)
    kinds = {key: kind for key in models.keys if (kind := models.category(key)) is not None}
    keys = list(kinds)[: chosen.limit]
    seen = torch.stack([looks(models, key, clip, "depth") for key in keys])
    others = opened(chosen.sh3d, "train")
    mean = torch.stack([looks(others, key, clip, "depth").mean(0) for key in others.keys[: chosen.limit]])
    mean = functional.normalize(mean, dim=1).mean(0)
    truth = torch.tensor([kinds[key] for key in keys])
    rare = [SH3D.categories.index(name) for name in left_out(chosen.leave_out, chosen.seed)]
    print("| way | first | among five | left out |\n|---|---:|---:|---:|")
    for way, scores in ways(clip, seen, mean).items():
        print(f"| {way} | {' | '.join(f'{figure:.3f}' for figure in figures(scores, truth, rare))} |")


def ways(
    clip: VisionModel, seen: Float[Tensor, "m v d"], mean: Float[Tensor, " d"]
) -> Mapping[str, Float[Tensor, "m c"]]:
    """Score every model by every class in each way."""
    said, whole, scores = load_prompts("mini2"), functional.normalize(seen.mean(1), dim=1), dict[str, Tensor]()
    sentences = {
        "bare names": [[name] for name in SH3D.categories],
        "prompts": [said.of_object(name) for name in SH3D.categories],
        "and other words": [
            [sentence for word in (name, *read_kinds()[name]) for sentence in said.of_object(word)]
            for name in SH3D.categories
        ],
    }
    for name, of_class in sentences.items():
        classes = classifier(clip, of_class)
        for share in SHARES:
            label = name + (f", {share} of the means" if share else "")
            scores[label] = whole @ classes.T - share * (classes @ mean)
    likely = (30 * seen @ classifier(clip, sentences["prompts"]).T).softmax(2)
    return scores | {"prompts, each view votes": likely.mean(1)}


def figures(scores: Float[Tensor, "m c"], truth: Tensor, rare: list[int]) -> tuple[float, float, float]:
    """Say how often the true class is first, among five, and first of those left out where it is one of them."""
    order = scores.argsort(dim=1, descending=True)
    places = (order == truth[:, None]).int().argmax(1).numpy()
    apart = np.isin(truth.numpy(), rare)
    among = scores[:, rare].argmax(1).numpy() if rare else np.empty(0)
    right = np.array(rare)[among[apart]] == truth.numpy()[apart] if rare else np.empty(0)
    return float((places == 0).mean()), float((places < 5).mean()), float(right.mean()) if len(right) else float("nan")


if __name__ == "__main__":
    main()
