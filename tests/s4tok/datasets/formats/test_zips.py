import io
import stat
import zipfile
from pathlib import Path

import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.zips import FREE, believable_members, open_zip, read_member


def _zip(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../out", "C:/out", "a\\out"])
def test_an_archive_with_a_name_that_leads_out_of_it_is_refused_whole(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good", b"1")
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, b"2")
    with open_zip(path) as archive, pytest.raises(DamagedFile, match="would lie outside it"):
        believable_members(archive, path)


def test_an_archive_with_a_link_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, b"/etc/passwd")
    with open_zip(path) as archive, pytest.raises(DamagedFile, match="which is a link"):
        believable_members(archive, path)


def test_members_too_large_or_too_tightly_packed_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", bomb=bytes(FREE + 1), small=b"12345")
    with open_zip(path) as archive:
        members = believable_members(archive, path)
        with pytest.raises(DamagedFile, match="are plenty"):
            read_member(archive, members["bomb"], path)
        with pytest.raises(DamagedFile, match="zip bomb"):
            read_member(archive, members["bomb"], path, largest=2 * FREE)
        with pytest.raises(DamagedFile, match=r"a\.zip/small: has 5 bytes, where 4 are plenty"):
            read_member(archive, members["small"], path, largest=4)
        assert read_member(archive, members["small"], path) == b"12345"


def test_members_that_lie_of_their_size_or_are_cut_short_are_told_with_the_archive(tmp_path: Path) -> None:
    data = bytearray(_zip(tmp_path / "a.zip", a=b"x" * 1000).read_bytes())
    data[33] ^= 0xFF
    for content in (bytes(data), bytes(data[:60]), b"PK"):
        (tmp_path / "b.zip").write_bytes(content)
        with pytest.raises(DamagedFile, match=r"b\.zip: is no whole \.sh3f archive"):  # noqa: SIM117 - both may raise
            with open_zip(tmp_path / "b.zip", ".sh3f") as archive:
                read_member(archive, believable_members(archive, tmp_path / "b.zip")["a"], tmp_path / "b.zip")


def test_an_archive_inside_another_file_is_read_from_its_bytes(tmp_path: Path) -> None:
    content = io.BytesIO(_zip(tmp_path / "a.zip", folder__a=b"1").read_bytes())
    with open_zip(tmp_path / "not there", content=content) as archive:
        assert list(believable_members(archive, tmp_path)) == ["folder/a"]
