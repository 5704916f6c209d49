"""Groups of alike regions of a training set: found once by K-means, kept beside the features, shared by all runs."""

from collections.abc import Generator, Sequence

import numpy as np
import torch

from s4tok.config import RegionConfig
from s4tok.losses.region_groups import find_groups
from s4tok.objectives.region_distillation import Groups
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float32
from s4tok_cache import ArraySpec, CacheReader, Fingerprint, Layout, Stamp, Store
from s4tok_pipelines.inputs.training_data import Source
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.run_stage import Content, Work, run_stage
from s4tok_pipelines.workers import Done

GROUPS = Layout(
    name="region-groups",
    version=1,
    arrays={
        "centers": ArraySpec("float32", "g d", "mean feature of the regions of each group", False),
        "sizes": ArraySpec("int64", "g", "regions of each group"),
    },
    made_by="pretrain",
)
STAGE, ALGORITHM = "region-groups", 1
KEY = "all"  # the one entry
MOST = 200_000  # regions that are grouped; of more, so many are drawn


def region_groups(sources: Sequence[Source], config: RegionConfig, report: Report = silent) -> Groups:
    """Group the regions of everything that is trained on, or read the groups that an earlier run has found.

    Fills the cache beside the features of the first source, laid out as `GROUPS`.
    """
    trained = {each.name: f"{seed_of(len(each.clouds), *sorted(each.clouds)):016x}" for each in sources}
    parameters = {"groups": config.groups, "seed": config.group_seed, "clouds": trained}
    stamp = Stamp(STAGE, parameters, ALGORITHM, tuple(each.features.stamp for each in sources))
    root = sources[0].features.root

    def find(keys: list[str]) -> Generator[Done[str, Groups]]:
        for key in keys:
            features = _regions(sources, config.group_seed, report)
            yield Done(key, Groups(*find_groups(torch.from_numpy(features), config.groups, config.group_seed)))

    def keep(found: Groups) -> Content:
        return Content({"centers": found.centers.numpy(), "sizes": found.sizes.numpy()})

    digests = [each.features.digest(key) for each in sources for key in sorted(each.clouds)]
    expected = {KEY: Fingerprint(KEY, len(digests)).with_entries(digests)}
    run_stage(Store.resume(root, GROUPS, stamp), expected, Work("Grouping regions", find, keep), report)
    kept = CacheReader(root, GROUPS, stamp).read(KEY)
    return Groups(torch.from_numpy(kept["centers"].copy()), torch.from_numpy(kept["sizes"].copy()))


def _regions(sources: Sequence[Source], seed: int, report: Report) -> Float32[Array, "n d"]:
    """Read the features of all regions that were seen, or of some of them."""
    found = []
    for each in sources:
        for key in report.steps(each.clouds, "Reading regions"):
            features = each.features.read(key, ("superpoints",))["superpoints"].astype(np.float32)
            found.append(features[features.any(axis=1)])
    every: Array = np.concatenate(found)
    if len(every) <= MOST:
        return every
    return every[np.sort(np.random.default_rng(seed).choice(len(every), MOST, replace=False))]
