"""The stage `tokens`: group clouds into patches, say what they reach, and draw the first."""

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import SuperpointConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError, choose
from s4tok.rendering.palette import colors_of_superpoints
from s4tok.shapes import Array, Int
from s4tok.superpoints import partition
from s4tok.tokenizers.table import TOKENIZERS
from s4tok_pipelines.outputs.patch_pictures import Counted, centers_on, count, group, in_patches, picture
from s4tok_pipelines.outputs.picture_grid import Shown, write_grid
from s4tok_pipelines.report import Failure, Report, all_failed, silent

POINTS = 20_000  # of a cloud at most; more are not told apart in a picture


@dataclass(frozen=True)
class Grouped:
    """What the patches of each cloud reach."""

    clouds: dict[str, Counted]
    failures: list[Failure]

    def with_those_of(self, other: "Grouped") -> "Grouped":
        """Join what was found in objects and in rooms."""
        return Grouped({**self.clouds, **other.clouds}, [*self.failures, *other.failures])

    def facts(self) -> dict[str, Any]:
        """Give the means over clouds, and each cloud's own figures."""
        of_each = {key: each._asdict() for key, each in self.clouds.items()}
        means = {name: fmean(each[name] for each in of_each.values()) for name in Counted._fields}
        return {"clouds": len(self.clouds), "failed": len(self.failures), **means, "of_each": of_each}


def tokens(
    clouds: CloudDataset,
    tokenizer: str = "s4token",
    *,
    n_tokens: int = 64,
    seed: int = 0,
    preview: Path | None = None,
    report: Report = silent,
) -> Grouped:
    """Group every cloud into patches; `preview` is a PNG of the first: superpoints, centres, patches.

    Patches hold all points that may be in them, so that pictures show where they end; a checkpoint samples fewer.
    """
    choose("tokenizer", tokenizer, TOKENIZERS)
    found, failures = dict[str, Counted](), list[Failure]()
    for key in report.steps(clouds.keys, "Grouping"):
        try:
            cloud, superpoints = sampled(clouds, key, seed)
        except InputError as error:
            failures.append(Failure(key, error.with_hint))
            continue
        grouped = group(tokenizer, cloud, superpoints, min(n_tokens, len(cloud)))
        found[key] = count(grouped, cloud, superpoints)
        if preview is not None:
            colors = colors_of_superpoints(superpoints.astype(np.int32))
            shown = (colors, centers_on(grouped, cloud, colors), in_patches(grouped, len(cloud)))
            pictures = [Shown(picture(cloud, each, clouds.up, clouds.scene)) for each in shown]
            write_grid(preview, {tokenizer: pictures}, ["superpoints", "centres", "patches"])
            report.note(f"{key}, its superpoints, centres and patches: {preview}")
            preview = None
    if not found:
        raise all_failed(failures, "grouped")
    return Grouped(found, failures)


def sampled(clouds: CloudDataset, key: str, seed: int) -> tuple[PointCloud, Int[Array, " n"]]:
    """Read a cloud and cut it into superpoints; of a large one a seeded sample of its points is kept."""
    cloud = clouds[key]
    superpoints = partition(cloud, SuperpointConfig.of(clouds.scene)).astype(np.int64)
    if len(cloud) <= POINTS:
        return cloud, superpoints
    kept = np.sort(np.random.default_rng(seed).choice(len(cloud), POINTS, replace=False))
    labels = None if cloud.labels is None else cloud.labels[kept]
    _, left = np.unique(superpoints[kept], return_inverse=True)
    return PointCloud.of(cloud.xyz[kept], name=key, labels=labels), left
