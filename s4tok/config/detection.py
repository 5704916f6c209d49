"""How boxes are found by a cloud's tokens, and how that is learned; 3DETR's and GroupFree3D's numbers for ScanNet."""

from dataclasses import dataclass
from typing import Annotated, Literal

from s4tok.config.kinds import Band, Count, NotNegative, Share
from s4tok.fields import Between


@dataclass(frozen=True)
class DetectorConfig:
    """What reads a scene, and the decoder whose queries find boxes in it (3DETR's numbers)."""

    encoder: Literal["3detr", "3detr-m", "pointnet++", "plain", "clip"] = "3detr"
    """What reads the scene without a checkpoint: 3DETR's encoder, its masked one, GroupFree3D's PointNet++, the plain
    transformer, or a frozen CLIP."""
    n_points: Count = 40_000
    """Points sampled of each scene."""
    n_tokens: Count = 2048
    """Tokens of each scene: farthest points, or of a frozen CLIP those of superpoints."""
    radius: NotNegative = 0.2
    """Metres; radius of the balls that 3DETR's own tokens are made of."""
    neighbors: Count = 64
    """Points of a ball at most; of the plain transformer's patches, the nearest. Bridge3D has 128 of those."""
    adapter_widths: tuple[int, int, int] = (64, 128, 256)
    """Widths of the layers that turn a ball into a token; the last is the width of 3DETR's own encoder."""
    encoder_layers: Count = 3
    """Layers of 3DETR's own encoder."""
    encoder_hidden: Count = 128
    """Hidden width of its MLPs."""
    encoder_dropout: Annotated[float | None, Between(0, 0.9)] = None
    """Share that is dropped in it; none is as in the decoder. 0.3 in 3DETR-m for ScanNet."""
    reaches: tuple[float, float, float] = (0.16, 0.64, 1.44)
    """Metres; with 3detr-m: how far tokens attend in the first three layers, and in later ones as in the third. Those
    of 3DETR's code, which compares distances with the squares of the printed 0.4, 0.8 and 1.2."""
    width: Count = 256
    """Width of the decoder."""
    heads: Count = 4
    """Attention heads, of the encoder too."""
    decoder_layers: Count = 8
    """Layers of the decoder; in training each one's boxes are compared with the true ones."""
    decoder_hidden: Count = 256
    """Hidden width of its MLPs."""
    queries: Count = 256
    """Query points of a scene, farthest ones of its tokens. 256 for ScanNet, 128 for SUN RGB-D."""
    angles: Count = 1
    """Parts that the circle of yaws is divided into; 1 finds boxes along the axes. 1 for ScanNet, 12 for SUN RGB-D."""
    reach: NotNegative = 0.5
    """Metres; how far a box's centre can lie from its query along each axis."""
    dropout: Annotated[float, Between(0, 0.9)] = 0.1
    """Share that is dropped in encoder and decoder."""
    head_dropout: Annotated[float, Between(0, 0.9)] = 0.3
    """Share that is dropped in 3DETR's heads."""
    decoder: Literal["3detr", "groupfree"] = "3detr"
    """What finds boxes among the tokens: 3DETR's decoder or GroupFree3D's."""
    query_points: Literal["objectness", "farthest"] = "objectness"
    """With groupfree: queries stand at the tokens that are likeliest part of a thing, or at farthest ones."""
    sizes: Literal["classes", "free"] = "classes"
    """With groupfree: a size is predicted in units of a class's mean size, or in metres. In metres for SUN RGB-D."""


@dataclass(frozen=True)
class BoxLossConfig:
    """How found boxes are matched to true ones and compared with them, and how scenes vary (3DETR's numbers)."""

    match_class: NotNegative = 1.0
    """Weight in the matching of the probability of the true class."""
    match_giou: NotNegative = 2.0
    """Weight in the matching of the generalised IoU."""
    match_center: NotNegative = 0.0
    """Weight in the matching of the distance of centres, in units of the scene's extent."""
    match_objectness: NotNegative = 0.0
    """Weight in the matching of the probability that there is anything."""
    class_weight: NotNegative = 1.0
    """Weight of the class's cross entropy."""
    no_object: NotNegative = 0.25
    """Weight in it of queries without a true box."""
    giou_weight: NotNegative = 1.0
    """Weight of the generalised IoU's loss. 0 for SUN RGB-D."""
    center_weight: NotNegative = 5.0
    """Weight of the distance of centres."""
    size_weight: NotNegative = 1.0
    """Weight of the difference of sizes."""
    angle_weight: NotNegative = 0.1
    """Weight of the cross entropy of a yaw's part of the circle."""
    residual_weight: NotNegative = 0.5
    """Weight of the place of a yaw in its part of the circle."""
    crop: Band | None = None
    """Augmentation: shares of the extent that a random box of a scene keeps along each axis; none keeps all of it."""
    crop_likeness: Share = 0.8
    """With crop: the least ratio of two of the cropped box's shares, as one pair of axes must have it."""
    mirror: Literal["both", "x"] = "both"
    """With flip: which horizontal axes are mirrored. Rooms both, single views x alone."""


@dataclass(frozen=True)
class GroupFreeLossConfig:
    """How boxes found by GroupFree3D's decoder are compared with true ones (its numbers)."""

    nearest: Count = 4
    """Tokens of each thing, the nearest to its middle, that queries should stand at."""
    query_weight: NotNegative = 0.8
    """Weight of the choice of those tokens. 0.2 for SUN RGB-D."""
    objectness_weight: NotNegative = 0.1
    """Weight of telling queries on a thing from others. 0.4 for SUN RGB-D."""
    class_weight: NotNegative = 0.1
    """Weight of the class's cross entropy; of the yaw's part of the circle and of the typical size too."""
    center_delta: Annotated[float, Between(1e-6)] = 0.04
    """Metres; centres that are farther off are pulled by a constant force. 0.1111 for SUN RGB-D."""
    size_delta: Annotated[float, Between(1e-6)] = 0.1111
    """The same for sizes, in units of the typical one. 0.0625 for SUN RGB-D."""
    residual_delta: Annotated[float, Between(1e-6)] = 1.0
    """The same for the place of a yaw in its part of the circle. 0.04 for SUN RGB-D."""
    factor: NotNegative = 10.0
    """Factor of all of it."""
    decoder_rate: NotNegative = 0.1
    """Learning rate of the decoder's attention, in those of the rest. 0.05 for SUN RGB-D."""


@dataclass(frozen=True)
class DetectConfig:
    """How found boxes are thinned out, scored and written."""

    overlap: Share = 0.25
    """Boxes that overlap a surer one of their class by more are dropped. 3DETR's, as the next two."""
    least_objectness: Share = 0.05
    """Boxes that are less sure to hold anything are not counted."""
    fewest_points: int = 5
    """Boxes that hold fewer points are dropped."""
    score: Share = 0.3
    """Boxes are written that score at least this; figures count all of them."""
    seeds: Count = 5
    """Samples of each scene that figures are measured on; the first one's boxes are written."""
    seed: int = 0
    """Seed of those samples."""
