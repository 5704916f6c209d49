"""How clouds become tokens, what reads them, and how features are carried back to points."""

from dataclasses import dataclass
from typing import Literal

from s4tok.config.kinds import Band, Count, NotNegative


@dataclass(frozen=True)
class TokenizerConfig:
    """How superpoints become tokens (Sec. 3.2, eq. 2, 3, 12)."""

    tokenizer: str = "s4token"
    """How tokens are made: knn, ball, s4token, or another row of Table 1. Other packages may add rows."""
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
    by_scene: bool = False
    """Give rooms scales and shifts of their own in the tokenizer, which is not told a cloud's size otherwise. For
    checkpoints of objects and rooms, only with --objective s4token; not in the paper."""
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
