"""The papers' numbers, one frozen dataclass a stage, each field with its reason.

Equation and section numbers are those of the S4Token paper. "Silent" marks a number that the paper does not print.
Defaults live here and nowhere else: the command line and the library both read them from these classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from s4tok.fields import Between

DATA_ROOT = Path("data")  # where a known name such as "scannet" is looked for
SHIPPED_FOLDER = Path(__file__).parent / "mini_students"  # checkpoints that come with s4tok
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
SuperpointPreset: TypeAlias = Literal["default", "paper", "masks"]
PointKind: TypeAlias = Literal["rgb", "normals"]
Task: TypeAlias = Literal["parts", "scenes", "objects"]
FinetunePreset: TypeAlias = Literal["toy", "table1", "tableA-parts", "tableA-s3dis"]
Protocol: TypeAlias = Literal["block-2048", "block-4096", "rooms"]

Count: TypeAlias = Annotated[int, Between(1)]
AtLeastTwo: TypeAlias = Annotated[int, Between(2)]
Share: TypeAlias = Annotated[float, Between(0, 1)]
NotNegative: TypeAlias = Annotated[float, Between(0)]
Band: TypeAlias = Annotated[tuple[float, float], Between(1e-9, rising=True)]

# The checkpoints that are used where none is named: for objects of any size, and for rooms.
STUDENTS: Mapping[Scene, str] = {"object": "s4token+context", "room": "universal"}
NO_CHECKPOINT = "none"  # in place of a checkpoint's name: a tokenizer that was never trained


@dataclass(frozen=True)
class SuperpointConfig:
    """How a cloud is cut into superpoints (Sec. 3.2, App. A.1)."""

    method: str = "cut-pursuit"
    """How: cut-pursuit, grid, masks, scannet-segments or labels (yours)."""
    anchors: Count = 4096
    """Farthest point samples among which neighbours are searched, |Q| of Eq. 10. Silent."""
    neighbors: Count = 30
    """Neighbours of a point in Eq. 10, K. Silent; Open3D's and the authors' habit."""
    sqrt_eigenvalues: bool = False
    """Take square roots of the eigenvalues in Eq. 11, as superpoint graphs do. The paper prints none."""
    standardized: bool = False
    """Scale each feature to mean 0 and variance 1 within the cloud. That blows a single plane's noise up to edges."""
    normal_form: Literal["outer", "oriented"] = "outer"
    """How normals n are used: n n^T, which has no sign (outer), or n itself (oriented). The latter is printed."""
    geometry_weight: NotNegative = 0.7
    """Weight of the shape features, Eq. 11, beside the normal. Silent; from trials on objects."""
    adjacency: Count = 10
    """Nearest neighbours that a point is joined to in the graph. Silent; as in superpoint graphs."""
    regularization: NotNegative = 0.15
    """Price of a cut edge; a higher one gives fewer superpoints. Silent. Lower in rooms, whose planes are joined."""
    smoothness: NotNegative = 0.0
    """Merge neighbours whose border bends less than this; 0 merges none. As printed."""
    smallest: Count = 10
    """Fewest points of a superpoint; smaller ones are merged. Silent."""
    smallest_share: Share = 0.006
    """The same as a share of the cloud's points; the larger counts. 6 of 1,024 hold a centre."""
    voxel: NotNegative = 0.0
    """Metres; cut one point a voxel, 0 cuts every point. Labels are carried back."""
    grid_cells: Count = 100
    """Cells of a cloud, of the method grid."""
    masks: str = "graph"
    """Of the method masks: whose masks, by the name that extract-masks was given."""
    mask_smallest: Count = 10
    """Of the method masks: fewest points of a mask; smaller ones are dropped. Silent, [C4]."""
    mask_group: Count = 128
    """Of the method masks: points of a group where no mask is. Bridge3D's patches have as many."""
    frame_step: Count = 20
    """Of the method masks: take every n-th frame of a scene. As for features."""
    seed: int = 0
    """Seed of all that is random."""

    @classmethod
    def of(cls, scene: Scene, preset: SuperpointPreset = "default") -> "SuperpointConfig":
        """Give the defaults for objects or for rooms, the printed form of App. A.1, or regions of masks.

        The printed form has the normal itself beside the unweighted shape, standardised, and no merging of smooth
        pieces. Regularisation and smallest pieces are not printed; these are customary with superpoint graphs.
        """
        if preset == "masks":
            return cls("masks")
        config = cls()
        if preset == "paper":
            config = cls(
                normal_form="oriented", geometry_weight=1.0, standardized=True,
                regularization=0.05, smoothness=0.0, smallest=10, smallest_share=0.0,
            )  # fmt: skip
        if scene == "object":
            return config
        room = replace(config, anchors=32768, smallest=30, smallest_share=0.0, voxel=0.02)
        if preset == "paper":
            return replace(room, regularization=0.1)
        return replace(room, regularization=0.05, smoothness=0.4)

    def smallest_of(self, n_points: int) -> int:
        """Give the points that a superpoint has at least, in a cloud of which so many points are cut."""
        return max(self.smallest, ceil(self.smallest_share * n_points))


