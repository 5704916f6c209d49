import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from s4tok.datasets.formats import deb
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.deb import read_deb


def _tar(compression: str = "xz", **files: bytes) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(f"./usr/share/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def deb_of(path: Path, *files: Path) -> Path:
    """Write a package that would install these files."""
    return make_deb(path, _tar("xz", **{file.name: file.read_bytes() for file in files}))


def make_deb(path: Path, data: bytes, name: str = "data.tar.xz") -> Path:
    """Write the outer archive: three members, each padded to an even length."""
    members = {"debian-binary": b"2.0\n", "control.tar.xz": b"123", name: data}
    package = b"!<arch>\n"
    for each, content in members.items():
        package += f"{each:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        package += content + b"\n" * (len(content) % 2)
    path.write_bytes(package)
    return path


def _every(name: str) -> bool:
    return True


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_wanted_files_are_read_by_name_whatever_their_archive_is_compressed_with(
    compression: str, tmp_path: Path
) -> None:
    suffix = f".{compression}" if compression else ""
    package = make_deb(tmp_path / "a.deb", _tar(compression, a=b"1", b=b"22" * 4000), f"data.tar{suffix}")
    assert read_deb(package, lambda name: name == "b") == {"b": b"22" * 4000}
    assert read_deb(package, lambda name: False) == {}


def test_what_python_cannot_decompress_is_told_with_the_way_out(tmp_path: Path) -> None:
    package = make_deb(tmp_path / "a.deb", b"\x28\xb5\x2f\xfd", "data.tar.zst")
    with pytest.raises(DamagedFile, match="is compressed as zst") as refused:
        read_deb(package, _every)
    assert "dpkg-deb -x" in refused.value.hint


def _link(info: tarfile.TarInfo) -> None:
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"


def _outside(info: tarfile.TarInfo) -> None:
    info.name = "../../etc/a"


@pytest.mark.parametrize("spoil", [_link, _outside])
def test_links_and_names_that_lead_elsewhere_are_refused(
    spoil: Callable[[tarfile.TarInfo], None], tmp_path: Path
) -> None:
    data = io.BytesIO()
    info = tarfile.TarInfo("./a")
    spoil(info)
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        archive.addfile(info)
    with pytest.raises(DamagedFile, match="no plain file of its own"):
        read_deb(make_deb(tmp_path / "a.deb", data.getvalue()), _every)


def test_a_package_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = make_deb(tmp_path / "a.deb", _tar(a=bytes(2000)))
    monkeypatch.setattr(deb, "LARGEST", 1999)
    with pytest.raises(DamagedFile, match="more than 1,999 bytes"):
        read_deb(package, _every)


def test_damage_is_told_wherever_it_is(tmp_path: Path) -> None:
    whole = make_deb(tmp_path / "a.deb", _tar(a=bytes(range(256)) * 99)).read_bytes()
    for content in (b"PK" + whole, whole[:60], whole[:-300], whole[:-200] + bytes(200), whole[:100]):
        (tmp_path / "b.deb").write_bytes(content)
        with pytest.raises(DamagedFile, match=r"b\.deb: "):
            read_deb(tmp_path / "b.deb", _every)
