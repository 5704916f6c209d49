from pathlib import Path

import pytest

from s4tok.datasets import open_dataset
from s4tok.errors import MissingError, UsageError
from s4tok_pipelines.stages.fetch import fetch
from tests.furniture import wardrobes
from tests.s4tok.datasets.formats.test_deb import deb_of

PACKAGE = "sweethome3d-furniture"


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an apt-get of our own before every other, and give its script."""
    script = tmp_path / "bin" / "apt-get"
    script.parent.mkdir()
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return script


def _says(script: Path, lines: str) -> None:
    script.write_text(f"#!/bin/sh\n{lines}\n")
    script.chmod(0o755)


def test_a_package_is_downloaded_and_unpacked_without_installing_it(apt: Path, tmp_path: Path) -> None:
    (tmp_path / "copyright").write_text("terms")
    files = [wardrobes(tmp_path / "made" / f"{name}.sh3f", "bed") for name in ("Scopia", "Reallusion")]
    package = deb_of(tmp_path / "made" / "package", *files, tmp_path / "copyright")
    _says(apt, f'[ "$1 $2" = "download {PACKAGE}" ] && cp {package} {PACKAGE}_1.8-1_all.deb')
    fetched = fetch("sh3d", tmp_path / "data")
    assert fetched.files == ("Reallusion.sh3f", "Scopia.sh3f", "copyright")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["sh3d"]  # no package and nothing half-made stays
    assert list(open_dataset("sh3d", split="all", root=tmp_path / "data").keys) == ["Reallusion/bed", "Scopia/bed"]
    _says(apt, "exit 1")
    assert fetch("sh3d", tmp_path / "data").files == ()


def test_where_apt_fails_or_is_not_there_the_line_to_type_is_told(
    apt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _says(apt, f"echo 'W: something' >&2; echo 'E: Unable to locate package {PACKAGE}' >&2; exit 100")
    with pytest.raises(MissingError, match=f"cannot download {PACKAGE}: Unable to locate package") as failed:
        fetch("sh3d", tmp_path / "data")
    line = f"apt-get download {PACKAGE} && dpkg-deb -x {PACKAGE}_*.deb {tmp_path / 'data' / 'sh3d'}"
    assert line in failed.value.hint
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="there is no apt-get here") as missing:
        fetch("sh3d", tmp_path / "data")
    assert line in missing.value.hint
    assert not (tmp_path / "data" / "sh3d").exists()


def test_what_is_in_no_package_is_told_where_to_get(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scannet is in no package; those that are: sh3d") as refused:
        fetch("scannet", tmp_path)
    assert "the form at" in refused.value.hint
    with pytest.raises(UsageError, match="no dataset is called 'sh3'"):
        fetch("sh3", tmp_path)
