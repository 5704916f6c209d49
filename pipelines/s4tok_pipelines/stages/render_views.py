"""Draw every object from ten directions and keep which point is at which pixel."""

import os
from dataclasses import replace
from pathlib import Path

from s4tok.config import ViewConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok_cache import CacheReader, Entry, Shard, Store
from s4tok_pipelines.inputs.draw_views import draw_sealed
from s4tok_pipelines.inputs.entries import fingerprints, root_of
from s4tok_pipelines.layouts import VIEWS
from s4tok_pipelines.probes import offscreen
from s4tok_pipelines.report import Outcome, Report, silent
from s4tok_pipelines.run_stage import Content, Work, run_stage
from s4tok_pipelines.stamps import views_stamp

PREVIEWS = 16  # sheets are for people, who need no thousands


def render_views(
    clouds: CloudDataset,
    cache: Path,
    config: ViewConfig = ViewConfig(),  # noqa: B008 - it cannot change
    *,
    shard: Shard = Shard(),  # noqa: B008 - as above
    workers: int = 1,
    device: str = "cpu",
    overwrite: bool = False,
    preview: Path | None = None,
    report: Report = silent,
) -> Outcome:
    """Draw every cloud, or the mesh it comes from, and keep pictures, pixels and visibility.

    Reads a dataset; fills the cache, laid out as `VIEWS`. Clouds that are in it already are passed over, so a run
    that was stopped can be started again.
    """
    config = _drawable(config, report)
    root, stamp = root_of(cache, clouds), views_stamp(config, clouds.up)
    store = Store.resume(root, VIEWS, stamp, shard=shard, overwrite=overwrite)
    work = Work(
        "Drawing views",
        lambda keys: draw_sealed(clouds, keys, config, workers=workers, device=device),
        Content,
    )
    outcome = run_stage(store, fingerprints(clouds), work, report)
    if preview:
        made = CacheReader(root, VIEWS, stamp)
        shown = sorted(set(clouds.keys).intersection(made))[:PREVIEWS]
        for key in shown:
            _sheet(preview, key, made.read(key))
        report.note(f"{len(shown)} contact sheets: {preview}")
    return outcome


def _drawable(config: ViewConfig, report: Report) -> ViewConfig:
    """Find what can draw meshes without a screen; where nothing can, draw points, and say so."""
    if config.image != "shaded":
        return config
    chosen = os.environ.get("PYOPENGL_PLATFORM")
    for platform in [chosen] if chosen else ["egl", "osmesa"]:
        finding = offscreen(platform)
        if finding.state == "ok":
            os.environ["PYOPENGL_PLATFORM"] = platform
            report.note(f"meshes are drawn through {platform.upper()} by {finding.found}")
            return config
        report.warn(f"{platform.upper()}: {finding.found}")
    report.warn("no mesh can be drawn on this machine; points of the surface are drawn instead, as --image depth does")
    return replace(config, image="depth")


def _sheet(folder: Path, key: str, entry: Entry) -> None:
    from s4tok.rendering.contact_sheets import write_sheet

    write_sheet(folder / f"{key.replace('/', '_')}.png", list(entry["images"].astype("float32")))
