"""`s4tok pretrain`: train a tokenizer in front of a frozen CLIP."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

from typer import Option

from s4tok.config import PointKind, Preset, RunConfig, SuperpointPreset, VisionConfig
from s4tok.errors import InputError, UsageError, choose
from s4tok_cli import console, options
from s4tok_pipelines.paths import CACHE

if TYPE_CHECKING:
    from s4tok.datasets.dataset import CloudDataset

Config = TypeVar("Config")


def pretrain(
    *,
    preset: Annotated[
        Preset, Option(help="The paper's recipe, one for the made world and its mini CLIP, or ten minutes of it.")
    ] = "paper",
    objective: Annotated[
        str, Option(help="What is trained: s4token, or one that another package adds.")
    ] = RunConfig.objective,
    tokenizer: Annotated[
        str | None, Option(help="Any of Table 1: s4token, knn, knn+rpn, ...", show_default=False)
    ] = None,
    loss: Annotated[
        Literal["total", "assign", "distill"] | None, Option(help="Both losses, or one (Table 6).", show_default=False)
    ] = None,
    distill_pass: Annotated[
        Literal["masked", "full", "both"] | None,
        Option(help="Distil from the masked pass, from one that sees every token, or from both.", show_default=False),
    ] = None,
    clusters: Annotated[int | None, Option(min=1, help="Clusters of a cloud (Table 7).", show_default=False)] = None,
    epochs: Annotated[int | None, Option(min=1, help="Passes over the clouds.", show_default=False)] = None,
    batch: Annotated[
        int | None, Option(min=1, help="Clouds a step, shared by all processes.", show_default=False)
    ] = None,
    optimizer: Annotated[
        Literal["adamw", "muon"] | None, Option(help="The paper's, or one that learns faster.", show_default=False)
    ] = None,
    lr: Annotated[float | None, Option(min=0, help="The optimizer's rate at its highest.", show_default=False)] = None,
    n_points: Annotated[int | None, Option(min=1, help="Points of a cloud.", show_default=False)] = None,
    n_tokens: Annotated[int | None, Option(min=1, help="Tokens of a cloud.", show_default=False)] = None,
    patch_size: Annotated[int | None, Option(min=1, help="Points of a token at most.", show_default=False)] = None,
    gamma: Annotated[
        float | None, Option(help="Strength of the superpoint weight in sampling.", show_default=False)
    ] = None,
    alpha: Annotated[float | None, Option(help="Radius of a patch in spacings of centres.", show_default=False)] = None,
    wfps_sign: Annotated[
        Literal["text", "paper"] | None, Option(help="Sign of the sampling weight.", show_default=False)
    ] = None,
    pe: Annotated[
        Literal["learned", "fixed"] | None,
        Option(
            help="Positional encoding: learned adds an MLP of the waves; fixed is Eq. 12 alone.", show_default=False
        ),
    ] = None,
    pe_scale: Annotated[
        Literal["spread", "radius", "none"] | None,
        Option(
            help="Unit of the positional encoding: the cloud's spread, its grouping radius, or none (Eq. 12).",
            show_default=False,
        ),
    ] = None,
    pe_radii: Annotated[
        float | None, Option(min=0, help="With --pe-scale radius: grouping radii in a unit.", show_default=False)
    ] = None,
    pe_amplitude: Annotated[
        float | None, Option(help="Amplitude of the positional encoding.", show_default=False)
    ] = None,
    pe_band: Annotated[
        str | None,
        Option(
            help="Frequencies of the positional encoding, rad per unit.", metavar="LOWEST,HIGHEST", show_default=False
        ),
    ] = None,
    point_features: Annotated[
        str | None,
        Option(
            help="What else the tokenizer reads of each point: rgb, normals or both.",
            metavar="KIND,...",
            show_default="nothing",
        ),
    ] = None,
    superpoints: Annotated[
        SuperpointPreset | None,
        Option(help="Which superpoints: the default's, or the paper's printed form.", show_default=False),
    ] = None,
    attend: Annotated[
        float | None,
        Option(
            min=0, help="Limit each token's attention to so many grouping radii; 0 is no limit.", show_default=False
        ),
    ] = None,
    adapter: Annotated[
        str | None, Option(help="Widths of the mini-PointNet.", metavar="N,N,N", show_default=False)
    ] = None,
    mask_ratio: Annotated[
        float | None, Option(min=0, max=1, help="Share of tokens the student does not see.", show_default=False)
    ] = None,
    local_weight: Annotated[
        float | None, Option(min=0, help="Weight of the loss of superpoints.", show_default=False)
    ] = None,
    global_weight: Annotated[
        float | None, Option(min=0, help="Weight of the loss of whole clouds.", show_default=False)
    ] = None,
    difference_weight: Annotated[
        float | None,
        Option(min=0, help="Weight of how superpoints of one cloud differ; 0 in the paper.", show_default=False),
    ] = None,
    center_targets: Annotated[
        bool | None, Option("--center-targets/--plain-targets", help="Take the targets' mean off.", show_default=False)
    ] = None,
    mix: Annotated[
        float | None,
        Option(
            min=0, max=1, help="Share of objects put among others, on a floor and before a wall.", show_default=False
        ),
    ] = None,
    mix_objects: Annotated[
        int | None, Option(min=2, help="With --mix: objects of a mixed cloud, at most.", show_default=False)
    ] = None,
    draws: Annotated[int | None, Option(min=1, help="Samples of a cloud, used in turn.", show_default=False)] = None,
    window: Annotated[
        float | None, Option(min=0, help="Metres; see rooms through columns so wide. 0: whole.", show_default=False)
    ] = None,
    windows_per_room: Annotated[
        int | None, Option(min=1, help="With --window: columns cut from each room.", show_default=False)
    ] = None,
    clip: Annotated[
        str | None, Option(help='An open_clip name, a folder, "hf-hub:owner/model", or "mini".', show_default=False)
    ] = None,
    pretrained: options.Pretrained = None,
    features: Annotated[
        str | None,
        Option(
            help="The vision model whose features are distilled, as extract-features names it.",
            show_default="that of --clip",
        ),
    ] = None,
    resume: Annotated[bool, Option("--resume", help="Go on with a run that was stopped, or begin it.")] = False,
    auto: options.Auto = False,
    out: options.Out = None,
    also: Annotated[
        list[str] | None, Option(help="Another dataset to train on together with SOURCE.", metavar="SOURCE")
    ] = None,
    source: options.Clouds,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    device: options.Device = "auto",
    seed: Annotated[
        int | None, Option(help="Same seed, same result, whatever the processes.", show_default=False)
    ] = None,
    overwrite: Annotated[bool, Option("--overwrite", help="Remove the run that is there, and begin anew.")] = False,
) -> None:
    """Train a tokenizer, so that a frozen CLIP can read the tokens it makes of clouds.

    Numbers that are not given are the preset's. Under torchrun, processes share each batch.
    """
    from s4tok.vision.weights import probe

    config = RunConfig.of(preset)
    config = replace(
        config,
        training=_changed(
            config.training, loss=loss, distill_pass=distill_pass, epochs=epochs, batch=batch, optimizer=optimizer,
            learning_rate=lr, mask_ratio=mask_ratio, local_weight=local_weight, global_weight=global_weight,
            difference_weight=difference_weight, center_targets=center_targets, mix=mix, mix_objects=mix_objects,
            draws=draws, window=window, windows=windows_per_room, seed=seed,
        ),
        tokenizer=_changed(
            config.tokenizer, tokenizer=tokenizer, n_points=n_points, n_tokens=n_tokens, patch_size=patch_size,
            gamma=gamma, alpha=alpha, wfps_sign=wfps_sign, pe=pe, pe_scale=pe_scale, pe_radii=pe_radii,
            pe_amplitude=pe_amplitude, pe_band=None if pe_band is None else _two(pe_band),
            adapter_widths=None if adapter is None else _three(adapter),
        ),
        encoder=_changed(config.encoder, attend=attend),
        clusters=_changed(config.clusters, n_clusters=clusters),
        clip=_changed(config.clip if clip is None else VisionConfig(model=clip), pretrained=pretrained),
        features=features,
        superpoints=superpoints or config.superpoints,
        limit=config.limit if source.limit is None else source.limit,
        point_features=() if point_features is None else _kinds(point_features),
        objective=objective,
    )  # fmt: skip
    if objective == RunConfig.objective:  # whether another one needs a CLIP is its own affair
        probe(config.clip.model, config.clip.pretrained)  # before PyTorch is imported: out of reach is told at once

    from s4tok_pipelines.runtime import pick_device
    from s4tok_pipelines.stages.pretrain import pretrain as run
    from s4tok_pipelines.training.ranks import from_environment

    is_first = from_environment().is_first
    others = [replace(source, source=[each], dataset=None, limit=None) for each in also or ()]
    outcome = run(
        replace(source, limit=config.limit).open(),
        cache,
        config,
        also=[each.open() for each in others],
        validation=_validation([source, *others]) if source.split in (None, "train") else (),
        out=out,
        resume=resume,
        overwrite=overwrite,
        auto=auto,
        workers=workers,
        device=pick_device(device),
        report=console.Progress(),
    )
    if is_first:
        console.result(f"{outcome.made} steps trained: {outcome.out}")
        console.finish(
            {"made": outcome.made, "present": outcome.present, "out": str(outcome.out),
             "seconds": round(outcome.seconds, 3), **outcome.figures}
        )  # fmt: skip


def _changed(config: Config, **given: Any) -> Config:
    """Put what was given in place of the preset's."""
    return replace(config, **{name: value for name, value in given.items() if value is not None})  # type: ignore[type-var]


