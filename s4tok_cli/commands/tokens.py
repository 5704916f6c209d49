"""`s4tok tokens`: how clouds become tokens, in numbers and as a picture."""

from pathlib import Path
from typing import Annotated

from typer import Option

from s4tok.config import SegmentConfig, TokenizerConfig
from s4tok.counted import counted
from s4tok_cli import completion, console, options
from s4tok_cli.commands import Place

PLACE = Place("Results", 5)
EXAMPLES = (
    "s4tok tokens scan.ply --room --preview tokens.png",
    "s4tok tokens toy-shapes --limit 3 --tokenizer knn",
)

PATCHES = "Patches"


def tokens(
    *,
    source: options.Clouds,
    room: options.Room = None,
    scale: options.Scale = SegmentConfig.scale,
    tokenizer: Annotated[
        str,
        Option(
            help="How tokens are made: knn, ball, s4token, or another row of Table 1.",
            metavar="NAME",
            autocompletion=completion.among(completion.tokenizers),
            rich_help_panel=PATCHES,
        ),
    ] = TokenizerConfig.tokenizer,
    n_tokens: Annotated[int, Option(min=1, help="Patches of a cloud.", metavar="N", rich_help_panel=PATCHES)] = 64,
    preview: Annotated[Path | None, options.picture("Draw the first cloud: superpoints, centres, patches.")] = None,
    seed: options.Seed = 0,
) -> None:
    """Group clouds into patches, one a token: which points they reach, and a picture.

    Superpoints are cut with the defaults; of large clouds 20,000 points are grouped.
    """
    clouds = source.open(room=room, scale=scale)  # before PyTorch is imported: what is wrong with it is told at once

    from s4tok_pipelines.inputs.own_clouds import parted
    from s4tok_pipelines.outputs.assumed import tell_assumed
    from s4tok_pipelines.stages.tokens import tokens as run

    progress = console.Progress()
    found = None
    for part in parted(clouds, report=progress):
        tell_assumed(part, progress)
        of_part = run(part, tokenizer, n_tokens=n_tokens, seed=seed, preview=preview, report=progress)
        found, preview = of_part if found is None else found.with_those_of(of_part), None
    assert found is not None
    facts = found.facts()
    of_clouds = counted(facts["clouds"], "cloud")
    console.result(
        f"{facts['superpoints']:.0%} of superpoints have a centre, {facts['points']:.0%} of points lie in one of "
        f"these, {facts['in_patches']:.0%} in a patch ({n_tokens} of {tokenizer}, mean of {of_clouds})"
    )
    console.finish(facts, found.failures)
