"""The words that settings are written in, and numbers that several stages share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from s4tok.fields import Between

DATA_ROOT = Path("data")  # where a known name such as "scannet" is looked for
SHIPPED_FOLDER = Path(__file__).parents[1] / "mini_students"  # checkpoints that come with s4tok
DETECTOR_FOLDER = SHIPPED_FOLDER.with_name("mini_detector")  # and the one that finds boxes
PROMPTS = Path(".s4tok/prompts")  # where prompts lie that s4tok may not carry
ROOM_FROM = 2.5  # metres; no own file that is shorter is taken for a room
LARGEST_IN_METRES = 100.0  # nothing longer is a room in metres
ROOM_WINDOW = 4.0  # metres, the side of the columns a room is cut into for a checkpoint that was trained on none
CALIBRATION_SHARE = 0.5  # of each label's mean cosine, where labels are calibrated and neither card nor user says more
SURFACE_POINTS = 8192  # drawn from a mesh file; ShapeNet55's clouds have as many

Scene: TypeAlias = Literal["object", "room"]
Axis: TypeAlias = Literal["x", "y", "z"]
Unit: TypeAlias = Literal["m", "cm", "mm", "inch"]
Preset: TypeAlias = Literal["paper", "toy", "quick"]
PretrainPreset: TypeAlias = Literal[
    "paper", "toy", "quick", "sam-stage1", "sam-stage2", "sam-stage1-toy", "sam-stage2-toy"
]
SuperpointPreset: TypeAlias = Literal["default", "cut-pursuit", "paper", "masks"]
PointKind: TypeAlias = Literal["rgb", "normals"]
Task: TypeAlias = Literal["parts", "scenes", "objects"]
FinetuneTask: TypeAlias = Literal["parts", "scenes", "objects", "detection"]
FinetunePreset: TypeAlias = Literal["toy", "table1", "tableA-parts", "tableA-s3dis", "sam", "sam-toy"]
DetectionPreset: TypeAlias = Literal["toy", "scannet", "sunrgbd", "ablation", "groupfree-scannet", "groupfree-sunrgbd"]
Protocol: TypeAlias = Literal["block-2048", "block-4096", "rooms"]

Count: TypeAlias = Annotated[int, Between(1)]
AtLeastTwo: TypeAlias = Annotated[int, Between(2)]
Share: TypeAlias = Annotated[float, Between(0, 1)]
NotNegative: TypeAlias = Annotated[float, Between(0)]
Band: TypeAlias = Annotated[tuple[float, float], Between(1e-9, rising=True)]

DEFAULT_CHECKPOINT = "universal2+labels"  # that is used where none is named, for objects and rooms alike
DEFAULT_DETECTOR = "boxes"  # the one of DETECTOR_FOLDER
# Of the CLIPs that come with s4tok, the checkpoint whose means calibrate one that labels rooms without a checkpoint.
CALIBRATING: Mapping[str, str] = {"mini": "universal", "mini2": "universal2"}
NO_CHECKPOINT = "none"  # in place of a checkpoint's name: a tokenizer that was never trained
