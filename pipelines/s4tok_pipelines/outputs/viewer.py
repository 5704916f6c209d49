"""Labelled clouds as one HTML page to turn around in a browser; the page needs no network and asks for none."""

import base64
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.geometry.box_frames import box_corners
from s4tok.oriented_boxes import OrientedBoxes
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


@dataclass(frozen=True, eq=False)
class Shown:
    """A cloud with a label a point, -1 for unknown, and what else can be shown of it."""

    cloud: PointCloud
    labels: Int[Array, " n"]  # index into names
    names: Sequence[str]
    colors: UInt8[Array, "c 3"]  # of the names
    superpoints: Int[Array, " n"] | None = None
    truth: Int[Array, " n"] | None = None  # as labels; shown in their place
    scores: Float[Array, "n c"] | None = None  # of each point and label; points whose best is low can be greyed out
    boxes: OrientedBoxes | None = None  # in the coordinates of the file; labels as those of points
    true_boxes: OrientedBoxes | None = None  # shown in their place, with the truth
    up: str = "z"
    scene: Scene = "object"
    title: str = ""  # the cloud's name where empty
    about: str = ""

    def places(self) -> Float64[Array, "n 3"]:
        """Give the points' coordinates in the file's unit, z up."""
        return self.cloud.original_xyz()[:, TO_Z_UP[self.up]]


class _Frame(NamedTuple):
    """The box that fills the page."""

    low: Float64[Array, "3"]
    extent: Float64[Array, "3"]


def page(*shown: Shown, title: str = "", most: int = MOST_POINTS) -> str:
    """Write the page of one or more clouds. Of more than `most` points it shows an even part.

    Clouds whose boxes all overlap stand in one frame, so that one can be compared with the other; else each in its own.
    """
    most = max(most // len(shown), 1)
    frames = _frames(shown)
    parts = [_content(each, frame, most) for each, frame in zip(shown, frames, strict=True)]
    facts = [found for found, _, _ in parts]
    return _filled(
        "page.html",
        title=html.escape(title or str(facts[0]["title"])),
        style=_part("style.css"),
        script=_part("scene.js") + _part("panel.js"),
        facts=_harmless(facts),
        points=" ".join(base64.b64encode(points).decode() for _, points, _ in parts),
        scores=" ".join(base64.b64encode(scores).decode() or "-" for _, _, scores in parts),
    )


def _frames(shown: Sequence[Shown]) -> list[_Frame]:
    boxes = np.array([(places.min(axis=0), places.max(axis=0)) for places in map(Shown.places, shown)])
    low, high = boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)
    if (boxes[:, 0].max(axis=0) <= boxes[:, 1].min(axis=0)).all():
        return [_Frame(low, high - low)] * len(shown)
    return [_Frame(low, high - low) for low, high in boxes]


def _content(shown: Shown, frame: _Frame, most: int) -> tuple[dict[str, object], bytes, bytes]:
    """Give what the page says of a cloud, its points and their scores."""
    cloud, names = shown.cloud, shown.names
    which = np.arange(min(len(cloud), most)) * len(cloud) // min(len(cloud), most)
    xyz = shown.places()[which]
    low, extent = frame
    vertices = np.zeros(len(which), VERTEX)
    vertices["place"] = np.round(65535 * (xyz - low) / np.where(extent > 0, extent, 1)).clip(0, 65535)
    vertices["label"] = np.where(shown.labels < 0, len(names), shown.labels)[which]
    is_labelled = len(names) > 0 and (bool((shown.labels >= 0).any()) or cloud.color is None)
    modes = [("labels", "Labels")] if is_labelled else []
    if cloud.color is not None:
        vertices["photo"] = np.round(255 * cloud.color[which])
        modes.append(("color", "Colour"))
    if shown.superpoints is not None:
        vertices["superpoint"] = shown.superpoints[which]
        modes.append(("superpoints", "Superpoints"))
    if shown.truth is not None:
        vertices["truth"] = np.where(shown.truth < 0, len(names), shown.truth)[which]
        modes.insert(1, ("truth", "Truth"))
    low_score, high_score, table = _scores(None if shown.scores is None else shown.scores[which])
    if len(table):
        vertices["best"] = table.max(axis=0)
        modes.append(("scores", "Scores"))
    diagonal = float(np.linalg.norm(extent)) or 1.0
    facts: dict[str, object] = {
        "title": shown.title or cloud.name,
        "note": _note(len(cloud), len(which), shown.about),
        "points": len(which),
        "total": len(cloud),
        "stride": VERTEX.itemsize,
        "extent": (2 * extent / diagonal).tolist(),
        "low": low.tolist(),  # in the file's unit, as is the size
        "size": extent.tolist(),
        "axes": TO_Z_UP[shown.up],  # of the file, by those of the page
        "scores": [low_score, high_score] if len(table) else None,
        "spacing": 2 * _spacing(xyz) / diagonal,
        "elevation": ELEVATION[shown.scene],
        "modes": modes,
        "legend": _legend(shown.labels, names, shown.colors),
        "boxes": [*_boxes(shown.boxes, shown.up, frame, False), *_boxes(shown.true_boxes, shown.up, frame, True)],
    }
    return facts, vertices.tobytes(), table.tobytes()


def _boxes(boxes: OrientedBoxes | None, up: str, frame: _Frame, is_true: bool) -> list[dict[str, object]]:
    """Give the corners of boxes where the page has them."""
    if boxes is None:
        return []
    low, extent = frame
    corners = 2 * (box_corners(boxes, up)[..., TO_Z_UP[up]] - low - extent / 2) / (np.linalg.norm(extent) or 1.0)
    return [
        {"label": label, "true": is_true, "corners": row}
        for label, row in zip(boxes.labels.tolist(), corners.reshape(-1, 24).round(5).tolist(), strict=True)
    ]


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


def _harmless(facts: Sequence[dict[str, object]]) -> str:
    """Write JSON that no HTML parser takes for anything else, whatever labels are called."""
    return json.dumps(facts).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _filled(template: str, **parts: str) -> str:
    """Put parts into a template; what they hold is not parsed again."""
    pieces = _part(template).split("{{")
    return pieces[0] + "".join(parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces[1:]))


def _part(name: str) -> str:
    return (files("s4tok_pipelines.outputs") / "viewer_page" / name).read_text(encoding="utf-8")
