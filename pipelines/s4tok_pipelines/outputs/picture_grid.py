"""Pictures side by side in one PNG, as a figure of a paper has them: titles, captions, a legend, little white."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok.shapes import Array, UInt8

TEXT, SMALL, INK, GAP = 22, 18, (40, 40, 40), 20
WHITE = 255

Picture = UInt8[Array, "h w 3"]


class Shown(NamedTuple):
    """A picture, and what stands under it."""

    picture: Picture
    caption: str = ""


class Span(NamedTuple):
    """The rows or columns of pixels that are kept."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """Count them."""
        return self.stop - self.start


def write_grid(
    path: Path,
    rows: Mapping[str, Sequence[Shown]],
    titles: Sequence[str] = (),
    legend: Mapping[str, tuple[int, int, int]] = {},
) -> None:
    """Write pictures of one size: a row a name, which stands before it, titles above, and what colours mean below.

    White that all pictures of a row or column have in common is cut off.
    """
    from PIL import Image, ImageDraw, ImageFont  # comes with torchvision, which open_clip brings

    fonts = {size: ImageFont.load_default(size) for size in (TEXT, SMALL)}
    lines = [list(row) for row in rows.values()]
    heights = [_span([each.picture for each in row], axis=0) for row in lines]
    widths = [_span([row[place].picture for row in lines if place < len(row)], axis=1) for place in range(_most(lines))]
    rooms = [max(each.size, *_texts(lines, titles, place, fonts)) for place, each in enumerate(widths)]
    under = [SMALL + 10 if any(each.caption for each in row) else 0 for row in lines]
    left = GAP + (GAP + max(int(fonts[TEXT].getlength(name)) for name in rows) if any(rows) else 0)
    top = TEXT + GAP if titles else GAP // 2
    words = list(_legend(legend, fonts[SMALL], left + sum(each + GAP for each in rooms)))
    bottom = (words[-1][1] + SMALL + GAP if words else 0) + GAP // 2
    height = top + sum(each.size + GAP for each in heights) + sum(under)
    sheet = Image.new("RGB", (left + sum(each + GAP for each in rooms), height + bottom), "white")
    pen, y = ImageDraw.Draw(sheet), top
    for name, row, tall, more in zip(rows, lines, heights, under, strict=True):
        pen.text((GAP, y + tall.size // 2), name, fill=INK, font=fonts[TEXT], anchor="lm")
        x = left
        for place, (each, wide, room) in enumerate(zip(row, widths, rooms, strict=False)):
            middle = x + room // 2
            if y == top and place < len(titles):
                pen.text((middle, 6), titles[place], fill=INK, font=fonts[TEXT], anchor="mt")
            cut = each.picture[tall.start : tall.stop, wide.start : wide.stop]
            sheet.paste(Image.fromarray(cut), (middle - wide.size // 2, y))
            pen.text((middle, y + tall.size + 6), each.caption, fill=INK, font=fonts[SMALL], anchor="mt")
            x += room + GAP
        y += tall.size + more + GAP
    for word, line, x in words:
        color = legend[word]
        pen.rectangle((x, height + line + 2, x + SMALL - 4, height + line + SMALL - 2), fill=color)
        pen.text((x + SMALL + 4, height + line), word, fill=INK, font=fonts[SMALL])
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, format="PNG")


def _texts(lines: Sequence[Sequence[Shown]], titles: Sequence[str], place: int, fonts: Mapping[int, Any]) -> list[int]:
    """Give how long a column's title and captions are."""
    title = fonts[TEXT].getlength(titles[place]) if place < len(titles) else 0
    return [int(title), *(int(fonts[SMALL].getlength(row[place].caption)) for row in lines if place < len(row))]


def _legend(legend: Mapping[str, Any], font: Any, width: int) -> Iterator[tuple[str, int, int]]:
    """Give each word its place, in lines that are no longer than the sheet."""
    x, y = GAP, 0
    for word in legend:
        long = SMALL + 4 + int(font.getlength(word)) + GAP
        if x + long > width and x > GAP:
            x, y = GAP, y + SMALL + 8
        yield word, y, x
        x += long


def _span(pictures: Sequence[Picture], axis: int) -> Span:
    """Find what some picture draws on, along an axis; all of it where none draws anything."""
    drawn = np.zeros(pictures[0].shape[axis], bool)
    for each in pictures:
        drawn |= (each != WHITE).any(axis=(1 - axis, 2))
    places = np.flatnonzero(drawn)
    return Span(int(places[0]), int(places[-1]) + 1) if len(places) else Span(0, len(drawn))


def _most(lines: Sequence[Sequence[Shown]]) -> int:
    return max(len(row) for row in lines)