@dataclass(frozen=True)
class TokenizerConfig:
    """How superpoints become tokens (Sec. 3.2, eq. 2, 3, 12)."""

    tokenizer: str = "s4token"
    """How tokens are made: a row of Table 1. Other packages may add rows."""
    n_points: Count = 2048
    """Points sampled of each cloud. 2,048 in Sec. 4."""
    n_tokens: Count = 128
    """Tokens of each cloud, m. Silent; Point-MAE's choice for 2,048 points."""
    patch_size: Count = 32
    """Points of a patch at most, k. Silent, as above."""
    gamma: float = 0.1
    """Strength of the superpoint weight in the sampling of centres, Eq. 2. 0.1 in Sec. 4."""
    wfps_sign: Literal["text", "paper"] = "text"
    """Sign of that weight: text favours small superpoints, paper is the printed exponent. They contradict each other
    (Fig. B follows the text); [A1]."""
    smallest_center: int = 5
    """Superpoints with fewer points supply no centres. Silent, [A6]."""
    alpha: float = 1.0
    """Grouping radius in mean spacings of the centres, Eq. 3. 1 in Sec. 4."""
    adapter_widths: tuple[int, int, int] = (128, 256, 512)
    """Widths of the mini-PointNet that turns a patch into a token. Silent; Point-BERT's."""
    pe: Literal["learned", "fixed"] = "learned"
    """Positional encoding: learned adds an MLP of the waves, fixed is Eq. 12 alone. Fixed waves are 6 % of a token's
    norm, and a frozen transformer makes little of them; the works that the paper cites learn theirs; [A24]."""
    pe_hidden: int = 128
    """Hidden width of that MLP. Point-BERT's."""
    pe_scale: Literal["spread", "radius", "none"] = "spread"
    """Unit of the positional encoding: root mean square distance of the points (spread), grouping radius, or none.
    "spread" changes with neither tokens nor alpha; "none" is Eq. 12 as printed and not scale-invariant; [A23]."""
    pe_radii: NotNegative = 6.0
    """With pe_scale "radius": grouping radii in a unit. Half an object's extent at 128 tokens."""
    pe_amplitude: float | None = None
    """Amplitude of the positional encoding; none is 0.3, and 1 with pe_scale "none". 1 drowned the tokens of a small
    frozen ViT."""
    pe_band: Band | None = None
    """Lowest and highest frequency of the positional encoding, rad per unit; none is 1.6,9, or 1e-4,1 with pe_scale
    "none"."""
    seed: int = 0

    @property
    def amplitude(self) -> float:
        """Give the amplitude of the positions' waves: as set, or what suits their unit."""
        if self.pe_amplitude is not None:
            return self.pe_amplitude
        return 1.0 if self.pe_scale == "none" else 0.3

    @property
    def band(self) -> tuple[float, float]:
        """Give the lowest and highest frequency of the positions' waves: as set, or what suits their unit."""
        if self.pe_band is not None:
            return self.pe_band
        return (1e-4, 1.0) if self.pe_scale == "none" else (1.6, 9.0)


