"""Boxes brought from one frame into another: with another axis up, or back to the file of an own cloud."""

from dataclasses import replace

from s4tok.clouds import PointCloud
from s4tok.geometry.axes import upright
from s4tok.geometry.placement import UP, factor
from s4tok.oriented_boxes import OrientedBoxes


def turned(boxes: OrientedBoxes, up: str, to: str) -> OrientedBoxes:
    """Turn boxes so that the axis `to` is up where `up` was, as `upright` turns points."""
    return replace(boxes, centers=boxes.centers @ upright(up).T @ upright(to))


def as_it_came(boxes: OrientedBoxes, cloud: PointCloud) -> OrientedBoxes:
    """Bring boxes in the frame of a cloud's `xyz` to the coordinates, axes and unit that it came in."""
    if cloud.source is None or cloud.placement is None:
        return boxes.moved(cloud.offset)
    ratio = factor(cloud.source, cloud.placement)
    smaller = replace(boxes, centers=boxes.centers / ratio, sizes=boxes.sizes / ratio)
    return turned(smaller, UP, cloud.placement.up).moved(cloud.source.offset)
