import errno
import os
import stat
from pathlib import Path

import pytest

from s4tok_cache.files import FileSystem, make_folder, sync_folder, write_whole


class Recorder(FileSystem):
    """Notes what is called, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.names: dict[int, str] = {}

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        descriptor = super().open(path, flags, mode)
        self.names[descriptor] = "folder" if path.is_dir() else "temporary" if path.name.endswith(".tmp") else path.name
        self.calls.append(f"open {self.names[descriptor]}")
        return descriptor

    def write(self, descriptor: int, content: memoryview) -> int:
        self.calls.append(f"write {self.names[descriptor]}")
        return super().write(descriptor, content[:4])  # as a full pipe or a network does

    def fsync(self, descriptor: int) -> None:
        self.calls.append(f"fsync {self.names[descriptor]}")
        super().fsync(descriptor)

    def close(self, descriptor: int) -> None:
        self.calls.append(f"close {self.names[descriptor]}")
        super().close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self.calls.append(f"rename {target.name}")
        super().replace(source, target)


def test_a_file_is_synced_before_its_name_and_the_name_before_it_counts(tmp_path: Path) -> None:
    files = Recorder()
    write_whole(tmp_path / "a.h5", b"0123456789", files=files)
    assert files.calls == [
        "open temporary",
        *["write temporary"] * 3,
        "fsync temporary",
        "close temporary",
        "rename a.h5",
        "open folder",
        "fsync folder",
        "close folder",
    ]
    assert (tmp_path / "a.h5").read_bytes() == b"0123456789"
    assert os.listdir(tmp_path) == ["a.h5"]  # noqa: PTH208 - dot files too


def test_a_file_written_whole_has_the_rights_the_user_gives_to_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a.h5", b"x", files=FileSystem())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.h5").stat().st_mode) == 0o640


def test_folders_that_lead_to_a_file_are_made_where_that_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "a" / "b" / "c.json", b"x")
    assert list(tmp_path.iterdir()) == []
    for content in (b"x", b"another"):
        write_whole(tmp_path / "a" / "b" / "c.json", content, parents=True)
        assert (tmp_path / "a" / "b" / "c.json").read_bytes() == content


class Replaying(FileSystem):
    """Sends a rename twice, as a network file system may; the second time the source is gone."""

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        super().replace(source, target)


def test_a_rename_that_was_sent_twice_has_succeeded(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.h5", b"x", files=Replaying())
    assert (tmp_path / "a.h5").read_bytes() == b"x"


def test_a_rename_whose_file_has_gone_has_not(tmp_path: Path) -> None:
    class Gone(FileSystem):
        def replace(self, source: Path, target: Path) -> None:
            source.unlink()
            super().replace(source, target)

    (tmp_path / "a.h5").write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "a.h5", b"new", files=Gone())
    assert (tmp_path / "a.h5").read_bytes() == b"old"


@pytest.mark.parametrize("call", ["write", "fsync", "close", "replace"])
def test_a_failure_leaves_no_litter_and_names_the_file(tmp_path: Path, call: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    files = FileSystem()
    setattr(files, call, fail)
    with pytest.raises(OSError, match=r"Disk quota exceeded: '.*a\.h5'"):
        write_whole(tmp_path / "a.h5", b"x", files=files)
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_written_is_told_by_the_name_that_was_asked_for() -> None:
    place = Path("/proc/a.png")
    with pytest.raises(OSError, match=f"'{place}'") as caught:
        write_whole(place, b"x")
    assert caught.value.filename == str(place)


@pytest.mark.parametrize(("number", "passes"), [(errno.EINVAL, True), (errno.EIO, False)])
def test_a_file_system_that_cannot_sync_folders_is_taken_as_it_is(tmp_path: Path, number: int, passes: bool) -> None:
    class Odd(FileSystem):
        def fsync(self, descriptor: int) -> None:
            raise OSError(number, os.strerror(number))

    if passes:
        sync_folder(Odd(), tmp_path)
    else:
        with pytest.raises(OSError, match="Input/output error: '"):
            sync_folder(Odd(), tmp_path)


def test_the_name_of_every_new_folder_is_made_durable(tmp_path: Path) -> None:
    class Synced(FileSystem):
        def __init__(self) -> None:
            self.opened: dict[int, Path] = {}
            self.synced: set[Path] = set()

        def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
            descriptor = super().open(path, flags, mode)
            self.opened[descriptor] = path
            return descriptor

        def fsync(self, descriptor: int) -> None:
            self.synced.add(self.opened[descriptor])

    files = Synced()
    folder = tmp_path / "a" / "b" / "c" / "d" / "e" / "f"
    make_folder(files, folder)
    assert files.synced == {tmp_path, *list(folder.parents)[:5]}
    again = Synced()
    make_folder(again, folder)  # by a run after the one that made it died
    assert again.synced == set(folder.parents[:4])