@dataclass(frozen=True)
class EncoderConfig:
    """How the frozen transformer reads tokens (Sec. 3.3)."""

    attend: NotNegative = 0.0
    """Limit each token's attention to tokens within so many grouping radii; 0 is no limit. As in the paper."""


@dataclass(frozen=True)
class BackboneConfig:
    """The plain transformer of the SAM-guided system, which is trained; 3DETR's size, as Bridge3D's release has it."""

    width: Count = 256
    """Width of the plain transformer."""
    layers: Count = 3
    """Layers of the plain transformer."""
    heads: Count = 4
    """Attention heads of the plain transformer."""
    mlp_ratio: Count = 2
    """Hidden width of its MLPs, in widths. Bridge3D's; 3DETR has a half."""


@dataclass(frozen=True)
class PropagationConfig:
    """How features of tokens come back to points (Sec. 3.3, eq. 4)."""

    epsilon: float = 1e-4
    """Added to distances, in grouping radii. As printed it would have a unit of length; [A16]."""
    fallback_centers: int = 3
    """Nearest centres whose tokens stand for a superpoint without any. Silent, [A15]."""


@dataclass(frozen=True)
class ClusterConfig:
    """How teacher features are clustered for the assignment loss (App. A.3, eq. 13-15)."""

    n_clusters: Count = 24
    """Clusters of a cloud's tokens in the assignment loss, K. 24 in Sec. 4; Table 7."""
    iterations: int = 20
    """Iterations of clustering. App. A.3, "typically 20"."""
    radius_factor: float = 1.0
    """Radius of a cluster in mean distances of nearest seeds. The patch radius leaves 70 % unreached; [A9]."""
    epsilon: float = 0.05
    """Entropy of Sinkhorn's assignment. Silent; SwAV's."""
    sinkhorn_iterations: int = 5
    """Iterations of Sinkhorn. Few, and ending with rows; [A11]."""


@dataclass(frozen=True)
class LoopConfig:
    """How long and by what steps anything is trained (Sec. 4); the loop reads nothing else."""

    optimizer: Literal["adamw", "muon"] = "adamw"
    """The optimizer: adamw (the paper's) or muon, which needs fewer steps here. Sec. 4."""
    learning_rate: NotNegative = 5e-4
    """Highest learning rate. Sec. 4."""
    weight_decay: NotNegative = 0.05
    """Weight decay. Sec. 4 calls it "decay weight"."""
    second_moment: Share = 0.999
    """AdamW's beta 2. Silent; PyTorch's."""
    epochs: Count = 300
    """Passes over the training clouds. 300 in Sec. 4."""
    warmup_epochs: int = 10
    """Epochs in which the learning rate rises. Silent; PCP-MAE's."""
    smallest_rate: NotNegative = 1e-6
    """Learning rate at the end. Silent; PCP-MAE's."""
    batch: Count = 128
    """Clouds a step, shared by all processes. 128 in Sec. 4."""
    clip_gradient: NotNegative = 10.0
    """Greatest norm of the gradient. Silent; Point-MAE's."""
    seed: int = 0
    """Seed of all that is random. Same seed, same result, whatever the processes."""


