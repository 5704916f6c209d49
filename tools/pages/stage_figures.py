"""Draw the figures of docs/views.md, sam-guided.md and boxes.md, `make figures`, by the previews of their commands."""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tools.pages.figures import IMAGES

VIEWS = "render-views toy-shapes --split test --limit 7 --preview"
VIEWED = "test-000006-chair.png"
MASKS = "extract-masks toy-scans --split test --limit 1 --preview"
MASKED = (640, 0, 1920, 480)  # of the sheet: four frames, each beside its masks
BOXES = "segment toy-rooms --split val --limit 2 --boxes --auto --preview"


def main() -> None:
    """Draw the ten views of a chair, masks of four frames of a room, and true and found boxes of another room."""
    with tempfile.TemporaryDirectory() as scratch:
        views = preview(VIEWS, Path(scratch) / "views")
        Image.open(views / VIEWED).save(IMAGES / "views.png", optimize=True)
        masks = Image.open(preview(MASKS, Path(scratch) / "masks") / "masks.png").crop(MASKED)
        few = masks.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=128)
        few.save(IMAGES / "masks.png", optimize=True)
        rooms = Image.open(preview(BOXES, Path(scratch) / "boxes.png"))
        lower = rooms.crop((0, rooms.height // 2, rooms.width, rooms.height))
        lower.save(IMAGES / "boxes.png", optimize=True)


def preview(command: str, place: Path) -> Path:
    """Run a stage that draws a picture, or some in a folder."""
    cache = place.parent / "cache"
    subprocess.run([sys.executable, "-m", "s4tok_cli", *command.split(), str(place), "--cache", str(cache)], check=True)
    return place


if __name__ == "__main__":
    main()
