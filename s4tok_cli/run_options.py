"""Options of the commands that fill a run's folder."""

from typing import Annotated, Literal, TypeAlias

from typer import Option

from s4tok_cli import options

Resume: TypeAlias = Annotated[
    bool, Option("--resume", help="Go on where the run was stopped.", rich_help_panel=options.OUTPUT)
]
Overwrite: TypeAlias = Annotated[
    bool,
    Option(
        "--overwrite",
        help="Remove the run that is there, and begin again.",
        rich_help_panel=options.OUTPUT,
        hidden=True,
    ),
]
Compile: TypeAlias = Annotated[
    bool,
    Option(
        "--compile",
        help="Compile the layers of transformers; the first steps then take minutes.",
        hidden=True,
    ),
]
Tf32: TypeAlias = Annotated[
    bool,
    Option(
        "--tf32",
        help="On a GPU, multiply in TF32 what is in float32 in layers.",
        hidden=True,
    ),
]
Log: TypeAlias = Annotated[
    Literal["wandb"] | None,
    Option(
        help="Show the figures on Weights & Biases too.",
        show_default="TensorBoard alone",
        rich_help_panel=options.OUTPUT,
        hidden=True,
    ),
]