@dataclass(frozen=True)
class PretrainConfig(LoopConfig):
    """How the tokenizer is trained (Sec. 3.4, Sec. 4, App. A)."""

    loss: Literal["total", "assign", "distill"] = "total"
    """Which losses train: assignment and distillation (total), or one of them; Table 6."""
    mask_ratio: Share = 0.6
    """Share of tokens that are masked. 0.6 in Sec. 4."""
    decoder_layers: Count = 2
    """Layers of the decoder that predicts masked tokens. Silent, [A25]."""
    teacher_momentum: Share = 0.996
    """Momentum of the EMA teacher, which rises to 1. Along a cosine; silent, [A13]."""
    temperature: float = 0.1
    """Temperature of the assignment loss, tau of Eq. 6. Silent."""
    local_weight: NotNegative = 0.5
    """Weight of the superpoints' distillation loss, lambda_l. 0.5 in Sec. 4."""
    global_weight: NotNegative = 0.5
    """Weight of the whole cloud's distillation loss, lambda_g. 0.5 in Sec. 4."""
    difference_weight: NotNegative = 0.0
    """Weight of the difference loss, which compares how superpoints differ from their mean. The paper has none."""
    distill_pass: Literal["masked", "full", "both"] = "masked"
    """Distil from the masked pass, from one that sees every token (full), or from both. [A27]."""
    head: Literal["none", "linear"] = "none"
    """A layer behind the frozen projection: none, or a linear one that begins as the identity. The paper has none."""
    center_targets: bool = False
    """Subtract the batch's mean target before the cosine losses. An option to be tested."""
    scale_range: Band = (2 / 3, 3 / 2)
    """Augmentation: factors that each axis is scaled by. Silent; PCP-MAE's."""
    shift: NotNegative = 0.2
    """Augmentation: greatest shift along each axis. As above."""
    draws: Count = 4
    """Point samples of each cloud, which epochs use in turn. Taking one costs more than grouping it."""
    draw_seed: int = 0
    """Seed of the point samples, which runs of several seeds share."""
    mix: Share = 0.0
    """Share of objects that are put among others, on a floor and before a wall. The paper has none."""
    mix_objects: AtLeastTwo = 4
    """With mix: objects of a mixed cloud at most."""
    window: NotNegative = 0.0
    """Metres; side of the square columns cut from rooms, 0 for whole rooms. Silent, [A22]."""
    windows: Count = 16
    """With window: columns cut from each room. Clouds of their own."""
    held_out: Share = 0.05
    """Share of the clouds to validate on, where the dataset has no validation split."""
    validation_clouds: Count = 256
    """Clouds to validate on at most, after each epoch."""


@dataclass(frozen=True)
class RegionConfig:
    """How region features are distilled and masked tokens predicted (the poster of the SAM-guided system)."""

    balance: Literal["none", "paper", "inverse", "effective"] = "paper"
    """How groups of regions weigh: paper (the poster's), inverse frequency, effective number, or none (alike)."""
    groups: Count = 20
    """Groups of alike regions. Silent; ScanNet has as many classes, [C3]."""
    group_seed: int = 0
    """Seed of the grouping, which runs of several seeds share."""
    turn: Annotated[float, Between(0, 180)] = 180.0
    """Augmentation: greatest turn about the vertical, in degrees. Silent; Bridge3D turns z-up rooms about y."""
    teaching: Literal["frozen", "ema", "none"] = "frozen"
    """Stage 2, the teacher: a frozen run of stage 1 (the poster's), the student's moving average (ema), or none. The
    last two are controls; without a teacher the points of masked patches are predicted."""
    start: Literal["anew", "teacher"] = "anew"
    """Stage 2, where the student starts: anew, or with the teacher's weights. Silent."""
    distil: bool = False
    """Stage 2, distil region features in the same step: the poster's control of both losses at once."""


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
class VisionConfig:
    """Which frozen 2D model reads the views, and how CLIP's dense features are taken (Sec. 4)."""

    model: str = "ViT-B-16"
    """The frozen CLIP: mini, a name of open_clip, or a folder. Or hf-hub:owner/model; ViT-B-16 in Sec. 4."""
    pretrained: str | None = None
    """Its weights: a tag or a file, '' for random ones; none is the usual ones."""
    dense: Literal["last", "maskclip"] = "last"
    """Which dense features: the last layer's tokens, or MaskCLIP's. PointCLIP V2 reads the last layer's."""