def _validation(sources: Sequence[options.Clouds]) -> "list[CloudDataset]":
    """Open the splits that are there to validate on, where a dataset has one and it can be read."""
    found = []
    for source in sources:
        with suppress(UsageError, InputError):
            found.append(replace(source, split="val", limit=None).open())
    return found


def _kinds(words: str) -> tuple[PointKind, ...]:
    """Read kinds of point features; their order means nothing."""
    table = {kind: kind for kind in get_args(PointKind)}
    asked = {choose("point feature", word.strip(), table) for word in words.split(",")}
    return tuple(kind for kind in table if kind in asked)


def _three(widths: str) -> tuple[int, int, int]:
    words = widths.split(",")
    if len(words) != 3 or not all(word.strip().isdecimal() for word in words):
        raise UsageError(
            f"--adapter takes three whole numbers, and was given {widths!r}.", "as in --adapter 64,128,192."
        )
    narrow, middle, wide = map(int, words)
    return narrow, middle, wide


def _two(band: str) -> tuple[float, float]:
    try:
        low, high = (float(word) for word in band.split(","))
    except ValueError:
        low, high = 0.0, 0.0
    if not 0 < low <= high < float("inf"):
        raise UsageError(
            f"--pe-band takes two positive numbers, the lower first, and was given {band!r}.", "as in --pe-band 1.6,9."
        )
    return low, high
