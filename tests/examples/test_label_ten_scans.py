"""The tutorial "label ten scans, get a segmenter", at toy size: two scans, a few points, one epoch."""

import shlex
from pathlib import Path

import pytest

from tests.documents import BLOCK, ROOT
from tests.running import Run

PAGE = (ROOT / "docs" / "tutorials" / "label-ten-scans.md").read_text("utf-8")
SMALLER = {"[:10]": "[:2]", "len(room), 8)": "len(room), 60)", "[::8]": "[::60]", "--epochs 40": "--epochs 1"}


@pytest.mark.slow
def test_its_blocks_run_one_after_the_other_and_label_the_next_scan(s4tok: Run, python: Run, tmp_path: Path) -> None:
    for block in BLOCK.finditer(PAGE):
        text = block["text"]
        for large, small in SMALLER.items():
            text = text.replace(large, small)
        if block["language"] == "python":
            done = python("-c", text)
        else:
            (command,) = text.strip().splitlines()
            done = s4tok(*shlex.split(command)[1:])
        assert done.returncode == 0, done.stderr
    assert all(large in PAGE for large in SMALLER)
    assert "by its head for scenes" in done.stdout
    assert list((tmp_path / "segments").rglob("*.html"))
