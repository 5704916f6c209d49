"""`s4tok classify`: name clouds with words, and count how often that is right."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Option

from s4tok.config import ViewConfig, ZeroShotConfig
from s4tok_cli import console, model_options, options
from s4tok_cli.commands import Place
from s4tok_cli.provenance import in_words
from s4tok_pipelines.paths import CACHE

if TYPE_CHECKING:
    from s4tok_pipelines.stages.classify import Classified

PLACE = Place("Results", 1)
EXAMPLES = (
    "s4tok classify toy-shapes --auto",
    "s4tok classify chair.ply --labels chair,table,lamp",
)
LABELLING = "Labelling"  # a panel of the help

MISTAKES = 2  # shown of each class


def classify(
    *,
    labels: Annotated[
        str | None,
        Option(
            help="What a cloud may be, for example chair,table,lamp.",
            metavar="NAME,...",
            show_default="the dataset's categories",
            rich_help_panel=LABELLING,
        ),
    ] = None,
    models: model_options.Models,
    projection: Annotated[
        Literal["segmentation", "classification"],
        Option(help="For --vision-only: how views are drawn.", rich_help_panel=options.MODELS, hidden=True),
    ] = ViewConfig.projection,
    votes: Annotated[
        int,
        Option(
            min=1, help="Samples of each cloud whose features are averaged.", metavar="N", rich_help_panel=LABELLING
        ),
    ] = ZeroShotConfig.votes,
    scale: Annotated[
        float, Option(help="Multiply every cloud by this.", metavar="X", rich_help_panel=LABELLING, hidden=True)
    ] = ZeroShotConfig.scale,
    batch: Annotated[
        int, Option(min=1, help="Clouds at once on a GPU.", metavar="N", hidden=True)
    ] = ZeroShotConfig.batch,
    auto: options.Auto = False,
    source: options.ResultClouds,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    device: options.Device = "auto",
    seed: options.Seed = ZeroShotConfig.seed,
    out: Annotated[Path | None, options.out("nowhere", "A JSON file for the result.", "FILE")] = None,
) -> None:
    """Classify your own files, or the objects of a dataset.

    By the most similar label (zero-shot), or by the head of a fine-tuned checkpoint.
    """
    from s4tok.zero_shot.prompts import read_labels_of_whole, require_labels
    from s4tok_pipelines.outputs.assumed import called

    # Before PyTorch is imported, so that what is wrong is told at once.
    words, clouds = [] if labels is None else read_labels_of_whole(labels), source.open()
    if models.checkpoint is None:
        require_labels(words or clouds.categories, called(clouds))
    models.check()

    from s4tok_pipelines.outputs.results import plain
    from s4tok_pipelines.stages.by_name import classify_by_name

    found = classify_by_name(
        clouds,
        cache,
        models.names(device),
        ZeroShotConfig(batch=batch, votes=votes, scale=scale, seed=seed),
        labels=words,
        views=replace(ViewConfig(), projection=projection),
        out=out,
        auto=auto,
        workers=workers,
        report=console.Progress(),
    )
    _tell(found)
    console.finish(plain(found.facts()), found.failures)


def _tell(found: "Classified") -> None:
    """Show the categories and their mistakes, or each cloud's names."""
    if found.figures is None:
        width = max(map(len, found.answers))
        for key, best in found.answers.items():
            console.result(f"{key:<{width}}  {', '.join(f'{name} {score:.3f}' for name, score in best)}")
        kind = "probabilities" if found.by_head else "cosine similarities"
        console.result(f"{in_words(found.about, len(found.answers), has_scenes=False)}; figures are {kind}")
        return
    figures, about = found.figures, found.about
    rows = []
    for number, (name, counts, right) in enumerate(
        zip(found.classes, figures.counts, figures.scores.recall, strict=True)
    ):
        wrong = [other for other in counts[:-1].argsort(kind="stable")[::-1] if other != number and counts[other]]
        taken_for = ", ".join(f"{found.classes[other]} {counts[other]}" for other in wrong[:MISTAKES])
        n_clouds = counts.sum()
        rows.append((name, str(n_clouds), f"{right:.1%}" if n_clouds else "", taken_for))
    console.table(("category", "clouds", "right", "taken for"), rows)
    low, high, _ = figures.accuracy
    console.result(
        f"accuracy {figures.scores.accuracy:.1%} ({about['bootstrap']['level']:.0%} interval {low:.1%} to {high:.1%}), "
        f"mean over categories {figures.scores.macc:.1%}, chance {1 / len(found.classes):.1%}"
    )
    console.result(in_words(about, len(found.answers)))