@dataclass(frozen=True)
class RunConfig:
    """A recipe: all that a pre-training run needs to know, a preset or one changed by options."""

    training: PretrainConfig = PretrainConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    clusters: ClusterConfig = ClusterConfig()
    propagation: PropagationConfig = PropagationConfig()
    clip: VisionConfig = VisionConfig()
    features: str | None = None
    """The 2D model whose features are distilled, if not the CLIP. As extract-features names it."""
    encoder: EncoderConfig = EncoderConfig()
    superpoints: SuperpointPreset = "default"
    """Which superpoints: default, paper (the printed form of App. A.1), or masks (regions of images)."""
    limit: int | None = None
    """Clouds to train on at most."""
    point_features: tuple[PointKind, ...] = ()
    """What else the tokenizer reads of each point: rgb, normals or both. The paper reads none."""
    objective: str = "s4token"
    """What is trained: s4token, region_distillation, masked_regions, or an objective that another package adds."""
    backbone: BackboneConfig = BackboneConfig()
    regions: RegionConfig = RegionConfig()
    clouds: Literal["scenes", "frames"] = "scenes"
    """Train on whole clouds, or on what single frames of scenes measured."""
    teacher: str | None = None
    """The run of stage 1 whose tokens stage 2 predicts. A folder."""

    @classmethod
    def of(cls, preset: PretrainPreset) -> "RunConfig":
        """Give the paper's numbers, those for the synthetic data and its small CLIP, or those for ten minutes of it."""
        if preset == "paper":
            return cls(superpoints="paper")
        if preset.startswith("sam-"):
            return cls._sam_guided(preset)
        # A few thousand steps are too few to learn what is hidden and what stretching does: both are left out.
        # After 600 steps on 640 shapes s4token+context classified .77, .81 and .83 of 150 validation shapes with
        # 32 x 48 (alpha 2), 48 x 32 (alpha 2) and 64 x 32 (alpha 1.5) of 1,024 points, parts .500, .495 and .509.
        # Muon is after 400 steps where AdamW was after 1,400, and parts are told apart by their differences alone.
        tokenizer = TokenizerConfig(n_points=1024, n_tokens=64, patch_size=32, alpha=1.5, adapter_widths=(64, 128, 128))
        training = PretrainConfig(
            loss="distill", distill_pass="full", difference_weight=0.5, batch=16, epochs=30, warmup_epochs=1,
            optimizer="muon", learning_rate=2e-2, second_moment=0.98, clip_gradient=1.0, scale_range=(1.0, 1.0),
            shift=0.0, draws=2, head="linear",
        )  # fmt: skip
        toy = cls(training, tokenizer, clip=VisionConfig(model="mini"), limit=1200)
        if preset == "toy":
            return toy
        return replace(toy, training=replace(training, epochs=32), limit=240)

    @classmethod
    def _sam_guided(cls, preset: PretrainPreset) -> "RunConfig":
        """Give the SAM-guided system's numbers; the poster prints none, so they are those of Bridge3D's release."""
        objective = "region_distillation" if "stage1" in preset else "masked_regions"
        training = PretrainConfig(
            learning_rate=5e-4, epochs=120, warmup_epochs=10, batch=64, mask_ratio=0.75, scale_range=(1.0, 1.0),
            shift=0.0, draws=1,
        )  # fmt: skip
        tokenizer = TokenizerConfig("region", n_points=20_000, n_tokens=256, patch_size=128)
        sam = cls(
            training, tokenizer, features="dinov2-large", superpoints="masks", objective=objective, clouds="frames"
        )
        if not preset.endswith("-toy"):
            return sam
        # Small enough for two cores: a tenth of the points, the mini CLIP's features, half as wide a transformer.
        return replace(
            sam,
            training=replace(training, learning_rate=1e-3, epochs=20, warmup_epochs=1, batch=16),
            tokenizer=replace(tokenizer, n_points=2048, n_tokens=64, patch_size=32, adapter_widths=(64, 128, 128)),
            backbone=BackboneConfig(width=128), clip=VisionConfig(model="mini"), features=None, limit=400,
        )  # fmt: skip


