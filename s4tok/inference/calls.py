"""What a Python user calls, one call each: from points to labels, a class, features or superpoints.

Points are an (n, 3) array or tensor in any unit, a `PointCloud`, or a list of those, of any sizes; a list gives a list.
Each cloud is processed by itself: in a list it gives what it gives alone. A tensor gives tensors on its device.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeAlias, Unpack, overload

import numpy as np
from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.config import DEFAULT_CHECKPOINT, Scene, SegmentConfig, SuperpointConfig, ZeroShotConfig
from s4tok.geometry.placement import UP, Guess, Said, guessed, placed, require_scale
from s4tok.inference.as_trained import refuse_contradictions
from s4tok.inference.asked_words import point_words, require_known
from s4tok.inference.cloud_encoder import CloudEncoder
from s4tok.inference.given import Cloud, Given, Points, for_each
from s4tok.inference.head_words import cloud_vectors, labels_of
from s4tok.inference.loading import Checkpoint, load
from s4tok.inference.point_reader import PointReader
from s4tok.inference.results import Classification, Embedding, Segmentation
from s4tok.inference.upright import nearness_of_points, nearness_of_whole, settled
from s4tok.inference.whole_encoder import WholeEncoder
from s4tok.shapes import Array, Float, Int, Int32
from s4tok.superpoints import methods
from s4tok.zero_shot.classifier import classifier, cosines
from s4tok.zero_shot.labelled import labelled
from s4tok.zero_shot.prompts import read_labels, read_labels_of_whole
from s4tok.zero_shot.vocabulary import Words

CheckpointName: TypeAlias = str | Path | Checkpoint | None  # as `load` takes it, or what it has loaded
Superpoints: TypeAlias = Int32[Array, " n"] | Int32[Tensor, " n"]


@overload
def segment(
    points: Points,
    labels: str | Path | Sequence[str] | None = ...,
    checkpoint: CheckpointName = ...,
    *,
    category: str | None = ...,
    config: SegmentConfig = ...,
    **given: Unpack[Given],
) -> Segmentation: ...
@overload
def segment(
    points: Sequence[Points],
    labels: str | Path | Sequence[str] | None = ...,
    checkpoint: CheckpointName = ...,
    *,
    category: str | None = ...,
    config: SegmentConfig = ...,
    **given: Unpack[Given],
) -> list[Segmentation]: ...
def segment(
    points: Points | Sequence[Points],
    labels: str | Path | Sequence[str] | None = None,
    checkpoint: CheckpointName = None,
    *,
    category: str | None = None,
    config: SegmentConfig = SegmentConfig(),  # noqa: B008 - it cannot change
    **given: Unpack[Given],
) -> Segmentation | list[Segmentation]:
    """Label every point by the word whose prompts are nearest; `s4tok segment` does this for files and datasets.

    Args:
        points: (n, 3), or a list of such.
        labels: What points may be, in words: ["seat", "back", "leg"], "seat,back,leg", or a .txt with one a line;
            "auto" proposes names. A fine-tuned checkpoint knows some, and takes all of them where there are none.
        checkpoint: A name, a run folder, "hf-hub:owner/name", or what `load` gives, which saves loading it each time;
            the default, which comes with s4tok, where None.
        category: What labels are parts of, for prompts such as "the seat of a chair".
        config: How clouds are encoded and labelled; what it leaves open is as the checkpoint was trained.
        **given: superpoints (n,), which are cut where they are not given; color and normals (n, 3), for checkpoints
            that read them; up, the axis that points up; unit, "m", "cm", "mm" or "inch"; scene, "object" or "room".
            What is not said of these three is told by shape and size, and up by trying too.

    Raises:
        UsageError: For words, names and settings that do not exist or contradict each other.
        InputError: For points that are not finite or of another shape.
        MissingError: For weights that are not on this machine and cannot be fetched.
    """
    names = () if labels is None else tuple(read_labels(labels))
    refuse_contradictions(config)

    @cache
    def words_for(scene: Scene) -> tuple[Checkpoint, Words]:
        loaded = _opened(checkpoint)
        return loaded, point_words(loaded, names, category, scene, config)

    def one(each: Cloud) -> Segmentation:
        guess = _guess(each, config.scale, None if category is None else "object")
        scene = guess.placement.scene
        loaded, words = words_for(scene)
        encoder = CloudEncoder(loaded.trained_model, config, scene, UP)
        where = settled(guess, each.cloud, nearness_of_points(encoder, words)).placement
        cloud = placed(each.cloud, where)
        superpoints = _superpoints(each, cloud, loaded, scene)
        scores = encoder.scores(cloud.name, cloud, superpoints, words)
        mean = None if encoder.means is None else encoder.means.features
        done = labelled(cloud, superpoints, words, scores, encoder.config, mean=mean)
        return Segmentation(
            done.answers, tuple(done.names), done.scores, superpoints, cloud, loaded.name, scene, where.up, where.unit
        )

    return for_each(points, given, one)


@overload
def classify(
    points: Points,
    labels: str | Path | Sequence[str] | None = ...,
    checkpoint: CheckpointName = ...,
    *,
    config: ZeroShotConfig = ...,
    **given: Unpack[Given],
) -> Classification: ...
@overload
def classify(
    points: Sequence[Points],
    labels: str | Path | Sequence[str] | None = ...,
    checkpoint: CheckpointName = ...,
    *,
    config: ZeroShotConfig = ...,
    **given: Unpack[Given],
) -> list[Classification]: ...
def classify(
    points: Points | Sequence[Points],
    labels: str | Path | Sequence[str] | None = None,
    checkpoint: CheckpointName = None,
    *,
    config: ZeroShotConfig = ZeroShotConfig(),  # noqa: B008 - it cannot change
    **given: Unpack[Given],
) -> Classification | list[Classification]:
    """Label a whole cloud by the word whose prompts are nearest; `s4tok classify` does this for files and datasets.

    Arguments and errors are those of `segment`, but labels are not proposed; a cloud is an object, however long, unless
    `scene` says otherwise.
    """
    asked = () if labels is None else tuple(read_labels_of_whole(labels))
    require_scale(config.scale)

    @cache
    def opened() -> tuple[Checkpoint, tuple[str, ...], Float[Tensor, "t d"]]:
        loaded = _opened(checkpoint)
        if loaded.trained_model.labeller is not None:
            names = asked or labels_of(loaded.trained_model, "objects").classes
            return loaded, names, cloud_vectors(loaded.trained_model, names)
        require_known(asked, loaded)
        return loaded, asked, classifier(loaded.texts, [loaded.prompts.of_object(name) for name in asked]).cpu()

    def one(each: Cloud) -> Classification:
        guess = _guess(each, config.scale, "object")
        scene = guess.placement.scene
        loaded, names, vectors = opened()
        encoder = WholeEncoder(loaded.trained_model, config, PointReader(loaded.trained_model, UP), scene)
        where = settled(guess, each.cloud, nearness_of_whole(encoder, loaded.trained_model, scene, vectors)).placement
        cloud = placed(each.cloud, where)
        reads_superpoints = loaded.model.tokenizer.variant.knows_superpoints
        superpoints = _superpoints(each, cloud, loaded, scene) if reads_superpoints else None
        whole = encoder.encode([encoder.draw(cloud.name, cloud, superpoints)])
        scores = (cosines(whole, vectors) if loaded.trained_model.labeller is None else whole @ vectors.T)[0]
        best = int(scores.argsort(descending=True, stable=True)[0])
        return Classification(names[best], names, scores.numpy(), loaded.name, where.up)

    return for_each(points, given, one)


@overload
def embed(
    points: Points, checkpoint: CheckpointName = ..., *, config: SegmentConfig = ..., **given: Unpack[Given]
) -> Embedding: ...
@overload
def embed(
    points: Sequence[Points], checkpoint: CheckpointName = ..., *, config: SegmentConfig = ..., **given: Unpack[Given]
) -> list[Embedding]: ...
def embed(
    points: Points | Sequence[Points],
    checkpoint: CheckpointName = None,
    *,
    config: SegmentConfig = SegmentConfig(),  # noqa: B008 - it cannot change
    **given: Unpack[Given],
) -> Embedding | list[Embedding]:
    """Give features of tokens, of points and of the whole cloud; `s4tok embed` does this for files and datasets.

    Arguments and errors are those of `segment`.
    """
    refuse_contradictions(config)

    @cache
    def opened() -> Checkpoint:
        return _opened(checkpoint)

    def one(each: Cloud) -> Embedding:
        where = _guess(each, config.scale).placement
        cloud, loaded = placed(each.cloud, where), opened()
        encoder = CloudEncoder(loaded.trained_model, config, where.scene, UP)
        return encoder.embed(cloud.name, cloud, _superpoints(each, cloud, loaded, where.scene))

    return for_each(points, given, one)


@overload
def partition(
    points: Points, config: SuperpointConfig | None = ..., *, scene: Scene | None = ..., scale: float = ...
) -> Superpoints: ...
@overload
def partition(
    points: Sequence[Points], config: SuperpointConfig | None = ..., *, scene: Scene | None = ..., scale: float = ...
) -> list[Superpoints]: ...
def partition(
    points: Points | Sequence[Points],
    config: SuperpointConfig | None = None,
    *,
    scene: Scene | None = None,
    scale: float = Said.scale,
) -> Superpoints | list[Superpoints]:
    """Cut a cloud into superpoints: give each point a label from 0 .. s-1, none of them missing.

    Args:
        points: (n, 3), or a list of such.
        config: How to cut; the defaults for objects or rooms where None, which are those of `s4tok superpoints`.
        scene: "object" or "room"; by shape and size where None.
        scale: What numbers are multiplied by to be metres, where it is not 1; 0.3048 reads feet.
    """

    def one(each: Cloud) -> Superpoints:
        where = _guess(each, scale).placement
        return methods.partition(placed(each.cloud, where), config or SuperpointConfig.of(where.scene))

    return for_each(points, {"scene": scene}, one)


def _opened(checkpoint: CheckpointName) -> Checkpoint:
    if isinstance(checkpoint, Checkpoint):
        return checkpoint
    return load(DEFAULT_CHECKPOINT if checkpoint is None else checkpoint)


def _guess(each: Cloud, scale: float, scene: Scene | None = None) -> Guess:
    """Say what a cloud is taken for; `scene` is what it is unless the caller says otherwise."""
    return guessed(each.cloud, replace(each.said, scale=scale, scene=each.said.scene or scene))


def _superpoints(each: Cloud, cloud: PointCloud, loaded: Checkpoint, scene: Scene) -> Int[Array, " n"]:
    """Take a cloud's superpoints, or cut it as for the checkpoint's training."""
    cut = each.superpoints
    if cut is None:
        cut = methods.partition(cloud, loaded.superpoints_of(scene))
    return cut.astype(np.int64)
