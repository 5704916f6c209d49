"""Detection: 3DETR's decoder or GroupFree3D's behind an encoder of its own, a pre-trained one, or a frozen CLIP."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Literal, NamedTuple

import torch

from s4tok.backbones.pointnet import PointNetEncoder
from s4tok.config import NO_CHECKPOINT, DetectorConfig, FinetuneConfig, FinetuneRecipe, HeadConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError, UsageError
from s4tok.heads.group_free import GroupFreeHead
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.checkpoint_files import CARD, DETECTOR, file_of, find_checkpoint
from s4tok.models.detector import OWN_ENCODERS, ClipSceneEncoder, Detector, OwnEncoder, PlainSceneEncoder, SceneEncoder
from s4tok.models.detector_files import facts_of, load_detector
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.point_encoder_files import load_encoder
from s4tok.models.trained import Trained
from s4tok.objectives.detection import SetPrediction, StagedPrediction
from s4tok.tokenizers import Tokenizer
from s4tok_cache import CacheReader
from s4tok_pipelines.inputs import training_inputs
from s4tok_pipelines.inputs.boxed_scenes import BoxedData, boxed_scenes, require_boxes
from s4tok_pipelines.inputs.find_superpoints import ready_superpoints
from s4tok_pipelines.inputs.labelled_data import few
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.objectives.supervised import begin_with
from s4tok_pipelines.report import Report

# What labels of points are learned with, and boxes are not.
OF_LABELS = ("smoothing", "class_weights", "balance", "jitter", "color_drop", "draws", "draw_seed", "window", "windows")
OF_ENCODER = (
    "encoder", "n_tokens", "radius", "neighbors", "adapter_widths", "encoder_layers", "encoder_hidden", "heads",
    "encoder_dropout", "reaches",
)  # fmt: skip
OF_GROUP_FREE = {"decoder", "query_points", "sizes"}
PLAIN = "knn"  # tokenizer of the plain transformer: Bridge3D's, farthest points and their nearest


class Begun(NamedTuple):
    """An encoder to begin with, and what is known of it."""

    encoder: SceneEncoder
    facts: Mapping[str, Any]  # the checkpoint's name and weights
    card: Mapping[str, Any]
    trained: TrainedModel | None = None  # the same, where it reads superpoints


def prepare(request: Request[FinetuneRecipe]) -> Prepared:
    """Load or build the encoder, put a new decoder behind it, and read scenes and their boxes."""
    (clouds,), recipe = request.datasets, _sized(request.config)
    request = replace(request, config=recipe)
    _require_for_boxes(recipe)
    require_boxes(clouds)
    begun = encoder_for(recipe, request.device)
    if recipe.group_as is not None and (begun.trained is None or DETECTOR in begun.card):
        raise UsageError("--group-as is for tokenizers in front of a CLIP, and not for this encoder.", "leave it out.")
    if DETECTOR in begun.card:
        request.report.note(f"of {recipe.checkpoint} the encoder is taken; what finds boxes behind it begins anew")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        detector = Detector(begun.encoder, _config(recipe.detector, begun.encoder), clouds.box_classes)
    data, held = _splits(request, begun, detector)

    def hold(report: Report) -> None:
        for each in (data, held):
            if each is not None and not each.hold(report):
                report.note("the scenes do not fit into memory, and are read for every batch")

    model, more = _objective(detector, data, recipe)
    facts: dict[str, Mapping[str, Any]] = {
        "source": {"dataset": clouds.name, "split": clouds.split, **data.facts()},
        "validation": {} if held is None else held.facts(),
        "checkpoint": begun.facts,
        "boxes": asdict(recipe.boxes),
        **more,
        **_tables(facts_of(detector)),
    }
    kind, decoder = detector.config.encoder, detector.config.decoder
    name = kind if decoder == "3detr" else f"{kind}+{decoder}"
    cut = {} if data.superpoints is None else {clouds.scene: data.superpoints.stamp.parameters}
    card = {
        **{name: begun.card[name] for name in ("clip",) if name in begun.card},
        "begun_with": begun.facts,
        "window": 0.0,  # scenes are read whole
        "superpoints": {**begun.card.get("superpoints", {}), **cut},
        "caches": [each.stamp.folder for each in (data.scenes, data.superpoints) if each is not None],
        "dataset": {"name": clouds.name, "split": clouds.split, "clouds": len(set(data.listed))},
    }
    return Prepared(model, data, held, f"detection-{name}", facts, card, hold)


def encoder_for(recipe: FinetuneRecipe, device: str) -> Begun:
    """Load the encoder of a checkpoint, of whatever kind it is, or draw a new one by the seed."""
    kind = recipe.detector.encoder
    if recipe.checkpoint != NO_CHECKPOINT:
        card = _card(recipe.checkpoint)
        if DETECTOR in card:
            loaded = load_detector(recipe.checkpoint, device, recipe.clip)
            known, encoder = {"name": recipe.checkpoint, "weights": loaded.sha256}, loaded.detector.encoder
            if recipe.n_tokens is not None:
                _make_tokens(encoder, recipe.n_tokens)
            return Begun(encoder, known, card, _trained(encoder, card, recipe))
        if "backbone" in card:
            plain = load_encoder(recipe.checkpoint, device)
            known = {"name": recipe.checkpoint, "weights": plain.sha256}
            return Begun(_plain(plain.encoder, recipe), known, card)
        kind = "clip"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        if kind in OWN_ENCODERS:
            return Begun(OWN_ENCODERS[kind](recipe.detector), {"name": NO_CHECKPOINT}, {})
        if kind == "plain":
            return Begun(_plain(_new_plain(recipe), recipe), {"name": NO_CHECKPOINT}, {})
    sizes = replace(recipe, n_points=recipe.detector.n_points, n_tokens=recipe.detector.n_tokens)
    trained = begin_with(sizes, device)
    _require_coordinates_alone(trained.model.tokenizer, recipe)
    known = {"name": trained.name}
    if trained.name != NO_CHECKPOINT:
        known["weights"] = trained.sha256
    return Begun(ClipSceneEncoder(trained.model), known, trained.card, trained)


def with_superpoints(recipe: FinetuneRecipe) -> TrainedModel | None:
    """Give the checkpoint that superpoints are cut for; None where the encoder reads none."""
    is_new = recipe.checkpoint == NO_CHECKPOINT
    if (is_new and recipe.detector.encoder != "clip") or (not is_new and "clip" not in _card(recipe.checkpoint)):
        return None
    begun = encoder_for(recipe, "cpu")
    return begun.trained if isinstance(begun.encoder, ClipSceneEncoder) else None


def _card(checkpoint: str) -> Mapping[str, Any]:
    folder = find_checkpoint(checkpoint)
    try:
        card: Mapping[str, Any] = json.loads(file_of(folder, CARD).read_text(encoding="utf-8"))
        return {**card}
    except (ValueError, TypeError) as error:
        raise InputError(f"{folder / CARD} is no card of a checkpoint: {error}.") from error


def _trained(encoder: SceneEncoder, card: Mapping[str, Any], recipe: FinetuneRecipe) -> TrainedModel | None:
    if not isinstance(encoder, ClipSceneEncoder):
        return None
    return TrainedModel(encoder.model, card, recipe.checkpoint, trained=Trained.of(card))


def _make_tokens(encoder: SceneEncoder, count: int) -> None:
    """Let an encoder that was built before make so many tokens."""
    if isinstance(encoder, OwnEncoder):
        encoder.config = replace(encoder.config, n_tokens=count)
    else:
        encoder.tokenizer.regroup(replace(encoder.tokenizer.config, n_tokens=count))


def _new_plain(recipe: FinetuneRecipe) -> PointEncoder:
    return PointEncoder(replace(recipe.tokenizer, tokenizer=PLAIN), recipe.backbone)


def _plain(encoder: PointEncoder, recipe: FinetuneRecipe) -> PlainSceneEncoder:
    """Let a plain transformer read farthest points and their nearest, which need neither superpoints nor images."""
    tokenizer, detector = encoder.tokenizer, recipe.detector
    _require_coordinates_alone(tokenizer, recipe)
    if tokenizer.variant.marks_superpoint:
        raise UsageError(
            f"{recipe.checkpoint} reads more of points than where they are.", "boxes are found by coordinates alone."
        )
    name = f"{PLAIN}+rpn" if tokenizer.variant.unit == "radius" else PLAIN
    tokenizer.regroup(
        replace(
            tokenizer.config, tokenizer=name, n_points=detector.n_points, n_tokens=detector.n_tokens,
            patch_size=detector.neighbors,
        )
    )  # fmt: skip
    return PlainSceneEncoder(encoder)


def _require_coordinates_alone(tokenizer: Tokenizer, recipe: FinetuneRecipe) -> None:
    if kinds := tokenizer.point_features.kinds:
        raise UsageError(
            f"{recipe.checkpoint} reads {' and '.join(kinds)}, and boxes are found by coordinates alone.",
            "begin with another checkpoint, or with none.",
        )


def _config(detector: DetectorConfig, encoder: SceneEncoder) -> DetectorConfig:
    """Say of an encoder that was built before what it is."""
    if isinstance(encoder, OwnEncoder):
        names = (*OF_ENCODER, *(["width"] if isinstance(encoder, PointNetEncoder) else []))
        return replace(detector, **{name: getattr(encoder.config, name) for name in names})
    kind: Literal["plain", "clip"] = "plain" if isinstance(encoder, PlainSceneEncoder) else "clip"
    return replace(detector, encoder=kind, n_tokens=encoder.tokenizer.config.n_tokens)


def _sized(recipe: FinetuneRecipe) -> FinetuneRecipe:
    """Put the numbers of points and tokens that are asked for in place of the detector's."""
    known = recipe.detector
    detector = replace(known, n_points=recipe.n_points or known.n_points, n_tokens=recipe.n_tokens or known.n_tokens)
    return replace(recipe, detector=detector)


