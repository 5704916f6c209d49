"""Contact sheets of extract-clip: points in the colour of the prompt that fits their superpoint best."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from s4tok.datasets.dataset import CloudDataset
from s4tok.rendering.contact_sheets import colored_views, write_sheet
from s4tok.rendering.palette import colors_of_names, paint
from s4tok.shapes import Array, Int
from s4tok.vision.vision_model import VisionModel
from s4tok_cache import CacheReader
from s4tok_pipelines.report import Report

SHEETS = 16  # for people, who need no thousands
PICTURE = 224  # pixels


def write_sheets(
    folder: Path,
    clouds: CloudDataset,
    superpoints: CacheReader,
    features: CacheReader,
    model: VisionModel,
    prompts: Sequence[str],
    report: Report,
) -> None:
    """Write a sheet of each of the first clouds whose features are there; grey is what no view has seen."""
    keys = sorted(set(clouds.keys).intersection(features))[:SHEETS]
    for key in keys:
        names = list(prompts) or _names(clouds, key)
        if not names:
            report.warn("--preview colours points by the prompt that fits best, and there is none: pass --prompt.")
            return
        entry = features.read(key)
        scores = entry["superpoints"].astype(np.float32) @ model.text(names).cpu().numpy().T
        best = np.where(entry["visible"] > 0, scores.argmax(axis=1), -1)
        of_points: Int[Array, " n"] = best[superpoints.read(key, ("labels",))["labels"]]
        pictures = colored_views(clouds[key].xyz, clouds.up, paint(of_points, colors_of_names(names)) / 255, PICTURE)
        write_sheet(folder / f"{key.replace('/', '_')}.png", list(pictures))
    report.note(f"{len(keys)} contact sheets: {folder}")


def _names(clouds: CloudDataset, key: str) -> list[str]:
    """Ask for the parts of the cloud's category where it is known, else for all classes."""
    category = clouds.category(key)
    if category is not None and clouds.parts:
        name = clouds.categories[category]
        return [f"a {clouds.classes[part]} of a {name}" for part in clouds.parts[name]]
    return [f"a {name}" for name in clouds.classes]
