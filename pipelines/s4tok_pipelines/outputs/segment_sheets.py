"""A picture of labelled clouds: the truth, or else the cloud as it is, beside the prediction, with a legend."""

from io import BytesIO
from typing import Any

import numpy as np

from s4tok.datasets.dataset import CloudDataset
from s4tok.geometry.box_frames import EDGES, box_corners
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.rendering.palette import colors_of_names, paint
from s4tok.rendering.picture import Lines, draw
from s4tok.shapes import Array, Float32, UInt8
from s4tok.zero_shot.labelled import Labelled
from s4tok_pipelines.outputs.labelled_clouds import named_boxes

CLOUDS = 12  # for people, who need no thousands
COLUMNS = {"object": 4, "room": 1}
SIDE = {"object": 230, "room": 560}  # pixels of one cloud
TEXT, MARGIN = 16, 14
EDGE = 0.6  # of a label's colour
INK, GREY = (40, 40, 40), (120, 120, 120)


class Sheet:
    """The first labelled clouds, drawn as they come, so that none has to be kept."""

    def __init__(self, clouds: CloudDataset) -> None:
        self.clouds, self.cells = clouds, list[Any]()

    def add(self, done: Labelled) -> None:
        """Draw one cloud more, unless there are enough."""
        if len(self.cells) < CLOUDS:
            self.cells.append(self._cell(done))

    def png(self) -> bytes:
        """Put the clouds together."""
        from PIL import Image  # comes with torchvision, which open_clip brings

        columns = min(COLUMNS[self.clouds.scene], len(self.cells))
        rows = [self.cells[start : start + columns] for start in range(0, len(self.cells), columns)]
        width = max(cell.width for cell in self.cells)
        heights = [max(cell.height for cell in row) for row in rows]
        sheet = Image.new("RGB", (columns * width, sum(heights)), "white")
        for row, top in zip(rows, np.cumsum([0, *heights]).tolist(), strict=False):
            for column, cell in enumerate(row):
                sheet.paste(cell, (column * width, top))
        buffer = BytesIO()
        sheet.save(buffer, format="PNG")
        return buffer.getvalue()

    def _cell(self, done: Labelled) -> Any:
        from PIL import Image, ImageDraw, ImageFont

        colors, side = colors_of_names(done.names), SIDE[self.clouds.scene]
        shown = (
            {"truth": done.truth, "predicted": done.answers} if done.truth is not None else {"predicted": done.answers}
        )
        boxes = {"truth": named_boxes(done.cloud.boxes, done, self.clouds), "predicted": done.boxes}
        pictures = {
            title: self._picture(done.cloud.xyz, paint(labels, colors), side, self._edges(boxes[title], colors))
            for title, labels in shown.items()
        }
        if done.truth is None and done.cloud.color is not None:
            own = np.round(255 * done.cloud.color).astype(np.uint8)
            pictures = {"cloud": self._picture(done.cloud.xyz, own, side, None), **pictures}
        there = np.unique(np.concatenate(list(shown.values())))
        width, font = len(pictures) * side + MARGIN, ImageFont.load_default(TEXT)
        legend: list[tuple[str, Any]] = [
            (done.names[label], tuple(colors[label].tolist())) for label in map(int, there) if label >= 0
        ]
        lines = _legend(legend, width, font)
        cell = Image.new("RGB", (width, TEXT + 6 + side + len(lines) * (TEXT + 6) + MARGIN), "white")
        pen = ImageDraw.Draw(cell)
        for place, (title, picture) in enumerate(pictures.items()):
            cell.paste(Image.fromarray(picture), (place * side, TEXT + 6))
            pen.text((place * side + 4, 2), title, fill=GREY, font=font)
        for line, entries in enumerate(lines):
            for left, name, color in entries:
                top = TEXT + 6 + side + line * (TEXT + 6)
                pen.rectangle((left, top + 3, left + TEXT - 3, top + TEXT), fill=color)
                pen.text((left + TEXT + 1, top), name, fill=INK, font=font)
        return cell

    def _picture(
        self, xyz: Float32[Array, "n 3"], color: UInt8[Array, "n 3"], side: int, edges: Lines | None
    ) -> UInt8[Array, "h w 3"]:
        fine = draw(xyz, color, self.clouds.up, self.clouds.scene, 2 * side, edges)
        halved: Array = fine.reshape(side, 2, side, 2, 3).mean((1, 3)).astype(np.uint8)
        return halved

    def _edges(self, boxes: OrientedBoxes | None, colors: UInt8[Array, "t 3"]) -> Lines | None:
        """Give the edges of boxes, darker than the points of their label, so that they are seen before these."""
        if boxes is None:
            return None
        ends = box_corners(boxes, self.clouds.up)[:, EDGES].reshape(-1, 2, 3)
        return Lines(ends, np.repeat((EDGE * colors[boxes.labels]).astype(np.uint8), len(EDGES), axis=0))


def _legend(names: list[tuple[str, Any]], width: int, font: Any) -> list[list[tuple[int, str, Any]]]:
    """Break a legend into lines: where each name starts, and its colour."""
    lines, left = [list[tuple[int, str, Any]]()], 4
    for name, color in names:
        length = TEXT + 12 + int(font.getlength(name))
        if left + length > width and lines[-1]:
            lines.append([])
            left = 4
        lines[-1].append((left, name, color))
        left += length
    return lines
