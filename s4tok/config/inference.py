"""How clouds are labelled by words or by a head."""

from dataclasses import dataclass
from typing import Annotated, Literal

from s4tok.config.kinds import Count, NotNegative, Share
from s4tok.fields import Between


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
    """Side of the columns that rooms are cut into, in metres; 0: none."""
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
    align: bool = True
    """Turn rooms about the vertical for their walls to lie along the axes, as most do in training data."""
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
    unknown: float | Literal["auto"] | None = None
    """Call points "unknown" that are less similar to every label; or auto. By cosine. With auto, those to which a word
    that means none of the labels is nearer."""
    top: Count = 12
    """With --labels auto: names that a cloud keeps at most."""
    scale: float = 1.0
    """Multiply every cloud by this; 0.001 reads millimetres."""
    draws: Count = ZeroShotConfig.draws
    """Draws of the bootstrap over clouds."""
    level: Share = ZeroShotConfig.level
    """Level of the intervals."""
    seed: int = 0
    """Seed of all that is random."""


@dataclass(frozen=True)
class BoxConfig:
    """How boxes are put around the things that labelled points make. Chosen on 8 rooms of toy-rooms, train."""

    gap: NotNegative = 0.2
    """Metres between two things of one label at least; of objects, which are about one unit long, a quarter of it."""
    fewest_points: Count = 100
    """Points of a thing at least; in a cloud of few points, a fiftieth of them."""
    seed: int = 0
    """Seed of the labels that chance gives."""
