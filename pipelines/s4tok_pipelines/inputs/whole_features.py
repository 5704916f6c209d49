"""The feature of each cloud as a whole: by a checkpoint of its points, or by a vision model of ten views."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from s4tok.config import ViewConfig, ZeroShotConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.inference.point_reader import PointReader
from s4tok.inference.whole_encoder import Drawn, WholeEncoder
from s4tok.models.checkpoint import TrainedModel
from s4tok.shapes import Float
from s4tok.vision.vision_model import VisionModel
from s4tok_cache import CacheReader, Stamp
from s4tok_pipelines.inputs.draw_views import draw_views
from s4tok_pipelines.inputs.entries import fingerprints, read_entry, root_of
from s4tok_pipelines.inputs.features import features_of, open_features
from s4tok_pipelines.prefetch import ahead
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.workers import Done

READ_AHEAD = 4  # clouds
ONE_BY_ONE = ("cpu",)  # devices that gain nothing by joining clouds


class WholeFeatures(NamedTuple):
    """The feature of each cloud as a whole, as they come, and what they are made of."""

    of_clouds: Iterator[Done[str, Float[Tensor, " d"]]]
    config: ZeroShotConfig
    checkpoint: TrainedModel | None = None  # that encodes points; None where a vision model encodes views
    superpoints: Stamp | None = None
    views: Stamp | None = None


def by_checkpoint(
    checkpoint: TrainedModel,
    clouds: CloudDataset,
    superpoints: CacheReader | None,
    config: ZeroShotConfig,
    report: Report = silent,
) -> Iterator[Done[str, Float[Tensor, " d"]]]:
    """Let a checkpoint encode samples of each cloud's points, and give their mean feature, of unit length.

    `superpoints` are left out for a tokenizer that knows none. On a CPU clouds go one by one, so that a feature does
    not depend on its neighbours; on a GPU as many together as the config says.
    """
    at_once = 1 if checkpoint.model.device.type in ONE_BY_ONE else config.batch
    encoder = WholeEncoder(checkpoint, config, PointReader(checkpoint, clouds.up, report.note), clouds.scene)
    waiting: dict[str, list[Drawn]] = {}
    for drawn in ahead(_samples(encoder, clouds, superpoints), READ_AHEAD):
        if drawn.result is None:
            yield Done(drawn.item, reason=drawn.reason)
            continue
        waiting[drawn.item] = drawn.result
        if len(waiting) >= at_once:
            yield from map(Done, waiting, encoder.encode(list(waiting.values())))
            waiting = {}
    if waiting:
        yield from map(Done, waiting, encoder.encode(list(waiting.values())))


def by_views(
    model: VisionModel,
    clouds: CloudDataset,
    views: ViewConfig,
    seen: CacheReader | None = None,
    *,
    workers: int = 1,
) -> Iterator[Done[str, Float[Tensor, " d"]]]:
    """Give the mean of a model's features of each cloud's ten views, of unit length; `seen` saves drawing them.

    Both ways give the same numbers, rounded as the cache rounds them. The order is nobody's promise.
    """
    if seen is not None:
        for key in clouds.keys:
            yield Done(key, _mean(torch.from_numpy(seen.read(key, ("views",))["views"].astype(np.float32))))
        return
    with closing(draw_views(clouds, clouds.keys, views, workers=workers)) as pictures:
        for done in pictures:
            if done.result is None:
                yield Done(done.item, reason=done.reason)
                continue
            images = torch.from_numpy(done.result.images.astype(np.float32)).permute(0, 3, 1, 2)
            yield Done(done.item, _mean(model.encode(images).whole.to("cpu", torch.float16).float()))


def encoded_already(model: VisionModel, clouds: CloudDataset, cache: Path, views: Stamp) -> CacheReader | None:
    """Find a model's features of such views of every cloud, of an earlier run of extract-features."""
    root = root_of(cache, clouds)
    for stamp in features_of(root, model.identity):
        if any(each.json == views.json for each in stamp.upstream):
            reader = open_features(root, stamp)
            current = (
                key in reader and reader.fingerprint(key).without_entries().same(cloud)  # views show no superpoints
                for key, cloud in fingerprints(clouds).items()
            )
            if all(current):
                return reader
    return None


def _mean(whole: Float[Tensor, "v d"]) -> Float[Tensor, " d"]:
    return functional.normalize(functional.normalize(whole, dim=-1).mean(0), dim=-1)


def _samples(
    encoder: WholeEncoder, clouds: CloudDataset, superpoints: CacheReader | None
) -> Iterator[Done[str, list[Drawn]]]:
    for key in clouds.keys:
        try:
            cloud = clouds[key]
            labels = None if superpoints is None else read_entry(superpoints, clouds, key, "labels")["labels"]
            yield Done(key, encoder.draw(key, cloud, labels))
        except InputError as error:
            yield Done(key, reason=str(error))
