"""The stage `embed`: keep the features of a cloud's tokens, of its superpoints and of the whole, by a checkpoint."""

import time
from collections.abc import Generator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from s4tok import __version__
from s4tok.config import SegmentConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.errors import UsageError
from s4tok.inference.as_trained import refuse_contradictions
from s4tok.inference.cloud_encoder import CloudEncoder
from s4tok.inference.loading import load
from s4tok.inference.results import Embedding
from s4tok_cache import ArraySpec, CacheReader, Layout, Shard, Stamp, Store
from s4tok_cache.files import write_whole
from s4tok_pipelines.inputs.entries import fingerprints, read_entry, root_of
from s4tok_pipelines.inputs.models import ModelNames
from s4tok_pipelines.inputs.own_clouds import parted
from s4tok_pipelines.outputs.assumed import taken_for, tell_assumed
from s4tok_pipelines.outputs.labelled_clouds import stems_for
from s4tok_pipelines.outputs.results import write_json
from s4tok_pipelines.paths import CACHE
from s4tok_pipelines.report import Failure, Outcome, Report, joined, silent
from s4tok_pipelines.run_stage import Content, Work, run_stage
from s4tok_pipelines.stages.auto import superpoints_for
from s4tok_pipelines.workers import Done, here_or_side_by_side

# A feature a point takes a kilobyte at ViT-B/16's width, which is a gigabyte a scan of a million points; superpoints
# are a hundred times fewer, and `segment --pool` labels by exactly their features.
EMBEDDINGS = Layout(
    name="embeddings",
    version=1,
    arrays={
        "tokens": ArraySpec("float16", "m d", "feature of each token, of any length", False),
        "centers": ArraySpec("float64", "m 3", "where each token stands, in the cloud's coordinates"),
        "features": ArraySpec("float16", "s d", "mean feature of the points of each superpoint", False),
        "superpoints": ArraySpec("int32", "n", "superpoint of each point, 0 .. s-1 without gaps"),
        "whole": ArraySpec("float16", "d", "feature of the whole cloud, unit length", False),
    },
    made_by="embed",
)
STAGE, ALGORITHM = "embed", 1
FOLDER = Path("embeddings")  # where those of a user's own files go
OF_LABELS = ("pool", "calibrate", "calibration_share", "unknown", "draws", "level")  # no feature depends on them


def embed(
    clouds: CloudDataset,
    encoder: CloudEncoder,
    superpoints: CacheReader,
    cache: Path,
    *,
    shard: Shard = Shard(),  # noqa: B008 - it cannot change
    overwrite: bool = False,
    report: Report = silent,
) -> Outcome:
    """Embed every cloud into the cache, laid out as `EMBEDDINGS`; a run that was stopped can be started again."""
    stamp = embeddings_stamp(clouds, encoder, superpoints)
    store = Store.resume(root_of(cache, clouds), EMBEDDINGS, stamp, shard=shard, overwrite=overwrite)
    work = Work(
        "Embedding clouds",
        lambda keys: _embedded(clouds, encoder, superpoints, keys),
        lambda found: Content(found.arrays()),
    )
    return run_stage(store, fingerprints(clouds, superpoints), work, report)


def write_embeddings(
    clouds: CloudDataset,
    encoder: CloudEncoder,
    superpoints: CacheReader,
    folder: Path,
    *,
    each_point: bool = False,
    report: Report = silent,
) -> Outcome:
    """Embed every cloud into an .npz of its own, as `Embedding.save` does, beside a `result.json` that says how.

    Where rows of a cloud's file are no points, `present` is true of those that are.
    """
    began, stems, outcome = time.monotonic(), stems_for(clouds), Outcome(folder)
    embedded = _embedded(clouds, encoder, superpoints, list(clouds.keys))
    for done in report.steps(embedded, "Embedding clouds", total=len(clouds)):
        if done.result is None:
            outcome.failures.append(Failure(done.item, done.reason))
        else:
            present = clouds.present(done.item)
            rows = {} if present is None else {"present": present}
            content = done.result.npz(each_point=each_point, **rows)
            write_whole(folder / f"{stems[done.item]}.embedding.npz", content, parents=True)
            outcome.made += 1
        report.gauge(failed=float(len(outcome.failures)))
    failures = [vars(failure) for failure in outcome.failures]
    write_json(folder / "result.json", {**_facts(clouds, encoder, superpoints), "failures": failures})
    outcome.seconds = time.monotonic() - began
    return outcome


