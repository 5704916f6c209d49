"""Options that choose the models by which clouds are labelled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

from typer import Option

from s4tok.config import DEFAULT_CHECKPOINT, VisionConfig
from s4tok_cli import completion, options

if TYPE_CHECKING:
    from s4tok_pipelines.inputs.models import ModelNames

Checkpoint: TypeAlias = Annotated[
    str | None,
    Option(
        help="One that is shipped, a run folder, or hf-hub:owner/name.",
        metavar="NAME|DIR",
        autocompletion=completion.or_path(completion.checkpoints),
        show_default=DEFAULT_CHECKPOINT,
        rich_help_panel=options.MODELS,
    ),
]
ZeroShot: TypeAlias = Annotated[
    bool,
    Option(
        "--zero-shot",
        help="Label by prompts though the checkpoint was fine-tuned.",
        rich_help_panel=options.MODELS,
        hidden=True,
    ),
]
CheckpointsClip: TypeAlias = Annotated[
    str | None,
    Option(
        help="The CLIP for labels.",
        metavar="NAME",
        show_default="the checkpoint's",
        rich_help_panel=options.MODELS,
    ),
]
VisionOnly: TypeAlias = Annotated[
    bool,
    Option("--vision-only", help="A CLIP on drawn views, no checkpoint.", rich_help_panel=options.MODELS),
]
Pretrained: TypeAlias = Annotated[
    str | None,
    Option(
        help="Weights of the model: one of its tags, or a file; '' for random ones.",
        metavar="TAG|FILE",
        show_default="its usual ones",
        rich_help_panel=options.MODELS,
        hidden=True,
    ),
]
TextModel: TypeAlias = Annotated[
    str | None,
    Option(
        help="For a checkpoint that was distilled from another model than its CLIP: where that lies.",
        metavar="NAME|DIR",
        show_default="the card's name",
        rich_help_panel=options.MODELS,
        hidden=True,
    ),
]
TextPretrained: TypeAlias = Annotated[
    str | None,
    Option(
        help="The weights of that model, as --pretrained.",
        metavar="TAG|FILE",
        show_default="its usual ones",
        rich_help_panel=options.MODELS,
        hidden=True,
    ),
]
Prompts: TypeAlias = Annotated[
    str | None,
    Option(
        help="Which: mini, clip, pclipv2, a file.",
        metavar="NAME|FILE",
        show_default="the CLIP's",
        rich_help_panel=options.MODELS,
    ),
]

Synonyms: TypeAlias = Annotated[
    str | None,
    Option(
        help="Other names of labels, sofa=couch=settee,...; or a .txt, a group a line.",
        metavar="NAME=NAME,...",
        show_default="none",
        rich_help_panel="Labelling",
        hidden=True,
    ),
]


@dataclass(frozen=True)
class Models:
    """The options that choose what labels clouds, all of which a command takes as `models`."""

    synonyms: Synonyms = None
    checkpoint: Checkpoint = None
    vision_only: VisionOnly = False
    zero_shot: ZeroShot = False
    clip: CheckpointsClip = None
    pretrained: Pretrained = VisionConfig.pretrained
    text_model: TextModel = None
    text_pretrained: TextPretrained = None
    prompts: Prompts = None

    def check(self) -> None:
        """Refuse what can be known to be wrong before PyTorch is imported."""
        from s4tok.models.checkpoint_files import find_checkpoint
        from s4tok.vision.weights import probe
        from s4tok.zero_shot.prompts import read_synonyms

        if self.synonyms is not None:
            read_synonyms(self.synonyms)
        if self.checkpoint is not None:
            find_checkpoint(self.checkpoint)
        probe(self.clip, self.pretrained)

    def names(self, device: str) -> "ModelNames":
        """Give them as stages take them."""
        from s4tok.zero_shot.prompts import read_synonyms
        from s4tok_pipelines.inputs.models import ModelNames

        synonyms = {} if self.synonyms is None else read_synonyms(self.synonyms)
        return ModelNames(
            self.checkpoint, self.clip, self.pretrained, self.prompts, self.vision_only, device, self.text_model,
            self.text_pretrained, self.zero_shot, synonyms,
        )  # fmt: skip
