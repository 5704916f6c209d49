"""Superpoints for other programs and for the eye: ScanNet's segment files, coloured points, pictures."""

import json
from io import BytesIO
from pathlib import Path

from s4tok.clouds import PointCloud
from s4tok.datasets.dataset import CloudDataset
from s4tok.dependencies import load
from s4tok.errors import choose
from s4tok.rendering.palette import colors_of_superpoints
from s4tok.rendering.picture import draw
from s4tok.rendering.ply import ply_of
from s4tok.shapes import Array, Int32
from s4tok_cache import CacheReader
from s4tok_cache.files import write_whole
from s4tok_pipelines.outputs.file_rows import in_file_rows
from s4tok_pipelines.outputs.labelled_clouds import stems_for
from s4tok_pipelines.report import Report, silent

# What ScanNet's own tools and everybody's loaders look for beside a scan; the number is the threshold of its
# segmenter, and no property of ours. The parameters inside the file say how it was made.
SCANNET_ENDING = "_vh_clean_2.0.010000.segs.json"


def export_segments(
    clouds: CloudDataset, superpoints: CacheReader, folder: Path, *, scannet: bool = False, report: Report = silent
) -> int:
    """Write every cloud's superpoints as ScanNet writes its segments, and give their number.

    A ScanNet scan's file gets the name that loaders look for; any other is <cloud>.segs.json, with the ending of the
    cloud's own file where two would have one name. A row of a cloud's file that is no point has segment -1.
    """
    stems = stems_for(clouds)
    keys = [key for key in clouds.keys if key in superpoints]
    for key in report.steps(keys, "Writing segments"):
        path = folder / (f"{key}{SCANNET_ENDING}" if scannet else f"{stems[key]}.segs.json")
        segments = {
            "params": {"made by": "s4tok", **superpoints.stamp.parameters},
            "sceneId": key,
            "segIndices": in_file_rows(superpoints.read(key)["labels"], clouds.present(key)).tolist(),
        }
        write_whole(path, json.dumps(segments).encode(), parents=True)
    return len(keys)


def preview(clouds: CloudDataset, key: str, superpoints: CacheReader, path: Path) -> None:
    """Draw a cloud coloured by superpoint: a picture as .png, or points to turn around in a viewer as .ply."""
    write = choose("kind of preview", path.suffix.lower(), {".png": _png, ".ply": _ply})
    labels = superpoints.read(key)["labels"]
    write_whole(path, write(clouds, clouds[key], labels), parents=True)


def _png(clouds: CloudDataset, cloud: PointCloud, labels: Int32[Array, " n"]) -> bytes:
    image = load("PIL.Image")
    buffer = BytesIO()
    image.fromarray(draw(cloud.xyz, colors_of_superpoints(labels), clouds.up, clouds.scene)).save(buffer, format="PNG")
    return buffer.getvalue()


def _ply(clouds: CloudDataset, cloud: PointCloud, labels: Int32[Array, " n"]) -> bytes:
    return ply_of(cloud, colors_of_superpoints(labels), superpoint=labels)
