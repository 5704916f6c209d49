"""How anything is trained, and how tokenizers are pre-trained."""

from dataclasses import dataclass
from typing import Annotated, Literal

from s4tok.config.kinds import AtLeastTwo, Band, Count, NotNegative, Share
from s4tok.fields import Between


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
    """Clouds a step, of all processes. 128 in Sec. 4."""
    clip_gradient: NotNegative = 10.0
    """Greatest norm of the gradient. Silent; Point-MAE's."""
    seed: int = 0
    """Seed of all that is random. Same seed, same result, whatever the processes."""


@dataclass(frozen=True)
class Speedups:
    """What makes a step quicker and rounds otherwise; like the device no part of the recipe."""

    compile: bool = False
    """Compile the layers of transformers."""
    tf32: bool = False
    """On a GPU, multiply in TF32 in linear layers that have float32."""


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
    label_weight: NotNegative = 0.0
    """Weight of a loss by which points of labelled rooms learn to lie near the text of their class; 0 reads no label.
    The paper has none."""
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
    """Side of the square columns that rooms are cut into, in metres; 0 for none. Silent, [A22]."""
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
