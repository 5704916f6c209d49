"""Ten views of each cloud, or of the mesh it comes from, drawn as they are asked for."""

from collections.abc import Generator, Mapping, Sequence
from functools import partial

from s4tok.config import ViewConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.rendering.object_views import ObjectViews, object_views
from s4tok_cache import Sealed, seal
from s4tok_pipelines.layouts import VIEWS
from s4tok_pipelines.workers import Done, here_or_side_by_side


def draw_views(
    clouds: CloudDataset, keys: Sequence[str], config: ViewConfig, *, workers: int = 1, device: str = "cpu"
) -> Generator[Done[str, ObjectViews]]:
    """Draw clouds here, or in several processes, each with a renderer of its own; in any order."""
    return here_or_side_by_side(partial(_draw, clouds, config, device), keys, workers)


def draw_sealed(
    clouds: CloudDataset, keys: Sequence[str], config: ViewConfig, *, workers: int = 1, device: str = "cpu"
) -> Generator[Done[str, Mapping[str, Sealed]]]:
    """Draw clouds likewise, and compress and hash the views where they were drawn."""
    return here_or_side_by_side(partial(_draw_sealed, clouds, config, device), keys, workers)


def _draw_sealed(clouds: CloudDataset, config: ViewConfig, device: str, key: str) -> Mapping[str, Sealed]:
    return seal(key, _draw(clouds, config, device, key)._asdict(), VIEWS)


def _draw(clouds: CloudDataset, config: ViewConfig, device: str, key: str) -> ObjectViews:
    if config.image != "shaded":
        return object_views(clouds[key], clouds.up, config, device=device)
    cloud, up = clouds[key].in_its_file(clouds.up)  # where its mesh is
    return object_views(cloud, up, config, mesh=clouds.mesh(key), device=device)