def _require_for_boxes(recipe: FinetuneRecipe) -> None:
    if recipe.transformer != FinetuneRecipe.transformer:
        raise UsageError("--transformer is for labels of points.", "--scene-encoder plain.")
    asked = ((recipe.training, FinetuneConfig(), OF_LABELS), (recipe.head, HeadConfig(), HeadConfig.__annotations__))
    for config, usual, names in asked:
        for name in names:
            if getattr(config, name) != getattr(usual, name):
                raise UsageError(f"--{name.replace('_', '-')} is for labels of points, and boxes are learned without.")


def _splits(request: Request[FinetuneRecipe], begun: Begun, detector: Detector) -> tuple[BoxedData, BoxedData | None]:
    """Read what to train and to validate on: a split, or some of the scenes."""
    (clouds,), recipe = request.datasets, request.config
    training, held = recipe.training, list[BoxedData]()
    whole = _opened(request, begun, detector, clouds)
    keys = list(whole.listed)
    for each in request.validation:
        try:
            opened = _opened(request, begun, detector, each)
        except InputError as error:
            request.report.note(f"no validation on {each.name}/{each.split}, since {error}")
            continue
        held.append(replace(opened, listed=training_inputs.some(opened.listed, training.validation_clouds)))
    if not held:
        out = training_inputs.some(training_inputs.held_out(keys, training.held_out), training.validation_clouds)
        keys = [key for key in keys if key not in set(out)]
        held = [replace(whole, listed=sorted(out))] if out else []
    keys = few(keys, {}, training.shots_seed, training.shots, training.labels_fraction)
    if not keys:
        raise InputError(f"{clouds.name} has no scenes with boxes to train on.")
    return replace(whole, listed=keys * training.repeats), next(iter(held), None)


