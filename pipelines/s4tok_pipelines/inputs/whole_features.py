"""The feature of each cloud as a whole: by a checkpoint of its points, or by a vision model of ten views."""

from collections.abc import Iterator, Sequence
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
from s4tok.models.checkpoint import Student
from s4tok.models.model import CloudFeatures, Model
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float, Float32
from s4tok.superpoints.samples import Sample, sample
from s4tok.vision.vision_model import VisionModel
from s4tok_cache import CacheReader, Stamp
from s4tok_pipelines.inputs.draw_views import draw_views
from s4tok_pipelines.inputs.entries import fingerprints, read_entry, root_of
from s4tok_pipelines.inputs.features import features_of, open_features
from s4tok_pipelines.inputs.point_features import PointReader
from s4tok_pipelines.prefetch import ahead
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.workers import Done

READ_AHEAD = 4  # clouds
ONE_BY_ONE = ("cpu",)  # devices that gain nothing by joining clouds


class Drawn(NamedTuple):
    """Some of a cloud's points, and what its tokens are drawn by."""

    sample: Sample
    seed: int
    features: Float32[Array, "n c"] | None  # of the sample's points, for a student that reads any


class WholeFeatures(NamedTuple):
    """The feature of each cloud as a whole, as they come, and what they are made of."""

    of_clouds: Iterator[Done[str, Float[Tensor, " d"]]]
    config: ZeroShotConfig
    student: Student | None = None  # that encodes points; None where a vision model encodes views
    superpoints: Stamp | None = None
    views: Stamp | None = None


def by_student(
    student: Student,
    clouds: CloudDataset,
    superpoints: CacheReader | None,
    config: ZeroShotConfig,
    report: Report = silent,
) -> Iterator[Done[str, Float[Tensor, " d"]]]:
    """Let a student read samples of each cloud's points, and give their mean feature, of unit length.

    `superpoints` are left out for a tokenizer that knows none. Which points are drawn depends on the seed and the
    cloud's key alone. On a CPU clouds go one by one, so that a feature does not depend on its neighbours; on a GPU
    as many together as the config says.
    """
    at_once = 1 if student.model.clip.device.type in ONE_BY_ONE else config.batch
    waiting: list[Done[str, list[Drawn]]] = []
    for drawn in ahead(_samples(student, clouds, superpoints, config, report), READ_AHEAD):
        if drawn.result is None:
            yield Done(drawn.item, reason=drawn.reason)
            continue
        waiting.append(drawn)
        if len(waiting) >= at_once:
            yield from _read(student, waiting, config.scale)
            waiting = []
    if waiting:
        yield from _read(student, waiting, config.scale)


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
            if all(key in reader and reader.fingerprint(key).same(of) for key, of in fingerprints(clouds).items()):
                return reader
    return None


def _mean(whole: Float[Tensor, "v d"]) -> Float[Tensor, " d"]:
    return functional.normalize(functional.normalize(whole, dim=-1).mean(0), dim=-1)


def _samples(
    student: Student, clouds: CloudDataset, superpoints: CacheReader | None, config: ZeroShotConfig, report: Report
) -> Iterator[Done[str, list[Drawn]]]:
    """Draw each cloud's samples, and a seed for the tokens of each."""
    n_points = student.model.tokenizer.config.n_points
    reader = PointReader(student, clouds.up, report)
    for key in clouds.keys:
        try:
            cloud = clouds[key]
            xyz, known = cloud.xyz, reader.read(cloud)
            labels: Array = np.zeros(len(xyz), np.int64)
            if superpoints is not None:
                labels = read_entry(superpoints, clouds, key, "labels")["labels"]
            seeds = [seed_of(config.seed, key, vote) for vote in range(config.votes)]
            samples = [sample(xyz, labels, n_points, seed, clouds.up) for seed in seeds]
            features = [None if known is None else known[each.index] for each in samples]
            yield Done(key, list(map(Drawn, samples, seeds, features)))
        except InputError as error:
            yield Done(key, reason=str(error))


@torch.inference_mode()
def _read(
    student: Student, drawn: Sequence[Done[str, list[Drawn]]], scale: float
) -> Iterator[Done[str, Float[Tensor, " d"]]]:
    """Read several clouds together, one sample of each after the other."""
    votes = zip(*(each.result or [] for each in drawn), strict=True)
    whole = [functional.normalize(_whole(student.model, list(vote), scale), dim=-1) for vote in votes]
    features = functional.normalize(torch.stack(whole).mean(0), dim=-1).cpu()
    yield from (Done(each.item, feature) for each, feature in zip(drawn, features, strict=True))


def _whole(model: Model, drawn: Sequence[Drawn], scale: float) -> Float[Tensor, "b d"]:
    device, longest = model.clip.device, max(len(each.sample.points) for each in drawn)
    points = torch.zeros(len(drawn), longest, 3)
    superpoints = torch.zeros(len(drawn), longest, dtype=torch.int64)
    is_point = torch.zeros(len(drawn), longest, dtype=torch.bool)
    width = model.tokenizer.point_features.width
    features = torch.zeros(len(drawn), longest, width) if width else None
    for row, (of_cloud, _, known) in enumerate(drawn):
        n_points = len(of_cloud.points)
        points[row, :n_points] = torch.from_numpy(of_cloud.points) * scale
        superpoints[row, :n_points] = torch.from_numpy(of_cloud.superpoints)
        is_point[row, :n_points] = True
        if features is not None and known is not None:
            features[row, :n_points] = torch.from_numpy(known)
    seeds = torch.tensor([each.seed for each in drawn], device=device)
    found: CloudFeatures = model(
        points.to(device), superpoints.to(device), features=None if features is None else features.to(device),
        is_point=is_point.to(device), seeds=seeds,
    )  # fmt: skip
    return found.whole.float()