@dataclass(frozen=True)
class HeadConfig:
    """What labels points or clouds by the transformer's tokens (Table 1, Table A); Point-MAE's numbers."""

    head: str = "full"
    """The head: full (Point-MAE's) or probe (linear). EPCL, named by the paper, published none for parts."""
    head_widths: tuple[int, int, int, int] = (1536, 1024, 512, 256)
    """Widths of the head's layers; the last is that of both hidden layers for whole clouds. Point-MAE's."""
    dropout: Annotated[float, Between(0, 0.9)] = 0.5
    """Share of the head's hidden channels that are dropped in training. Point-MAE's; here for a whole cloud at once."""
    propagation: Literal["superpoints", "nearest"] = "superpoints"
    """How tokens reach points: by superpoints (Eq. 4) or from the three nearest centres. Point-MAE has the latter."""


@dataclass(frozen=True)
class FinetuneConfig(LoopConfig):
    """How labels are learned from (Table 1, Table A); Point-MAE's numbers for parts, where the paper is silent."""

    learning_rate: NotNegative = 2e-4
    """Highest learning rate. Point-MAE's."""
    batch: Count = 16
    """Clouds a step, shared by all processes. Point-MAE's."""
    train: Literal["tokenizer,head", "head", "all"] = "tokenizer,head"
    """What is trained. Tokenizer and head in Table A, the transformer too in Table 1."""
    tokenizer_rate: NotNegative = 1.0
    """Learning rate of the tokenizer, in those of the head."""
    encoder_rate: NotNegative = 1.0
    """With train "all": learning rate of the transformer, in those of the head."""
    smoothing: Annotated[float, Between(0, 0.99)] = 0.0
    """Label smoothing of the cross entropy. Point-MAE has none for parts, 0.2 is usual for rooms and objects."""
    class_weights: Literal["none", "cube-root"] = "none"
    """Weigh classes alike, or by the cube root of their rarity. The latter is usual for S3DIS in blocks."""
    shots: Count | None = None
    """Labelled clouds of each category, or rooms in all."""
    labels_fraction: Annotated[float | None, Between(1e-9, 1)] = None
    """Share of each category's clouds, or of the rooms, whose labels are used; none is all."""
    shots_seed: int = 0
    """Seed of the choice of labelled clouds, which depends on nothing else."""
    balance: bool = False
    """Train on every category equally often; clouds of rare ones come again."""
    repeats: Count = 1
    """Times each cloud comes in an epoch. More where there are few, so that an epoch has some steps."""
    scale_range: Band = (2 / 3, 3 / 2)
    """Augmentation: factors that each axis is scaled by. Point-MAE's."""
    shift: NotNegative = 0.2
    """Augmentation: greatest shift along each axis. Point-MAE's."""
    rotate: Annotated[float, Between(0, 180)] = 0.0
    """Augmentation: greatest turn about the vertical, in degrees."""
    flip: Share = 0.0
    """Augmentation: how often each horizontal axis is mirrored."""
    jitter: NotNegative = 0.0
    """Augmentation: standard deviation of noise, in root mean square distances from the cloud's middle."""
    color_drop: Share = 0.0
    """Augmentation: how often a cloud's colours count as unknown. For tokenizers that read them."""
    draws: Count = PretrainConfig.draws
    """Point samples of each cloud, which epochs use in turn. Point-MAE takes a new one every time."""
    draw_seed: int = PretrainConfig.draw_seed
    """Seed of the point samples, which runs of several seeds share."""
    window: NotNegative | None = None
    """Metres; side of the square columns cut from rooms, 0 for whole rooms; none is the checkpoint's."""
    windows: Count = PretrainConfig.windows
    """With window: columns cut from each room. Clouds of their own."""
    held_out: Share = PretrainConfig.held_out
    """Share of the clouds to validate on, where the dataset has no validation split."""
    validation_clouds: Count = PretrainConfig.validation_clouds
    """Clouds to validate on at most, after each epoch."""


