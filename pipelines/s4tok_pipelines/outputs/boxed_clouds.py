"""Clouds in which boxes were found, to look at: points in the colours of the boxes that hold them."""

from collections.abc import Sequence

import numpy as np
import torch

from s4tok.clouds import PointCloud
from s4tok.datasets.dataset import CloudDataset
from s4tok.geometry.box_frames import as_it_came, turned
from s4tok.geometry.boxes import points_inside
from s4tok.inference.detecting import to_z_up
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.rendering.palette import colors_of_names
from s4tok.shapes import Array, Int
from s4tok.zero_shot.labelled import Labelled
from s4tok_pipelines.outputs.labelled_clouds import named_boxes
from s4tok_pipelines.outputs.viewer import Shown, page


def labelled_by_boxes(cloud: PointCloud, boxes: OrientedBoxes, names: Sequence[str], clouds: CloudDataset) -> Labelled:
    """Label each point by the surest box that holds it, and by the true one where they are known.

    Boxes are in the frame of the cloud's `xyz`.
    """
    nothing = np.zeros(len(cloud), np.int64)
    done = Labelled(cloud, nothing, names, np.zeros((len(cloud), 0), np.float32), nothing, boxes=boxes)
    true = named_boxes(cloud.boxes, done, clouds)
    truth = None if true is None else _held(cloud, true, clouds.up)
    return done._replace(answers=_held(cloud, boxes, clouds.up), truth=truth)


def boxes_page(done: Labelled, clouds: CloudDataset, about: str) -> str:
    """Write the page of a cloud with its boxes."""
    cloud, up = done.cloud.in_its_file(clouds.up)
    assert done.boxes is not None
    return page(Shown(
        cloud, done.answers, done.names, colors_of_names(done.names), truth=done.truth, up=up, scene=clouds.scene,
        about=about, boxes=as_it_came(done.boxes, done.cloud),
        true_boxes=named_boxes(done.cloud.original_boxes(), done, clouds),
    ))  # fmt: skip


def _held(cloud: PointCloud, boxes: OrientedBoxes, up: str) -> Int[Array, " n"]:
    """Give the label of the surest box that holds a point, of the first where none is surer; -1 for no box."""
    scores = np.zeros(len(boxes)) if boxes.scores is None else boxes.scores
    order = np.argsort(-scores, kind="stable")
    rows = torch.from_numpy(turned(boxes, up, "z").rows()[order])
    raised = torch.from_numpy(to_z_up(cloud, up))
    labels = np.full(len(cloud), -1)
    for label, row in zip(boxes.labels[order].tolist(), rows, strict=True):
        inside = points_inside(row[None], raised)[0].numpy()
        labels[inside & (labels < 0)] = label
    return labels
