"""The stage `superpoints`: cut every cloud of a dataset, and keep each point's label."""

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from s4tok.config import SuperpointConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.shapes import Array, Int32
from s4tok_cache import Shard, Store
from s4tok_pipelines.inputs.entries import fingerprints, fingerprints_with, root_of
from s4tok_pipelines.inputs.masks import PointMasks, open_masks
from s4tok_pipelines.inputs.ready_labels import read_labels
from s4tok_pipelines.layouts import SUPERPOINTS
from s4tok_pipelines.outputs.file_rows import out_of_file_rows
from s4tok_pipelines.report import Outcome, Report, silent
from s4tok_pipelines.run_stage import Content, Work, run_stage
from s4tok_pipelines.stamps import superpoints_stamp
from s4tok_pipelines.workers import Done, cores, side_by_side


class Cut(NamedTuple):
    """A cloud's labels, and what `s4tok.superpoints.summary` says of them."""

    labels: Int32[Array, " n"]
    figures: dict[str, float]


def superpoints(
    clouds: CloudDataset,
    cache: Path,
    config: SuperpointConfig | None = None,
    *,
    ready: Path | None = None,
    workers: int = 1,
    shard: Shard = Shard(),  # noqa: B008 - it cannot change
    overwrite: bool = False,
    report: Report = silent,
) -> Outcome:
    """Cut every cloud into superpoints and keep each point's label.

    Fills `cache`/<dataset>/<split>/superpoints-<parameters>, laid out as `SUPERPOINTS`. Clouds that are in it
    already are passed over, so a run that was stopped can be started again. Results depend on neither workers nor
    shards. A cloud that cannot be read, or whose worker dies in native code, is a failed entry.

    Args:
        clouds: Any dataset or files; for the method `masks` one of scenes with frames, whose masks are in the cache.
        cache: The folder of all caches.
        config: How to cut; the defaults for the dataset's kind of scene, where None.
        ready: For the method `labels`, a file of labels, or a folder of them named by the clouds.
        workers: Processes; 0 takes one a core. Where there are fewer clouds, the rest help as threads.
        shard: The share of the clouds this run takes care of.
        overwrite: Make entries anew that are there already.
        report: Who listens.
    """
    config, workers, tally = config or SuperpointConfig.of(clouds.scene), workers or cores(), _Tally(report)
    masks = open_masks(clouds, cache, config.masks, config.frame_step) if config.method == "masks" else None
    stamp = superpoints_stamp(config, ready, None if masks is None else masks.cached.stamp)
    store = Store.resume(root_of(cache, clouds), SUPERPOINTS, stamp, shard=shard, overwrite=overwrite)
    if masks is not None:
        expected = masks.fingerprints(clouds)
    else:
        expected = fingerprints(clouds) if ready is None else fingerprints_with(clouds, ready)

    def cut(keys: list[str]) -> Generator[Done[str, Cut]]:
        team = max(min(workers, len(keys)), 1)
        threads = workers // team
        return side_by_side(partial(_cut, clouds, config, masks or ready, threads), keys, team, threads)

    outcome = run_stage(store, expected, Work("Cutting clouds", cut, tally.keep), report)
    outcome.figures = tally.figures(outcome.seconds)
    return outcome


def _cut(
    clouds: CloudDataset, config: SuperpointConfig, ready: Path | PointMasks | None, threads: int, key: str
) -> Cut:
    """Cut one cloud; runs in a worker process."""
    from s4tok.superpoints import partition, summary

    if isinstance(ready, PointMasks):
        return _regions(clouds, config, ready, key)
    given = None
    if config.method == "scannet-segments":
        given = clouds.segments(key)
    elif ready is not None:
        given = out_of_file_rows(read_labels(ready, key, len(clouds)), clouds.present(key))
    labels = partition(clouds[key], config, given=given, threads=threads)
    return Cut(labels, summary(labels))


def _regions(clouds: CloudDataset, config: SuperpointConfig, masks: PointMasks, key: str) -> Cut:
    from s4tok.superpoints import summary
    from s4tok.superpoints.regions import covered, regions

    ids = masks.at_points(clouds, key)
    labels = regions(clouds[key].xyz, ids, config.mask_smallest, config.mask_group)
    return Cut(labels, {**summary(labels), "share_covered": covered(ids, config.mask_smallest)})


@dataclass
class _Tally:
    """What has been cut so far."""

    report: Report
    began: float = field(default_factory=time.monotonic)
    points: int = 0
    counts: list[int] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    in_small: float = 0.0
    in_masks: list[float] = field(default_factory=list)  # points of each cloud; empty for methods without

    def keep(self, cut: Cut) -> Content:
        """Count a cloud, and say what the cache keeps of it."""
        self.points += len(cut.labels)
        self.counts.append(int(cut.figures["superpoints"]))
        self.sizes.append(cut.figures["median_size"])
        self.in_small += cut.figures["share_under_5"] * len(cut.labels)
        if "share_covered" in cut.figures:
            self.in_masks.append(cut.figures["share_covered"] * len(cut.labels))
        self.report.gauge(points_per_second=self.points / (time.monotonic() - self.began))
        return Content({"labels": cut.labels}, {"n_superpoints": self.counts[-1]})

    def figures(self, seconds: float) -> dict[str, float]:
        if not self.counts:
            return {}
        figures = {
            "points": self.points,
            "points_per_second": round(self.points / seconds, 1),
            "superpoints_median": median(self.counts),
            "superpoints_least": min(self.counts),
            "superpoints_most": max(self.counts),
            "size_median": median(self.sizes),
            "share_under_5": round(self.in_small / self.points, 6),
        }
        if self.in_masks:
            figures["share_covered"] = round(sum(self.in_masks) / self.points, 6)
        return {name: float(figure) for name, figure in figures.items()}
