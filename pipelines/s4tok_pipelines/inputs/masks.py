"""Masks of frames in a cache, and the masks that a cloud's points lie in."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from s4tok.config import FrameConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.frame_clouds import JOINT, FrameClouds
from s4tok.errors import InputError
from s4tok.geometry.masks import Runs, from_runs
from s4tok.shapes import Array, Int32
from s4tok_cache import CacheMismatch, CacheMissing, CacheReader
from s4tok_cache.inspect import stamps_of
from s4tok_cache.stamp import differences
from s4tok_pipelines.inputs.entries import root_of, way_out
from s4tok_pipelines.layouts import MASKS
from s4tok_pipelines.stamps import MASKS_STAGE, name_of_masks


def frames_of(clouds: CloudDataset, step: int) -> FrameClouds:
    """Give the frames of scenes as clouds; those that are frames already are taken as they are."""
    if isinstance(clouds, FrameClouds):
        return clouds
    return FrameClouds(clouds, replace(FrameConfig(), step=step))


@dataclass(frozen=True)
class PointMasks:
    """The masks of frames, read for the points of clouds that are frames themselves, or scenes."""

    frames: FrameClouds
    cached: CacheReader

    def at_points(self, clouds: CloudDataset, key: str) -> Int32[Array, " n"]:
        """Give the mask that each point of a cloud lies in, 0 for none.

        A frame's point lies in that of its own pixel. A scene's points are those that its frames vote for.
        """
        if isinstance(clouds, FrameClouds):
            rows, columns = clouds.pixels(key).T
            ids: Array = self.of_frame(key)[rows, columns]
            return ids
        from s4tok.rendering.mask_votes import MaskVotes  # PyTorch, which other methods do without

        votes = MaskVotes(clouds[key].original_xyz())
        for frame in self._frames_of_scene.get(key, ()):
            votes.add(self.frames.frame_of(frame), self.of_frame(frame))
        return votes.ids

    @cached_property
    def _frames_of_scene(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key in self.frames.keys:
            if key in self.cached:  # one that could not be made has been told
                found.setdefault(key.rpartition(JOINT)[0], []).append(key)
        return found

    def of_frame(self, key: str) -> Int32[Array, "h w"]:
        """Read the masks of a frame, at the size of its depth image."""
        if key not in self.cached:
            raise InputError(f"it has no masks; s4tok {MASKS_STAGE} says why not.")
        entry = self.cached.read(key)
        shape = int(entry.attributes["height"]), int(entry.attributes["width"])
        return from_runs(Runs(entry["ids"], entry["lengths"]), shape)


def open_masks(clouds: CloudDataset, cache: Path, masks: str, step: int) -> PointMasks:
    """Open the masks that a model, or a folder of files, has left of a dataset's frames.

    Raises:
        CacheMissing: Where there are none.
        CacheMismatch: Where there are several, made otherwise.
    """
    frames = frames_of(clouds, step)
    root, name = root_of(cache, frames), name_of_masks(masks)
    stamps = [stamp for stamp in stamps_of(root.absolute(), MASKS_STAGE) if stamp.parameters.get("masks") == name]
    if not stamps:
        raise CacheMissing(f"{root} has no masks of {masks}.", way_out(clouds, f"{MASKS_STAGE} --model {masks}"))
    if len(stamps) > 1:
        raise CacheMismatch(
            f"{root} has {len(stamps)} results of masks of {masks}, which differ: "
            f"{'; '.join(differences(stamps[0], stamps[1]))}.",
            f"remove those that are not meant: {', '.join(stamp.folder for stamp in stamps)}.",
        )
    return PointMasks(frames, CacheReader(root, MASKS, stamps[0]))
