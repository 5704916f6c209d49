"""A labelled cloud as one HTML page to turn around in a browser; the page needs no network and asks for none."""

import base64
import html
import json
from collections.abc import Sequence
from importlib.resources import files

import numpy as np
from scipy.spatial import KDTree

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.rendering.palette import UNKNOWN
from s4tok.shapes import Array, Float, Float64, Int, UInt8
from s4tok.zero_shot.labelled import UNKNOWN_NAME

MOST_POINTS = 2_000_000  # a page of 43 MB, which a browser still turns around smoothly
PROBED = 2000  # points whose nearest neighbours tell how large a disc closes the surface
ELEVATION = {"object": 0.35, "room": 0.85}  # into a room one looks over its walls
TO_Z_UP = {"x": [1, 2, 0], "y": [2, 0, 1], "z": [0, 1, 2]}
# What the page's script reads; it knows these places.
VERTEX = np.dtype(
    [("place", "<u2", 3), ("label", "<u2"), ("photo", "u1", 3), ("best", "u1"), ("superpoint", "<u4"),
     ("truth", "<u2"), ("_", "<u2")]
)  # fmt: skip
MOST_SCORES = 20_000_000  # bytes, one a point and label; of more the page has none


def page(
    cloud: PointCloud,
    labels: Int[Array, " n"],
    names: Sequence[str],
    colors: UInt8[Array, "c 3"],
    *,
    superpoints: Int[Array, " n"] | None = None,
    truth: Int[Array, " n"] | None = None,
    scores: Float[Array, "n c"] | None = None,
    up: str = "z",
    scene: Scene = "object",
    title: str | None = None,
    about: str = "",
    most: int = MOST_POINTS,
) -> str:
    """Write the page of one cloud; label -1 is unknown. Of more than `most` points it shows an even part.

    `truth` can be shown in place of the labels; of `scores`, of each point and label, one label's can be shown, and
    points whose best is low be greyed out.
    """
    which = np.arange(min(len(cloud), most)) * len(cloud) // min(len(cloud), most)
    xyz = cloud.xyz[which][:, TO_Z_UP[up]].astype(np.float64)
    vertices = np.zeros(len(which), VERTEX)
    low, extent = xyz.min(axis=0), np.ptp(xyz, axis=0)
    vertices["place"] = np.round(65535 * (xyz - low) / np.where(extent > 0, extent, 1))
    vertices["label"] = np.where(labels < 0, len(names), labels)[which]
    modes = [("labels", "Labels")]
    if cloud.color is not None:
        vertices["photo"] = np.round(255 * cloud.color[which])
        modes.append(("color", "Colour"))
    if superpoints is not None:
        vertices["superpoint"] = superpoints[which]
        modes.append(("superpoints", "Superpoints"))
    if truth is not None:
        vertices["truth"] = np.where(truth < 0, len(names), truth)[which]
        modes.insert(1, ("truth", "Truth"))
    low_score, high_score, table = _scores(None if scores is None else scores[which])
    if len(table):
        vertices["best"] = table.max(axis=0)
        modes.append(("scores", "Scores"))
    diagonal = float(np.linalg.norm(extent)) or 1.0
    facts = {
        "title": title or cloud.name,
        "note": _note(len(cloud), len(which), about),
        "points": len(which),
        "total": len(cloud),
        "stride": VERTEX.itemsize,
        "extent": (2 * extent / diagonal).tolist(),
        "low": (low + cloud.offset[TO_Z_UP[up]]).tolist(),  # in the file's unit, as is the size
        "size": extent.tolist(),
        "axes": TO_Z_UP[up],  # of the file, by those of the page
        "scores": [low_score, high_score] if len(table) else None,
        "spacing": 2 * _spacing(xyz) / diagonal,
        "elevation": ELEVATION[scene],
        "modes": modes,
        "legend": _legend(labels, names, colors),
    }
    return _filled(
        "page.html",
        title=html.escape(str(facts["title"])),
        style=_part("style.css"),
        script=_part("script.js"),
        facts=_harmless(facts),
        points=base64.b64encode(vertices.tobytes()).decode(),
        scores=base64.b64encode(table.tobytes()).decode(),
    )


def _scores(scores: Float[Array, "n c"] | None) -> tuple[float, float, UInt8[Array, "_ _"]]:
    """Write scores in bytes between the lowest and the highest, a row a label; nothing where there are none."""
    if scores is None or not 0 < scores.size <= MOST_SCORES or not np.isfinite(scores).all():
        return 0.0, 0.0, np.zeros((0, 0), np.uint8)
    low, high = float(scores.min()), float(scores.max())
    return low, high, np.round(255 * (scores.T - low) / (high - low or 1.0)).astype(np.uint8)


def _legend(labels: Int[Array, " n"], names: Sequence[str], colors: UInt8[Array, "c 3"]) -> list[dict[str, object]]:
    counts = np.bincount(np.where(labels < 0, len(names), labels), minlength=len(names) + 1).tolist()
    rows: list[dict[str, object]] = [
        {"name": name, "rgb": color, "count": count}
        for name, color, count in zip(names, colors.tolist(), counts, strict=False)
    ]
    unknown = [{"name": UNKNOWN_NAME, "rgb": list(UNKNOWN), "count": counts[-1]}] if counts[-1] else []
    return [*rows, *unknown]


def _note(total: int, shown: int, about: str) -> str:
    points = f"{total:,} points" + ("" if shown == total else f", of which an even {shown:,} are shown")
    return f"{points}; {about}" if about else points


def _spacing(xyz: Float64[Array, "n 3"]) -> float:
    """Measure how far points of a surface lie apart, so that discs of that size close it; flat walls may be sparse."""
    probes = xyz[:: max(len(xyz) // PROBED, 1)]
    distances, _ = KDTree(xyz).query(probes, k=min(8, len(xyz)))
    return float(np.quantile(distances[:, -1], 0.9)) or 0.01 * float(np.ptp(xyz, axis=0).max())


def _harmless(facts: dict[str, object]) -> str:
    """Write JSON that no HTML parser takes for anything else, whatever labels are called."""
    return json.dumps(facts).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _filled(template: str, **parts: str) -> str:
    """Put parts into a template; what they hold is not parsed again."""
    pieces = _part(template).split("{{")
    return pieces[0] + "".join(parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces[1:]))


def _part(name: str) -> str:
    return (files("s4tok_pipelines.outputs") / "viewer_page" / name).read_text(encoding="utf-8")
