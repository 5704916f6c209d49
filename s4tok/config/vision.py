"""How clouds are seen: views, frames, masks and the 2D model."""

from dataclasses import dataclass
from typing import Annotated, Literal

from s4tok.config.kinds import Count, NotNegative, Share
from s4tok.fields import Between


@dataclass(frozen=True)
class ViewConfig:
    """How a cloud is drawn or seen (Sec. 4; PointCLIP V2's ten views for objects, posed frames for scenes)."""

    size: int = 224  # pixels; PointCLIP V2
    projection: Literal["segmentation", "classification"] = "segmentation"  # PointCLIP V2 has one for each
    object_ratio: float = 0.7  # share of the image a mesh spans; PointCLIP V2's for segmentation
    projection_compat: Literal["corrected", "pclipv2"] = "corrected"  # the release reads the transposed pixel; [B18]
    image: Literal["color", "depth", "shaded"] = "depth"
    frame_step: int = 20  # every 20th valid frame of a scene; OpenScene
    zoom: float = 1.0  # at least 1; frames are seen through squares so many times smaller than their shorter side
    border: int = 10  # pixels at the image's edge that see nothing; OpenScene, Open3DIS
    occlusion: Literal["openscene", "open3dis"] = "openscene"
    occlusion_relative: float = 0.25  # |depth - z| <= 0.25 depth; OpenScene
    occlusion_absolute: float = 0.1  # metres; Open3DIS

    @classmethod
    def of_frames(cls, clip: str) -> "ViewConfig":
        """Give how posed frames are shown to a CLIP. The mini CLIP knows depth alone, and has 7 x 7 patches to see by.

        Its zoom was chosen on three rooms each of toy-scans and toy-rooms, validation: 1.5 of 1, 1.5, 2 and 3.
        mini2 has patches as large, and knows colours.
        """
        if clip == "mini":
            return cls(image="depth", zoom=1.5)
        return cls(image="color", zoom=1.5 if clip == "mini2" else 1.0)


@dataclass(frozen=True)
class FrameConfig:
    """How single RGB-D frames become clouds of their own; [C4], and the recipe of Bridge3D's release."""

    step: Count = 20
    """Take every n-th frame of a scene. As for features; Bridge3D takes every 5th."""
    n_points: Count = 20_000
    """Pixels of a frame that become points at most. Bridge3D's."""
    least_depth: Share = 0.3
    """Share of its pixels whose depth was measured, at least; a frame with less fails."""
    seed: int = 0
    """Seed of the choice of pixels."""


@dataclass(frozen=True)
class VirtualConfig:
    """Frames of a cloud that comes without images: cameras in its free space, and if asked above it.

    How many look where was chosen on four toy-scans and three toy-rooms, val: `docs/results/own-clouds.md`.
    """

    places: Count = 4
    """Places of the floor plan from which a cloud is seen, at most."""
    around: Count = 8
    """Directions from each place at eye height, evenly around, at each of the pitches."""
    pitches: tuple[float, ...] = (35.0, 5.0, -30.0)
    """Degrees below the horizon that they look: at things, ahead, and up at what a ceiling has."""
    above: Annotated[int, Between(0)] = 0
    """Directions from above each place, the ceiling left out. Six of them cost toy-scans a quarter of the mIoU."""
    eye: Share = 0.6
    """Height of the eye, as a share of the room's. 1.5 m of 2.5 m."""
    over: Share = 0.1
    """Height of the cameras above over the ceiling, as a share of the room's."""
    steep: NotNegative = 50.0
    """Degrees that the cameras above look down."""
    angle: Annotated[float, Between(10, 150)] = 45.0
    """Degrees that a frame spans; things are about as large as in a film of a hand-held camera."""
    size: Count = 320
    """Pixels of a frame's sides."""


@dataclass(frozen=True)
class GraphMaskConfig:
    """How pixels of an RGB-D image are merged into masks without weights; chosen on toy-scans, train."""

    scale: NotNegative = 1.0
    """What a mask may differ inside beyond its worst edge, divided by its pixels; a higher one gives larger masks."""
    color: NotNegative = 1.0
    """Weight of the difference of two pixels' colours, 0 .. 1 each."""
    normal: NotNegative = 1.0
    """Weight of 1 - |cos| of their normals."""
    depth: NotNegative = 20.0
    """Weight of their step across the surface, as a share of the depth."""
    window: Count = 5
    """Side in pixels of the squares that normals are measured in."""
    smallest_merge: Count = 10
    """Pixels under which a piece joins its nearest neighbour."""
    smallest: Count = 100
    """Pixels of a mask at least. As Bridge3D has it of SAM's."""
    columns: Count = 160
    """Columns that are merged at most; of wider images every other pixel, or fewer. 320 take five times as long."""


@dataclass(frozen=True)
class SamMaskConfig:
    """How a SAM is asked for the masks of an image; the numbers of Bridge3D's release unless said otherwise."""

    points: Count = 32
    """Points a side of the grid that the whole image is asked by."""
    predicted_iou: Share = 0.86
    """What the model says of a mask's IoU with the truth, at least. segment-anything has 0.88."""
    stability: Share = 0.92
    """IoU of a mask with itself under other thresholds, at least. segment-anything has 0.95."""
    crop_layers: int = 1
    """Layers of crops that are asked too: 4 in the first, 16 in the second. segment-anything has none."""
    crop_downscale: Count = 2
    """How many times fewer points a side each layer of crops has."""
    crop_overlap: Share = 512 / 1500
    """Overlap of the first layer's crops, in shorter sides of the image. segment-anything's."""
    box_overlap_most: Share = 0.7
    """IoU of the boxes of two masks of one crop, at most. segment-anything's."""
    crop_overlap_most: Share = 0.7
    """The same of masks of several crops; the smaller crop's stays. segment-anything's."""
    smallest: Count = 100
    """Pixels of a mask at least, as a whole and where no smaller one lies on it. Bridge3D fills and drops pieces."""
    points_at_once: Count = 64
    """Points that are asked together, which changes no mask. segment-anything's."""


@dataclass(frozen=True)
class VisionConfig:
    """Which frozen 2D model reads the views, and how CLIP's dense features are taken (Sec. 4)."""

    model: str = "ViT-B-16"
    """The frozen CLIP: mini, a name of open_clip, or a folder. Or hf-hub:owner/model; ViT-B-16 in Sec. 4."""
    pretrained: str | None = None
    """Its weights: a tag or a file, '' for random ones; none is the usual ones."""
    dense: Literal["last", "maskclip"] = "last"
    """Which dense features: the last layer's tokens, or MaskCLIP's. PointCLIP V2 reads the last layer's."""