@dataclass(frozen=True)
class FinetuneRecipe:
    """All that a run of `finetune` needs to know, a preset or one changed by options."""

    training: FinetuneConfig = FinetuneConfig()
    head: HeadConfig = HeadConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()  # without a checkpoint
    encoder: EncoderConfig = EncoderConfig()  # as above
    task: Task | None = None
    """What is learned. None is what the data have."""
    checkpoint: str = "universal"
    """The tokenizer to begin with: a run, a name, or none. Names are those that ship."""
    clip: str | None = None
    """The frozen CLIP; none is the checkpoint's, or mini without a checkpoint."""
    pretrained: str | None = None
    """Its weights: a tag or a file, '' for random ones; none is the usual ones."""
    point_features: tuple[PointKind, ...] = ()
    """Without a checkpoint: what else the tokenizer reads of each point, rgb, normals or both."""
    n_points: Count | None = None
    """Points sampled of each cloud; none is the tokenizer's."""
    n_tokens: Count | None = None
    """Tokens of each cloud; none is the tokenizer's."""
    protocol: Protocol | None = None
    """How S3DIS is cut: block-2048, block-4096 or rooms, whose numbers do not compare. Sets points, window, classes'
    weights and what is read of points."""

    @classmethod
    def of(cls, preset: FinetunePreset, protocol: Protocol | None = None) -> "FinetuneRecipe":
        """Give a preset's numbers, those of a protocol among them."""
        if preset == "toy":
            # Small enough for two cores: a head as wide as the mini CLIP, half a minute an epoch on 600 shapes.
            training = FinetuneConfig(
                learning_rate=2e-3, epochs=20, warmup_epochs=1, scale_range=(0.8, 1.25), shift=0.0, smoothing=0.1,
                second_moment=0.98, clip_gradient=1.0, draws=2, tokenizer_rate=0.5, windows=4,
            )  # fmt: skip
            tokenizer = RunConfig.of("toy").tokenizer
            found = cls(training, HeadConfig(head_widths=(128, 128, 128, 64), dropout=0.3), tokenizer)
        elif preset == "table1":
            # Table 1 trains every tokenizer with the transformer, from CLIP's weights; its schedule is not printed.
            found = cls(FinetuneConfig(train="all"), checkpoint=NO_CHECKPOINT, clip=VisionConfig.model)
        elif preset == "tableA-parts":
            found = cls()  # App. C.1: tokenizer and head, as Point-MAE fine-tunes
        else:
            found = cls(FinetuneConfig(smoothing=0.2, rotate=180.0, flip=0.5, jitter=0.005, color_drop=0.2))
            protocol = protocol or "block-4096"  # App. C.1 follows OcCo, whose blocks these are
        return found if protocol is None else found.by(protocol)

    def by(self, protocol: Protocol) -> "FinetuneRecipe":
        """Cut S3DIS as one of three protocols does: ACT's, OcCo's, or whole rooms as others do."""
        if protocol == "block-2048":  # coordinates alone
            training = replace(
                self.training, window=1.0, windows=64, epochs=60, batch=32, class_weights="cube-root", smoothing=0.0,
                color_drop=0.0,
            )  # fmt: skip
            return replace(self, training=training, n_points=2048, n_tokens=128, protocol=protocol)
        if protocol == "block-4096":  # OcCo also reads each point's place in its room
            training = replace(self.training, window=1.0, windows=64, epochs=100, batch=24)
            return replace(
                self, training=training, n_points=4096, n_tokens=256, point_features=("rgb",), protocol=protocol
            )
        training = replace(self.training, window=ROOM_WINDOW, windows=16, epochs=100, batch=8)
        return replace(
            self, training=training, n_points=16384, n_tokens=512, point_features=("rgb",), protocol=protocol
        )


