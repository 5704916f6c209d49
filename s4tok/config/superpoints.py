"""How clouds are cut into superpoints."""

from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from s4tok.config.kinds import Count, NotNegative, Scene, Share, SuperpointPreset


@dataclass(frozen=True)
class SuperpointConfig:
    """How a cloud is cut into superpoints (Sec. 3.2, App. A.1)."""

    method: str = "greedy"
    """How: greedy, cut-pursuit, grid, masks, scannet-segments or labels (yours)."""
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
        """Give the defaults for objects or for rooms, the same by cut pursuit, the printed form, or regions of masks.

        Cut pursuit was the default when the checkpoints that ship and the tables were made. The printed form, App. A.1,
        is cut pursuit with the normal itself beside the unweighted shape, standardised, and no merging of smooth
        pieces. Regularisation and smallest pieces are not printed; these are customary with superpoint graphs.
        """
        if preset == "masks":
            return cls("masks")
        config = cls("greedy" if preset == "default" else "cut-pursuit")
        if preset == "paper":
            config = replace(
                config, normal_form="oriented", geometry_weight=1.0, standardized=True,
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
