"""The papers' numbers, one frozen dataclass a stage, each field with its reason.

Equation and section numbers are those of the S4Token paper. "Silent" marks a number that the paper does not print.
Defaults live here and nowhere else: the command line and the library both read them from these classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Literal, TypeAlias

DATA_ROOT = Path("data")  # where a known name such as "scannet" is looked for
PROMPTS = Path(".s4tok/prompts")  # where prompts lie that s4tok may not carry
ROOM_FROM = 2.5  # metres; an own file that is longer is taken for a room by what names its points
ROOM_WINDOW = 4.0  # metres, the side of the columns a room is cut into for a checkpoint that was trained on none
CALIBRATION_SHARE = 0.5  # of each label's mean cosine, where labels are calibrated and neither card nor user says more
SURFACE_POINTS = 8192  # drawn from a mesh file; ShapeNet55's clouds have as many

Scene: TypeAlias = Literal["object", "room"]
Preset: TypeAlias = Literal["paper", "toy", "quick"]
SuperpointPreset: TypeAlias = Literal["default", "paper"]
PointKind: TypeAlias = Literal["rgb", "normals"]

# Of the students that s4tok carries, who looks where nobody is named: objects of any size, and rooms.
STUDENTS: Mapping[Scene, str] = {"object": "ball+rpn", "room": "s4token-scans"}


@dataclass(frozen=True)
class SuperpointConfig:
    """How a cloud is cut into superpoints (Sec. 3.2, App. A.1)."""

    method: str = "cut-pursuit"
    anchors: int = 4096  # |Q|, farthest point samples the descriptor looks at; silent. Rooms take 32,768.
    neighbors: int = 30  # K of eq. 10, neighbours in Q; silent, Open3D's and the authors' habit
    sqrt_eigenvalues: bool = False  # eq. 11 has none; True is the convention of superpoint graphs
    standardized: bool = False  # unit variance a cloud; True would blow a single plane's noise up to edges
    normal_form: Literal["outer", "oriented"] = "outer"  # n n^T does not care for n's sign; "oriented" is printed
    geometry_weight: float = 0.7  # weight of eq. 11 beside the normal; silent, from trials on objects
    adjacency: int = 10  # edges a point has in the graph; silent, as in superpoint graphs
    regularization: float = 0.15  # price of a cut edge; silent. Rooms take 0.05, since `smoothness` joins their planes.
    smoothness: float = 0.0  # join pieces whose border bends so little beside their points; 0 as printed. Rooms: 0.4.
    smallest: int = 10  # points a superpoint has at least, in a cloud of any size; silent. Rooms take 30.
    smallest_share: float = 0.006  # as above, of the cloud's points; the larger counts. 6 of 1,024 hold a centre.
    voxel: float = 0.0  # metres; cut on one point a voxel and carry labels back. Rooms take 0.02; 0 cuts every point.
    grid_cells: int = 100  # of the method `grid` only
    seed: int = 0

    @classmethod
    def of(cls, scene: Scene, preset: SuperpointPreset = "default") -> "SuperpointConfig":
        """Give the defaults for objects or for rooms, or the printed form of App. A.1.

        The printed form has the normal itself beside the unweighted shape, standardised, and no merging of smooth
        pieces. Regularisation and smallest pieces are not printed; these are customary with superpoint graphs.
        """
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
    n_points: int = 2048  # Sec. 4: clouds are sampled to 2,048 points
    n_tokens: int = 128  # m; silent, Point-MAE's choice for 2,048 points
    patch_size: int = 32  # k; silent, as above
    gamma: float = 0.1  # strength of the superpoint weight in sampling (Sec. 4)
    wfps_sign: Literal["text", "paper"] = "text"  # the printed exponent contradicts the text and Fig. B; [A1]
    smallest_center: int = 5  # superpoints with fewer points supply no centres; silent, [A6]
    alpha: float = 1.0  # grouping radius in units of the mean spacing of centres (Sec. 4)
    adapter_widths: tuple[int, int, int] = (128, 256, 512)  # mini-PointNet; silent, Point-BERT's
    # Fixed waves are 6 % of a token's norm, and a frozen transformer makes little of them; the works that the paper
    # cites for its positions learn theirs. "fixed" is eq. 12 as printed; [A24].
    pe: Literal["learned", "fixed"] = "learned"
    pe_hidden: int = 128  # of the two-layer MLP that learns them; Point-BERT's
    # "spread" is the root mean square distance of the cloud's points from their mean, whatever the tokens and alpha;
    # "radius" counts in grouping radii; "none" is eq. 12 as printed, not scale-invariant; [A23].
    pe_scale: Literal["spread", "radius", "none"] = "spread"
    pe_radii: float = 6.0  # radii in a unit of "radius": half an object's extent at 128 tokens
    pe_amplitude: float | None = None  # None: 0.3, since 1 drowned the tokens of a small frozen ViT; 1 for "none"
    pe_band: tuple[float, float] | None = None  # rad per unit, lowest and highest. None: 1.6, 9; 1e-4, 1 for "none"
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

    attend: float = 0.0  # grouping radii that a token's attention reaches; 0 is everywhere, as in the paper


@dataclass(frozen=True)
class PropagationConfig:
    """How features of tokens come back to points (Sec. 3.3, eq. 4)."""

    epsilon: float = 1e-4  # added to distances, in grouping radii: as printed it would have a unit of length; [A16]
    fallback_centers: int = 3  # nearest centres that speak for a superpoint without any; silent, [A15]


@dataclass(frozen=True)
class ClusterConfig:
    """How teacher features are clustered for the assignment loss (App. A.3, eq. 13-15)."""

    n_clusters: int = 24  # K (Sec. 4)
    iterations: int = 20  # App. A.3, "typically 20"
    radius_factor: float = 1.0  # of the mean nearest-seed distance; the patch radius leaves 70 % unreached; [A9]
    epsilon: float = 0.05  # entropy of Sinkhorn; silent, SwAV's
    sinkhorn_iterations: int = 5  # few, and ending with rows; [A11]


@dataclass(frozen=True)
class LoopConfig:
    """How long and by what steps anything is trained (Sec. 4); the loop reads nothing else."""

    optimizer: Literal["adamw", "muon"] = "adamw"  # Sec. 4
    learning_rate: float = 5e-4  # Sec. 4
    weight_decay: float = 0.05  # Sec. 4 calls it "decay weight"
    second_moment: float = 0.999  # AdamW's beta 2; silent, PyTorch's
    epochs: int = 300  # Sec. 4
    warmup_epochs: int = 10  # silent, PCP-MAE's
    smallest_rate: float = 1e-6  # silent, PCP-MAE's
    batch: int = 128  # Sec. 4
    clip_gradient: float = 10.0  # silent, Point-MAE's
    seed: int = 0


@dataclass(frozen=True)
class PretrainConfig(LoopConfig):
    """How the tokenizer is trained (Sec. 3.4, Sec. 4, App. A)."""

    loss: Literal["total", "assign", "distill"] = "total"  # Table 6
    mask_ratio: float = 0.6  # Sec. 4
    decoder_layers: int = 2  # silent, [A25]
    teacher_momentum: float = 0.996  # rises to 1 along a cosine; silent, [A13]
    temperature: float = 0.1  # tau of eq. 6; silent
    local_weight: float = 0.5  # lambda_l (Sec. 4)
    global_weight: float = 0.5  # lambda_g (Sec. 4)
    difference_weight: float = 0.0  # of how superpoints of one cloud differ; the paper has no such term
    distill_pass: Literal["masked", "full", "both"] = "masked"  # "full" distils from an unmasked pass; [A27]
    center_targets: bool = False  # take the targets' mean off both sides; an option to be tested
    scale_range: tuple[float, float] = (2 / 3, 3 / 2)  # augmentation; silent, PCP-MAE's
    shift: float = 0.2  # as above
    draws: int = 4  # samples of each cloud, used in turn: taking one costs more than grouping it
    draw_seed: int = 0  # of the samples alone, so that runs of several seeds share them
    mix: float = (
        0.0  # share of objects that stand among others, on a floor and mostly before a wall; the paper has none
    )
    mix_objects: int = 4  # of a mixed cloud at most; two at least
    window: float = 0.0  # metres; rooms are seen through columns so wide. 0 takes each room whole; silent, [A22]
    windows: int = 16  # columns cut from each room, clouds of their own
    held_out: float = 0.05  # share of clouds to validate on, where no split with caches is there to do so
    validation_clouds: int = 256  # at most; a pass over them is made after each epoch


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
        """
        return cls(image="depth", zoom=1.5) if clip == "mini" else cls(image="color")