def embed_by_name(
    clouds: CloudDataset,
    cache: Path = CACHE,
    names: ModelNames = ModelNames(),  # noqa: B008 - it cannot change
    config: SegmentConfig = SegmentConfig(),  # noqa: B008 - as above
    *,
    out: Path | None = None,
    each_point: bool = False,
    auto: bool = False,
    workers: int = 1,
    shard: Shard = Shard(),  # noqa: B008 - as above
    overwrite: bool = False,
    report: Report = silent,
) -> Outcome:
    """Embed every cloud with the checkpoint that is named: datasets into the cache, own files into `out`.

    Args:
        clouds: A dataset, or files of a user's own, whose superpoints are made without asking.
        cache: The folder of all caches.
        names: The checkpoint and its CLIP.
        config: How clouds are encoded; what it leaves open is as the checkpoint was trained.
        out: A folder for files, of datasets too; `embeddings` for own files where None.
        each_point: Write features of each point too.
        auto: Make superpoints that are missing.
        workers: Processes that cut.
        shard: This task's share, in the cache.
        overwrite: Make entries anew that are there.
        report: Who listens.
    """
    refuse_contradictions(config)
    is_own = isinstance(clouds, OwnFiles)
    folder = out or (FOLDER if is_own else None)
    if folder is None and each_point:
        raise UsageError("the cache keeps features of superpoints: --each-point is for files.", "name a folder: --out.")
    if folder is not None and shard != Shard():
        raise UsageError("shards share a cache: --shard is for datasets without --out.")
    outcomes, facts = [], []
    for part in parted(clouds, scale=config.scale, report=report):
        tell_assumed(part, report)
        checkpoint = names.chosen_checkpoint
        model = load(checkpoint, clip=names.clip, pretrained=names.pretrained, device=names.device).trained_model
        encoder = CloudEncoder(model, config, part.scene, part.up, report.note)
        superpoints = superpoints_for(model, part, cache, auto=auto or is_own, workers=workers, report=report)
        if folder is None:
            return embed(part, encoder, superpoints, cache, shard=shard, overwrite=overwrite, report=report)
        outcomes.append(write_embeddings(part, encoder, superpoints, folder, each_point=each_point, report=report))
        facts.append(_facts(part, encoder, superpoints))
    outcome = joined(outcomes)
    if folder is not None and len(facts) > 1:
        failures = [vars(failure) for failure in outcome.failures]
        write_json(folder / "result.json", {"parts": facts, "failures": failures})
    return outcome


def _facts(clouds: CloudDataset, encoder: CloudEncoder, superpoints: CacheReader) -> dict[str, Any]:
    """Say how clouds were embedded."""
    about = {"s4tok": __version__, "checkpoint_name": encoder.checkpoint.name}
    cut = {superpoints.folder.name: superpoints.stamp.parameters}
    return {
        **about,
        **embeddings_stamp(clouds, encoder, superpoints).parameters,
        **taken_for(clouds),
        "superpoints": cut,
    }


def embeddings_stamp(clouds: CloudDataset, encoder: CloudEncoder, superpoints: CacheReader) -> Stamp:
    """Say what embeddings depend on: the weights, how clouds are encoded, and their superpoints."""
    settings = {name: value for name, value in asdict(encoder.config).items() if name not in OF_LABELS}
    clip = encoder.model.clip
    weights = {"checkpoint": encoder.checkpoint.sha256, **({} if clip is None else {"clip": clip.sha256})}
    parameters = {**weights, **settings, "up": clouds.up, "scene": clouds.scene}
    return Stamp(STAGE, parameters, ALGORITHM, (superpoints.stamp,))


def _embedded(
    clouds: CloudDataset, encoder: CloudEncoder, superpoints: CacheReader, keys: list[str]
) -> Generator[Done[str, Embedding]]:
    return here_or_side_by_side(partial(_one, clouds, encoder, superpoints), keys, workers=1)


def _one(clouds: CloudDataset, encoder: CloudEncoder, superpoints: CacheReader, key: str) -> Embedding:
    labels = read_entry(superpoints, clouds, key, "labels")["labels"].astype(np.int64)
    return encoder.embed(key, clouds[key], labels)
