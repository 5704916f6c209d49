"""Draw the figures of docs/views.md, sam-guided.md, boxes.md and own-scans.md by their commands: `make figures`."""

import shlex
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
BOXES = "segment toy-rooms --split val --limit 2 --boxes --auto --checkpoint universal --preview"
STUDIO = 'segment examples/rooms/studio.ply --labels "wall,floor,sofa,coffee table,bed,curtain,refrigerator"'
DETECTED = "detect examples/rooms/studio.ply"


def main() -> None:
    """Draw ten views of a chair, masks of a room, boxes of another, and a studio by label and in boxes."""
    with tempfile.TemporaryDirectory() as scratch:
        views = preview(VIEWS, Path(scratch) / "views")
        Image.open(views / VIEWED).save(IMAGES / "views.png", optimize=True)
        masks = Image.open(preview(MASKS, Path(scratch) / "masks") / "masks.png").crop(MASKED)
        few = masks.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=128)
        few.save(IMAGES / "masks.png", optimize=True)
        rooms = Image.open(preview(BOXES, Path(scratch) / "boxes.png"))
        lower = rooms.crop((0, rooms.height // 2, rooms.width, rooms.height))
        lower.save(IMAGES / "boxes.png", optimize=True)
        labelled = preview(f"{STUDIO} --out {scratch}/studio --preview", Path(scratch) / "studio.png")
        Image.open(labelled).save(IMAGES / "studio.png", optimize=True)  # fewer colours would lose those of labels
        detected = preview(f"{DETECTED} --out {scratch}/detected --preview", Path(scratch) / "detected.png")
        Image.open(detected).save(IMAGES / "detected.png", optimize=True)


def preview(command: str, place: Path) -> Path:
    """Run a stage that draws a picture, or some in a folder."""
    cache = place.parent / "cache"
    words = [*shlex.split(command), str(place), "--cache", str(cache)]
    subprocess.run([sys.executable, "-m", "s4tok_cli", *words], check=True)
    return place


if __name__ == "__main__":
    main()