@dataclass(frozen=True)
class VisionConfig:
    """Which frozen 2D model reads the views, and how CLIP's dense features are taken (Sec. 4)."""

    model: str = "ViT-B-16"  # Sec. 4; a name of `s4tok.vision.table`, an open_clip name, a folder, or hf-hub:...
    pretrained: str | None = None  # a tag, or a file; "" for random weights, None for the model's usual ones
    dense: Literal["last", "maskclip"] = "last"  # PointCLIP V2 reads the last layer's tokens


@dataclass(frozen=True)
class RunConfig:
    """What a pre-training run needs to know, all of it: a preset, or one changed by flags."""

    training: PretrainConfig = PretrainConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    clusters: ClusterConfig = ClusterConfig()
    propagation: PropagationConfig = PropagationConfig()
    clip: VisionConfig = VisionConfig()
    features: str | None = None  # the vision model that is distilled, by its name; None: the CLIP
    encoder: EncoderConfig = EncoderConfig()
    superpoints: SuperpointPreset = "default"  # which are made where there are none, and taken where there are several
    limit: int | None = None  # clouds
    point_features: tuple[PointKind, ...] = ()  # of clouds, read beside each point's place; the paper reads none
    objective: str = "s4token"  # a row of the table of objectives; others may read less of this recipe

    @classmethod
    def of(cls, preset: Preset) -> "RunConfig":
        """Give the paper's numbers, those for the made world and its small CLIP, or those for ten minutes of it."""
        if preset == "paper":
            return cls(superpoints="paper")
        # A few thousand steps are too few to learn what is hidden and what stretching does: both are left out.
        # After 600 steps on 640 shapes s4token+context classified .77, .81 and .83 of 150 validation shapes with
        # 32 x 48 (alpha 2), 48 x 32 (alpha 2) and 64 x 32 (alpha 1.5) of 1,024 points, parts .500, .495 and .509.
        # Muon is after 400 steps where AdamW was after 1,400, and parts are told apart by their differences alone.
        tokenizer = TokenizerConfig(n_points=1024, n_tokens=64, patch_size=32, alpha=1.5, adapter_widths=(64, 128, 128))
        training = PretrainConfig(
            loss="distill", distill_pass="full", difference_weight=0.5, batch=16, epochs=30, warmup_epochs=1,
            optimizer="muon", learning_rate=2e-2, second_moment=0.98, clip_gradient=1.0, scale_range=(1.0, 1.0),
            shift=0.0, draws=2,
        )  # fmt: skip
        toy = cls(training, tokenizer, clip=VisionConfig(model="mini"), limit=1200)
        if preset == "toy":
            return toy
        return replace(toy, training=replace(training, epochs=32), limit=240)