def _opened(request: Request[FinetuneRecipe], begun: Begun, detector: Detector, clouds: CloudDataset) -> BoxedData:
    def read() -> CacheReader:
        if request.ranks.is_first and request.make_inputs is not None:
            request.make_inputs(clouds)
        return boxed_scenes(clouds, clouds.keys, request.cache, workers=request.workers, report=request.report)

    scenes = request.ranks.first_makes(read)
    superpoints = None
    if begun.trained is not None and detector.reads_superpoints:
        superpoints = ready_superpoints(clouds, request.cache, begun.trained, request.report)
    keys = [key for key in clouds.keys if key in scenes and (superpoints is None or key in superpoints)]
    recipe = request.config
    return BoxedData(scenes, superpoints, keys, detector.config, recipe.boxes, recipe.training)


def _objective(
    detector: Detector, data: BoxedData, recipe: FinetuneRecipe
) -> tuple[SetPrediction, dict[str, Mapping[str, Any]]]:
    """Give what trains a decoder of this kind, and what else its result depends on."""
    if not isinstance(detector.head, GroupFreeHead):
        return SetPrediction(detector, recipe.training, recipe.boxes), {}
    if detector.config.sizes == "classes":
        detector.head.typical.copy_(torch.from_numpy(data.typical_sizes(len(detector.classes))))
    staged = StagedPrediction(detector, recipe.training, recipe.boxes, recipe.group_free)
    return staged, {"group_free": asdict(recipe.group_free)}


def _tables(facts: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Lay out what a detector is built from as tables of plain values; what it does not read is left out."""
    tables = {name: each for name, each in facts.items() if isinstance(each, Mapping) and name != "config"}
    plain = {name: each for name, each in facts.items() if not isinstance(each, Mapping)}
    unread = {"reaches"} if facts["config"]["encoder"] != "3detr-m" else set[str]()
    unread |= OF_GROUP_FREE if facts["config"]["decoder"] == "3detr" else set()
    config = {name: each for name, each in facts["config"].items() if name not in unread}
    return {"detector": {**plain, **config}, **tables}
