"""Masks of posed frames on the points of a scene: each frame votes for the points that it sees."""

import numpy as np

from s4tok.config import ViewConfig
from s4tok.datasets.dataset import Frame
from s4tok.rendering.scene_frames import project, sees
from s4tok.shapes import Array, Bool, Float64, Int, Int32

# A point is the surface that a frame measured where its depth differs by no more than a twentieth.
OCCLUSION = ViewConfig(occlusion="openscene", occlusion_relative=0.05, border=0)


def mask_at_points(
    points: Float64[Array, "n 3"], frame: Frame, ids: Int[Array, "h w"]
) -> tuple[Bool[Array, " n"], Int32[Array, " n"]]:
    """Tell which points a frame sees, and the mask of its depth image that each of them lies in, 0 for none."""
    visible = sees(points, frame, OCCLUSION)
    at = project(points[visible], frame.camera_to_world, frame.depth_intrinsics)
    found = np.zeros(len(points), np.int32)
    found[visible] = ids[np.rint(at.rows).astype(np.int64), np.rint(at.columns).astype(np.int64)]
    return visible, found


class MaskVotes:
    """What the frames of a scene have said of its points so far.

    Masks of different frames have nothing but points in common. A mask continues the region with which it shares more
    than half of the points that either was given, among those that this frame sees; otherwise it begins a new one.
    """

    def __init__(self, points: Float64[Array, "n 3"]) -> None:
        self.points = points
        self._n_regions = 0
        self._given = np.zeros((2, 0), np.int64)  # pairs of a point and a region that a frame gave it, each pair once
        self._votes = np.zeros(0, np.int64)  # how many frames did

    def add(self, frame: Frame, ids: Int[Array, "h w"]) -> None:
        """Count the votes of one frame."""
        visible, masks = mask_at_points(self.points, frame, ids)
        region = self._continued(visible, masks)
        points = np.flatnonzero(region)
        pairs = np.concatenate([self._given, np.stack([points, region[points]])], axis=1)
        votes = np.concatenate([self._votes, np.ones(len(points), np.int64)])
        order = np.lexsort(pairs[::-1])
        pairs, votes = pairs[:, order], votes[order]
        is_first = np.append(True, (np.diff(pairs) != 0).any(axis=0))[: len(votes)]
        self._given, self._votes = pairs[:, is_first], np.bincount(np.cumsum(is_first) - 1, votes).astype(np.int64)

    @property
    def ids(self) -> Int32[Array, " n"]:
        """Give each point the region that most frames gave it, the earliest of several, or 0."""
        found = np.zeros(len(self.points), np.int32)
        points, regions = self._given
        order = np.lexsort((-regions, self._votes))  # what is written last stays: most votes, lowest number
        found[points[order]] = regions[order]
        return found

    def _continued(self, visible: Bool[Array, " n"], masks: Int32[Array, " n"]) -> Int[Array, " n"]:
        """Give each mask's points the region that it continues, or a new one."""
        points, regions = self._given[:, visible[self._given[0]]]
        n_masks = int(masks.max(initial=0)) + 1
        of_region = np.bincount(regions, minlength=self._n_regions + 1)
        has_any = np.zeros(len(masks), bool)
        has_any[points] = True
        of_mask = np.bincount(masks[has_any], minlength=n_masks)
        pairs, shared = np.unique(np.stack([masks[points], regions]), axis=1, return_counts=True)
        share = shared / (of_mask[pairs[0]] + of_region[pairs[1]] - shared)
        known = np.zeros(n_masks, np.int64)
        order = np.argsort(share, kind="stable")[np.count_nonzero(share <= 0.5) :]
        known[pairs[0, order]] = pairs[1, order]  # the greatest share is written last
        fresh = np.setdiff1d(masks[masks > 0], np.flatnonzero(known))
        known[fresh] = self._n_regions + 1 + np.arange(len(fresh))
        known[0] = 0
        self._n_regions += len(fresh)
        return known[masks]
