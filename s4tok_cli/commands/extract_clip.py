"""`s4tok extract-clip`: encode views with a frozen CLIP."""

from typing import Annotated, Literal

from typer import Option

from s4tok.config import VisionConfig
from s4tok_cli import model_options, options
from s4tok_cli.commands import Place
from s4tok_cli.commands.extract_features import Extraction, extract

PLACE = Place("Stages", 4)
EXAMPLES = (
    "s4tok extract-clip toy-shapes --clip mini --auto",
    "s4tok extract-clip data/scannet --clip ViT-B-16 --frame-step 20",
)


def extract_clip(
    *,
    clip: Annotated[
        str,
        Option(
            help="The CLIP: mini, an open_clip name, a folder, or hf-hub:owner/model.",
            metavar="NAME|DIR",
            rich_help_panel=options.MODELS,
        ),
    ] = VisionConfig.model,
    pretrained: model_options.Pretrained = VisionConfig.pretrained,
    dense: Annotated[
        Literal["last", "maskclip"],
        Option(help="Features of patches: the last layer's, or its value path.", rich_help_panel=options.MODELS),
    ] = VisionConfig.dense,
    source: options.Clouds,
    how: Extraction,
) -> None:
    """Encode views or camera images with a frozen CLIP, and keep each superpoint's mean feature.

    The same stage as extract-features, which has other models too.
    """
    extract(VisionConfig(clip, pretrained, dense), source, how)