@dataclass(frozen=True)
class WorldConfig:
    """How large the procedural world is, and how densely its things are sampled."""

    shapes: tuple[int, int, int] = (2000, 200, 400)  # toy-shapes to train, validate and test on
    scans: tuple[int, int, int] = (60, 15, 20)  # toy-scans
    rooms: tuple[int, int, int] = (30, 8, 12)  # toy-rooms
    home_scans: tuple[int, int, int] = (240, 30, 40)
    home_rooms: tuple[int, int, int] = (60, 12, 20)
    shape_points: int = 8192  # as ShapeNet55 in Point-BERT's form
    scan_voxel: float = 0.03  # metres; one point of a scan a voxel, about 80,000 in all
    room_voxel: float = 0.02  # metres; evens out what lies right under the scanner
    room_points: int = 120_000  # of a toy room at most, whatever its size
    frames: int = 400  # of a scan's film or a room's tour; every 20th shows something else
    seed: int = 0


@dataclass(frozen=True)
class ZeroShotConfig:
    """How clouds and points are named with words, and how sure the figures are."""

    clip: str = "mini"  # what they were trained for
    batch: int = 32  # clouds at once on a GPU; on a CPU one after the other is as fast
    votes: int = 1  # samples of each cloud whose features are averaged; the literature's voting takes 10
    scale: float = 1.0
    draws: int = 1000  # of the bootstrap over clouds
    level: float = 0.95
    seed: int = 0


@dataclass(frozen=True)
class SegmentConfig:
    """How every point of a cloud is labelled; what is None is as the checkpoint was trained."""

    n_points: Count | None = None
    """Points sampled of each window."""
    n_tokens: Count | None = None
    """Tokens of each window."""
    window: NotNegative | None = None
    """Metres; process rooms in square columns of this side, 0 for whole clouds."""
    overlap: Share = 0.25
    """Share of a window that its neighbour has too."""
    smallest_window: Count = 256
    """Points of a window at least. A column of fewer takes its neighbours in, a proposal joins the nearest."""
    windows: Literal["columns", "superpoints"] = "columns"
    """Windows are columns, or proposals made of superpoints. Those are the large flat ones, each alone, and groups of
    the other points."""
    gap: Annotated[float, Between(0.001)] = 0.12
    """With windows from superpoints: metres between groups at least."""
    large: NotNegative = 0.5
    """With windows from superpoints: square metres from which on a flat one is alone. Chosen on 12 toy-scans, train."""
    attend: NotNegative | None = None
    """Limit each token's attention to tokens within so many grouping radii; 0 is no limit."""
    votes: Count = ZeroShotConfig.votes
    """Samples of each window whose cosines are averaged. The literature's voting takes 10."""
    pool: bool = False
    """Give all points of a superpoint one label. In the paper every point has its own, Sec. 3.3."""
    calibrate: Literal["none", "mean"] | None = None
    """Subtract a share of each label's mean cosine over the training points (mean), or nothing."""
    calibration_share: NotNegative | None = None
    """The share that is subtracted."""
    unknown: float | None = None
    """Label points "unknown" if their best cosine similarity is below this."""
    scale: float = 1.0
    """Multiply every cloud by this; 0.001 reads millimetres."""
    draws: Count = ZeroShotConfig.draws
    """Draws of the bootstrap over clouds."""
    level: Share = ZeroShotConfig.level
    """Level of the intervals."""
    seed: int = 0
    """Seed of all that is random."""


@dataclass(frozen=True)
class ReproduceConfig:
    """How a table of the paper is reproduced."""

    scales: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0)  # of the sweep; a unit-sphere object against one in metres
    shapes: int = 150  # held-out objects of the sweep; ten of each category of the synthetic data
    seeds: int = 3  # students of each tokenizer, where they are trained anew
    train_window: float = ROOM_WINDOW  # metres; rooms are trained on in columns so wide
    guesses: int = 100  # random labellings that chance is measured by
    seed: int = 0  # of what is drawn at evaluation; students have seeds of their own
