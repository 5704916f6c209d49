"""The options that mean the same in several commands.

A command takes what it needs of these as parameters; a dataclass such as `source: Clouds` stands for all its fields.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from typer import Argument, Option
from typer.models import OptionInfo

from s4tok.config import DATA_ROOT, FrameConfig, Scene, SegmentConfig
from s4tok.errors import UsageError
from s4tok_cli import completion, console

if TYPE_CHECKING:
    from s4tok.datasets.dataset import CloudDataset

# Panels of the help, in its order; those of a command's own subjects come after the input.
INPUT, MODELS, OUTPUT, RUNNING = "Input", "Models", "Output", "Running"

Source: TypeAlias = Annotated[
    list[str] | None,
    Argument(
        metavar="SOURCE",
        help="A dataset's folder or known name, or files.",
        show_default=False,
        autocompletion=completion.or_path(completion.datasets),
    ),
]
Dataset: TypeAlias = Annotated[
    str | None,
    Option(
        help="The dataset's kind, where its layout does not tell.",
        metavar="NAME",
        show_default="told by the layout",
        rich_help_panel=INPUT,
        hidden=True,
    ),
]
DataRoot: TypeAlias = Annotated[
    Path,
    Option(
        envvar="S4TOK_DATA",
        show_envvar=False,
        help="The folder of datasets that are called by their known names.",
        metavar="DIR",
        rich_help_panel=INPUT,
        hidden=True,
    ),
]
Cache: TypeAlias = Annotated[Path, Option(help="Folder of all caches.", metavar="DIR")]
Split: TypeAlias = Annotated[
    str | None,
    Option(
        help="Which split.",
        metavar="train|val|test|all",
        show_default="train",
        rich_help_panel=INPUT,
    ),
]
ResultSplit: TypeAlias = Annotated[
    str | None,
    Option(
        help="Which split.",
        metavar="train|val|test|all",
        show_default="test, else val",
        rich_help_panel=INPUT,
    ),
]


def limit(about: str, default: str = "all") -> OptionInfo:
    """Make the option --limit of a command that says what is limited, and to how many without it."""
    option: OptionInfo = Option(min=1, help=about, metavar="N", show_default=default, rich_help_panel=INPUT)
    return option


Limit: TypeAlias = Annotated[int | None, limit("Only the first N clouds.")]
ShardOf: TypeAlias = Annotated[
    str | None,
    Option(
        help="Do part i of n, counted from 0; 'auto' asks Slurm.",
        metavar="I/N|auto",
        show_default="all of it",
        hidden=True,
    ),
]
Workers: TypeAlias = Annotated[int, Option(min=0, help="Processes; 0: one for each core.", metavar="N")]
Device: TypeAlias = Annotated[str, Option(help="Where PyTorch computes.", metavar="auto|cpu|cuda")]
Seed: TypeAlias = Annotated[int, Option(help="Seed of all that is random; same seed, same result.", metavar="N")]
Overwrite: TypeAlias = Annotated[
    bool,
    Option("--overwrite", help="Make entries anew that are there already.", rich_help_panel=OUTPUT, hidden=True),
]
Auto: TypeAlias = Annotated[
    bool,
    Option("--auto", help="First run the stages that are missing.", rich_help_panel=OUTPUT),
]


def out(default: str, about: str, metavar: str = "DIR") -> OptionInfo:
    """Make the option --out of a command that says where results go without it; a folder, or FILE."""
    option: OptionInfo = Option("--out", help=about, metavar=metavar, show_default=default, rich_help_panel=OUTPUT)
    return option


def results_folder(out: Path | None, usual: Path | None, **asked: bool) -> Path | None:
    """Give the folder of the results, `usual` where none is named; `asked` are the options that write files there.

    Raises:
        UsageError: Where a file has the folder's name, or files are asked for and there is no folder.
    """
    folder = out or usual
    flag = next((name.replace("_", "-") for name, is_asked in asked.items() if is_asked), None)
    if folder is None and flag is not None:
        raise UsageError(f"--{flag} writes files, and of a dataset none are written without --out.", "--out DIR.")
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, and results need a folder.", "--out DIR names another.")
    return folder


Html: TypeAlias = Annotated[
    bool, Option("--html", help="Write a page for a browser of each cloud.", rich_help_panel=OUTPUT)
]


def picture(about: str, *endings: str) -> OptionInfo:
    """Make an option that names a picture, .png where no other endings are said; others are refused at once."""
    known = endings or (".png",)

    def checked(path: Path | None) -> Path | None:
        if path is not None and path.suffix.lower() not in known:
            raise UsageError(f"{path}: pictures are {' or '.join(known)} files.")
        return path

    metavar = "|".join(f"FILE{each}" for each in known)
    option: OptionInfo = Option(
        help=about, metavar=metavar, show_default="none", rich_help_panel=OUTPUT, callback=checked
    )
    return option


Preview: TypeAlias = Annotated[Path | None, picture("Draw the first clouds into a picture.")]
BoxFormats: TypeAlias = Annotated[
    str,
    Option(
        "--box-format",
        help="Files to write of boxes: json, csv, ply, kitti.",
        metavar="NAME,...",
        rich_help_panel=OUTPUT,
        hidden=True,
    ),
]
Up: TypeAlias = Annotated[
    str | None,
    Option(
        help="Axis that points up.",
        metavar="auto|x|y|z",
        show_default="auto",
        rich_help_panel=INPUT,
    ),
]
UnitOf: TypeAlias = Annotated[
    str | None,
    Option(
        "--unit",
        help="Unit of own rooms.",
        metavar="auto|m|cm|mm|inch",
        show_default="auto",
        rich_help_panel=INPUT,
        hidden=True,
    ),
]
Scale: TypeAlias = Annotated[
    float,
    Option(
        help="Multiply own files by this; 0.001 reads millimetres.",
        metavar="X",
        rich_help_panel=INPUT,
        hidden=True,
    ),
]
Room: TypeAlias = Annotated[
    bool | None,
    Option(
        "--room/--object",
        help="Take own files for rooms, or for objects.",
        show_default="by size and shape",
        rich_help_panel=INPUT,
    ),
]


CloudsOf: TypeAlias = Annotated[
    Literal["scenes", "frames", "rooms"] | None,
    Option(
        help="Take clouds whole, of rooms what each posed RGB-D frame measured, or objects put together in rooms.",
        show_default="scenes",
        rich_help_panel=INPUT,
        hidden=True,
    ),
]
FrameStep: TypeAlias = Annotated[
    int, Option(min=1, help="Take every n-th frame of a scene.", metavar="N", rich_help_panel=INPUT, hidden=True)
]


@dataclass(frozen=True)
class Clouds:
    """The options that choose a dataset and its clouds, all of which a command takes as `source`."""

    source: Source = None
    dataset: Dataset = None
    data_root: DataRoot = DATA_ROOT
    split: Split = None
    up: Up = None
    unit: UnitOf = None
    limit: Limit = None
    clouds: CloudsOf = None
    frame_step: FrameStep = FrameConfig.step
    prefer: ClassVar[Sequence[str]] = ("train",)  # splits to take where none was named

    @property
    def is_own(self) -> bool:
        """Tell whether files of a user's own were chosen, before any is opened."""
        from s4tok.datasets.open import find_source
        from s4tok.datasets.table import OWN_FILES

        return find_source(self.source or [], self.dataset, self.data_root)[0] == OWN_FILES

    def open(self, *, room: bool | None = None, scale: float = SegmentConfig.scale) -> "CloudDataset":
        """Open the dataset that was chosen; own files hold rooms, or objects, where `room` says so."""
        from s4tok.datasets.open import open_dataset

        scene: Scene | None = None if room is None else "room" if room else "object"
        clouds = open_dataset(
            self.source or [], split=self.split, dataset=self.dataset, root=self.data_root, up=self.up,
            unit=self.unit, scene=scene, scale=scale, limit=None if self.clouds == "rooms" else self.limit,
            prefer=self.prefer,
        )  # fmt: skip
        for each in clouds.remarks:
            console.note(each)
        if self.clouds == "frames":
            from s4tok.datasets.frame_clouds import FrameClouds

            clouds = FrameClouds(clouds, FrameConfig(step=self.frame_step))
        elif self.clouds == "rooms":
            from s4tok.datasets.object_rooms import ObjectRooms

            clouds = ObjectRooms(clouds)
        clouds.keys = clouds.keys[: self.limit]
        return clouds


@dataclass(frozen=True)
class ResultClouds(Clouds):
    """The same, of a command that shows what a checkpoint makes of clouds it was not trained on."""

    split: ResultSplit = None
    prefer: ClassVar[Sequence[str]] = ("test", "val")
