"""All that a run of `pretrain` needs to know, and its presets."""

from dataclasses import dataclass, replace
from typing import Literal

from s4tok.config.kinds import PointKind, PretrainPreset, SuperpointPreset
from s4tok.config.tokens import BackboneConfig, ClusterConfig, EncoderConfig, PropagationConfig, TokenizerConfig
from s4tok.config.training import PretrainConfig, RegionConfig
from s4tok.config.vision import VisionConfig


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
    """Which superpoints: default, cut-pursuit (the default before), paper (the printed form of App. A.1), or masks
    (regions of images)."""
    superpoints_asked: bool = False
    """Whether they were asked for, and are not just a preset's: then no others are taken in their place."""
    limit: int | None = None
    """Clouds to train on at most."""
    point_features: tuple[PointKind, ...] = ()
    """What else the tokenizer reads of each point: rgb, normals or both. The paper reads none."""
    objective: str = "s4token"
    """What is trained: s4token, region_distillation, masked_regions, or an objective that another package adds."""
    backbone: BackboneConfig = BackboneConfig()
    regions: RegionConfig = RegionConfig()
    clouds: Literal["scenes", "frames", "rooms"] = "scenes"
    """Train on whole clouds, on what single frames of scenes measured, or on rooms that objects are put together in."""
    checkpoint: str | None = None
    """The checkpoint to begin with, whose tokenizer and CLIP are taken. A name or a folder; only with --objective
    s4token."""
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
