"""What is said about a release in several places agrees."""

import re
import subprocess
from pathlib import Path

import pytest

import s4tok

ROOT = Path(__file__).parents[1]


def test_the_citation_is_of_this_version() -> None:
    found = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    assert found[1] == s4tok.__version__


def test_the_changelog_has_this_version_or_says_that_it_will_be() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = re.escape(s4tok.__version__)
    assert re.search(rf"^## \[{version}\]", text, re.MULTILINE) or re.search(rf"What will be {version}", text)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
@pytest.mark.parametrize("folder", ["results", "demo", "runs", "site", "dist", ".s4tok"])
def test_what_commands_write_is_ignored_by_git(folder: str) -> None:
    done = subprocess.run(["git", "check-ignore", f"{folder}/file"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0
