"""How labels are learned from, and the presets of `finetune`."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from s4tok.config.detection import BoxLossConfig, DetectorConfig, GroupFreeLossConfig
from s4tok.config.kinds import (
    NO_CHECKPOINT,
    ROOM_WINDOW,
    Band,
    Count,
    FinetunePreset,
    FinetuneTask,
    NotNegative,
    PointKind,
    Protocol,
    Share,
)
from s4tok.config.pretrain import RunConfig
from s4tok.config.tokens import BackboneConfig, EncoderConfig, TokenizerConfig
from s4tok.config.training import LoopConfig, PretrainConfig
from s4tok.config.vision import VisionConfig
from s4tok.fields import Between


@dataclass(frozen=True)
class HeadConfig:
    """What labels points or clouds by the transformer's tokens (Table 1, Table A); Point-MAE's numbers."""

    head: str = "full"
    """The head: full (Point-MAE's), probe (linear), or words: nothing but the texts of the classes' names, so that the
    tokenizer learns to lie near them and the checkpoint is asked for any word. EPCL, named by the paper, published
    none for parts."""
    head_widths: tuple[int, int, int, int] = (1536, 1024, 512, 256)
    """Widths of the head's layers; the last is that of both hidden layers for whole clouds. Point-MAE's."""
    dropout: Annotated[float, Between(0, 0.9)] = 0.5
    """Share of the head's hidden channels that are dropped in training. Point-MAE's; here for a whole cloud at once."""
    propagation: Literal["superpoints", "nearest"] = "superpoints"
    """How tokens reach points: by superpoints (Eq. 4) or from the three nearest centres. Point-MAE has the latter."""
    head_start: Literal["auto", "words", "nothing"] = "nothing"
    """What the head knows before it is trained: words begins as zero-shot labelling by the classes' names, auto does
    where the checkpoint can. The papers' heads know nothing."""


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
    backbone: BackboneConfig = BackboneConfig()  # of a plain transformer without a checkpoint
    detector: DetectorConfig = DetectorConfig()  # for boxes, as the next two
    boxes: BoxLossConfig = BoxLossConfig()
    group_free: GroupFreeLossConfig = GroupFreeLossConfig()
    task: FinetuneTask | None = None
    """What is learned: parts, scenes, objects or detection. None is what the data have."""
    checkpoint: str = "universal"
    """The tokenizer to begin with: a run, a name, or none. Names are those that ship. Figures of fine-tuning are of
    this one."""
    clip: str | None = None
    """The frozen CLIP; none is the checkpoint's, or mini without a checkpoint."""
    pretrained: str | None = None
    """Its weights: a tag or a file, '' for random ones; none is the usual ones."""
    transformer: Literal["clip", "plain"] = "clip"
    """Without a checkpoint: what reads the tokens, CLIP's transformer or a plain one, whose weights are drawn."""
    point_features: tuple[PointKind, ...] = ()
    """Without a checkpoint: what else the tokenizer reads of each point, rgb, normals or both."""
    group_as: str | None = None
    """Group points as this tokenizer does, with the checkpoint's weights; none is as the checkpoint does."""
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
            found = cls(
                training, HeadConfig(head_widths=(128, 128, 128, 64), dropout=0.3, head_start="auto"), tokenizer
            )
        elif preset == "table1":
            # Table 1 trains every tokenizer with the transformer, from CLIP's weights; its schedule is not printed.
            found = cls(FinetuneConfig(train="all"), checkpoint=NO_CHECKPOINT, clip=VisionConfig.model)
        elif preset == "tableA-parts":
            found = cls()  # App. C.1: tokenizer and head, as Point-MAE fine-tunes
        elif preset.startswith("sam"):
            found = cls._sam_guided(preset)
        else:
            found = cls(FinetuneConfig(smoothing=0.2, rotate=180.0, flip=0.5, jitter=0.005, color_drop=0.2))
            protocol = protocol or "block-4096"  # App. C.1 follows OcCo, whose blocks these are
        return found if protocol is None else found.by(protocol)

    @classmethod
    def _sam_guided(cls, preset: FinetunePreset) -> "FinetuneRecipe":
        """Give the SAM-guided system's numbers: all of it is trained, as Bridge3D's release does downstream.

        The poster prints no schedule for labels of points; the rates are Pix4Point's for S3DIS. Downstream Bridge3D
        groups nearest points around 2,048 centres, whatever it was trained with, and so nothing depends on masks or
        superpoints. Without a checkpoint it is the same transformer with drawn weights: the poster's first row.
        """
        known = RunConfig.of("sam-stage2-toy" if preset == "sam-toy" else "sam-stage2")
        if preset == "sam-toy":
            training = replace(cls.of("toy").training, learning_rate=1e-3, tokenizer_rate=1.0)
            head, n_tokens = cls.of("toy").head, 128
        else:
            training, n_tokens = FinetuneConfig(learning_rate=1e-4, epochs=100, batch=8, smoothing=0.2), 2048
            head = HeadConfig()
        training = replace(training, train="all", rotate=180.0, flip=0.5)
        return cls(
            replace(training, window=ROOM_WINDOW), replace(head, propagation="nearest", head_start="nothing"),
            known.tokenizer, backbone=known.backbone, checkpoint=NO_CHECKPOINT, transformer="plain",
            group_as="knn", n_tokens=n_tokens,
        )  # fmt: skip

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
