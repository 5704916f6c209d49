"""Take the picture of the viewer in docs/segment.md, `make figures`: a held-out room, labelled by what ships."""

import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from tools.pages.figures import IMAGES

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
COMMAND = "segment toy-scans --split test --limit 1 --auto --html --out"
SIZE = (1200, 760)


def main() -> None:
    """Label a room and photograph its page; without a browser the picture stays as it is."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.stderr.write("no Chromium on this machine: docs/images/segment.jpg stays as it is\n")
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run([sys.executable, "-m", "s4tok_cli", *COMMAND.split(), str(folder)], check=True)
        picture = photograph(browser, next(folder.rglob("*.html")), folder)
    Image.open(BytesIO(picture)).convert("RGB").save(IMAGES / "segment.jpg", quality=88)


def photograph(browser: str, page: Path, scratch: Path) -> bytes:
    """Open a page in a browser without a window, and give what it shows as PNG."""
    taken = scratch / "page.png"
    subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--hide-scrollbars", "--use-gl=angle", "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader", f"--window-size={SIZE[0]},{SIZE[1]}", f"--user-data-dir={scratch}/profile",
            "--virtual-time-budget=8000", f"--screenshot={taken}", page.as_uri(),
        ],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return taken.read_bytes()


if __name__ == "__main__":
    main()
