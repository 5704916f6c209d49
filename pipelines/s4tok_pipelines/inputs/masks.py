"""Masks of frames in a cache, and the masks that a cloud's points lie in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from s4tok.config import FrameConfig, SuperpointConfig
from s4tok.counted import in_short
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.frame_clouds import JOINT, FrameClouds
from s4tok.errors import InputError, UsageError
from s4tok.geometry.masks import Runs, from_runs
from s4tok.shapes import Array, Int32
from s4tok_cache import CacheMismatch, CacheMissing, CacheReader, Fingerprint
from s4tok_cache.inspect import stamps_of
from s4tok_cache.stamp import differences
from s4tok_pipelines.inputs.entries import fingerprints, root_of, way_out
from s4tok_pipelines.layouts import MASKS
from s4tok_pipelines.stamps import MASKS_STAGE, OF_MASKS, SUPERPOINTS_STAGE, name_of_masks


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
        for frame in self._frames_of(clouds, key):
            votes.add(self.frames.frame_of(frame), self.of_frame(frame))
        return votes.ids

    def fingerprints(self, clouds: CloudDataset) -> dict[str, Fingerprint]:
        """Say of every cloud what its regions are made from: the cloud, and the masks of its frames."""
        return {
            key: cloud.with_entries(map(self.cached.digest, self._frames_of(clouds, key)))
            for key, cloud in fingerprints(clouds).items()
        }

    def _frames_of(self, clouds: CloudDataset, key: str) -> Sequence[str]:
        """Name the frames of a cloud that have masks."""
        if isinstance(clouds, FrameClouds):
            return [key] if key in self.cached else []
        return self._frames_of_scene.get(key, [])

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
        is_said = isinstance(clouds, FrameClouds) or step == FrameConfig.step
        option = "" if is_said else f" --frame-step {step}"
        raise CacheMissing(
            f"{root} has no masks of {masks}.",
            way_out(clouds, cache, f"{MASKS_STAGE} --model {masks}{option}", auto=False),
        )
    if len(stamps) > 1:
        raise CacheMismatch(
            f"{root} has {len(stamps)} results of masks of {masks}, which differ: "
            f"{'; '.join(differences(stamps[0], stamps[1]))}.",
            f"remove those that are not meant: {', '.join(stamp.folder for stamp in stamps)}.",
        )
    return PointMasks(frames, CacheReader(root, MASKS, stamps[0]))


def require_current_masks(clouds: CloudDataset, cache: Path, superpoints: CacheReader) -> None:
    """Refuse regions of masks that have changed since; those whose masks are no longer in the cache are as they are.

    Raises:
        CacheMismatch: Where there are such regions.
    """
    of_masks = next((stamp for stamp in superpoints.stamp.upstream if stamp.stage == MASKS_STAGE), None)
    if of_masks is None:
        return
    settings = superpoints.stamp.parameters
    try:
        frames = frames_of(clouds, int(settings["frame_step"]))
        masks = PointMasks(frames, CacheReader(root_of(cache, frames), MASKS, of_masks))
    except (UsageError, CacheMissing, CacheMismatch):  # no frames any more, or no masks
        return
    expected = masks.fingerprints(clouds)
    old = [key for key in clouds.keys if key in superpoints and not superpoints.fingerprint(key).same(expected[key])]
    if old:
        odd = (name for name in OF_MASKS if settings[name] != getattr(SuperpointConfig, name))
        options = "".join(f" --{name.replace('_', '-')} {settings[name]}" for name in odd)
        raise CacheMismatch(
            f"{len(old)} of {len(clouds)} clouds have regions in {superpoints.folder} that were made before the clouds "
            f"or their masks changed, or by an older s4tok: {in_short(old)}.",
            way_out(clouds, cache, f"{SUPERPOINTS_STAGE} --preset masks{options}"),
        )