@dataclass(frozen=True)
class WorldConfig:
    """How large the procedural world is, and how densely its things are sampled."""

    shapes: tuple[int, int, int] = (2000, 200, 400)  # toy-shapes to train, validate and test on
    scans: tuple[int, int, int] = (60, 15, 20)  # toy-scans
    rooms: tuple[int, int, int] = (30, 8, 12)  # toy-rooms
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
    """How every point of a cloud is named with words. What is None is as the checkpoint was trained."""

    n_points: int | None = None  # sampled of each window
    n_tokens: int | None = None  # of each window
    window: float | None = None  # metres, the side of a column that is encoded together; 0 takes clouds whole
    overlap: float = 0.25  # share of a window that its neighbour has too
    smallest_window: int = 256  # points; a column of fewer takes its neighbours in, a proposal joins the nearest
    windows: Literal["columns", "superpoints"] = (
        "columns"  # or proposals: large flat superpoints, and groups of the rest
    )
    gap: float = 0.12  # metres between proposals at least
    large: float = (
        0.5  # square metres from which on a flat superpoint is a proposal; chosen on 12 toy-scans to train on
    )
    attend: float | None = None  # grouping radii that a token's attention reaches; 0 is everywhere
    votes: int = ZeroShotConfig.votes  # samples of each window, whose cosines are averaged
    pool: bool = False  # one label a superpoint; the paper gives every point its own, Sec. 3.3
    calibrate: Literal["none", "mean"] | None = None  # subtract from a label's cosines a share of their mean
    calibration_share: float | None = None
    unknown: float | None = None  # points whose label has a lower cosine, before calibration, have no name
    scale: float = 1.0
    draws: int = ZeroShotConfig.draws
    level: float = ZeroShotConfig.level
    seed: int = 0


@dataclass(frozen=True)
class ReproduceConfig:
    """How a table of the paper is made again."""

    scales: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0)  # of the sweep; a unit-sphere object against one in metres
    shapes: int = 150  # held-out objects of the sweep; ten of each category of the made world
    seeds: int = 3  # students of each tokenizer, where they are trained anew
    train_window: float = ROOM_WINDOW  # metres; rooms are trained on in columns so wide
    guesses: int = 100  # draws of a guess that does not look
    seed: int = 0  # of what is drawn at evaluation; students have seeds of their own
