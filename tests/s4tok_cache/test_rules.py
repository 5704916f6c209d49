import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from s4tok_cache import CacheCorrupt, CacheError, CacheMismatch, CacheReader, Entry, Fingerprint
from s4tok_cache.files import FileSystem
from s4tok_cache.folder import write_stage
from s4tok_cache.index import read_rows
from s4tok_cache.segment import image, native
from s4tok_pipelines.layouts import SUPERPOINTS
from tests.s4tok_cache.rooms import STAMP

SECRET = b"nobody may read this"


def entry(key: str, value: int) -> Entry:
    labels = np.full(2000, value, np.int32)
    return Entry(key, {"labels": labels}, {"n_superpoints": value + 1}, Fingerprint(f"{key}.ply", 10, 5))


@pytest.fixture
def folder(root: Path) -> Path:
    folder = root / STAMP.folder
    folder.mkdir(parents=True)
    content, _ = image({"a": entry("a", 3), "b": entry("b", 4)}, SUPERPOINTS, STAMP, {"host": "here"})
    (folder / f"seg-0000of0001-{1:020d}-{0:016x}.h5").write_bytes(content)
    write_stage(FileSystem(), folder, STAMP, SUPERPOINTS)
    return folder


def external_storage(file: h5py.File, folder: Path) -> None:
    (folder / "secret").write_bytes(SECRET * 400)
    del file["entries/a/labels"]
    file["entries/a"].create_dataset("labels", (2000,), np.int32, external=[(str(folder / "secret"), 0, 8000)])


def external_link(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["labels"] = np.zeros(2000, np.int32)
    del file["entries/a/labels"]
    file["entries/a/labels"] = h5py.ExternalLink(str(folder / "other.h5"), "/labels")


def external_entry(file: h5py.File, folder: Path) -> None:
    entries = {each.key: each for each in (entry("a", 3),)}
    (folder / "other.h5").write_bytes(image(entries, SUPERPOINTS, STAMP, {})[0])
    del file["entries/a"]
    file["entries/a"] = h5py.ExternalLink(str(folder / "other.h5"), "/entries/a")


def external_root(file: h5py.File, folder: Path) -> None:
    entries = {
        each.key: each
        for each in (
            entry("a", 3),
            entry("b", 4),
        )
    }
    (folder / "other.h5").write_bytes(image(entries, SUPERPOINTS, STAMP, {})[0])
    del file["entries"]
    file["entries"] = h5py.ExternalLink(str(folder / "other.h5"), "/entries")


def soft_link(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    file["entries/a/labels"] = h5py.SoftLink("/entries/b/labels")


def swapped_entries(file: h5py.File, folder: Path) -> None:
    file.move("entries/a", "entries/c")
    file.move("entries/b", "entries/a")
    file.move("entries/c", "entries/b")


def virtual(file: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout((2000,), np.int32)
    layout[:] = h5py.VirtualSource(str(folder / "gone.h5"), "x", (2000,))
    del file["entries/a/labels"]
    file["entries/a"].create_virtual_dataset("labels", layout, fillvalue=3)


def shape_bomb(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    file["entries/a"].create_dataset("labels", (1 << 44,), np.int32, chunks=(1024,))


def never_written(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    file["entries/a"].create_dataset("labels", (1 << 20,), np.int32, chunks=(1024,), compression=9)


def chunk_bomb(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    labels = file["entries/a"].create_dataset(
        "labels", (2000,), np.int32, maxshape=(None,), chunks=(1 << 20,), compression=9
    )
    labels[:] = 3


def objects(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    file["entries/a"].create_dataset("labels", data=["x", "y"], dtype=h5py.string_dtype())


def compound(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    file["entries/a"].create_dataset("labels", data=np.zeros(3, [("x", "i4"), ("y", "f4")]))


def another_filter(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    file["entries/a"].create_dataset("labels", data=np.full(2000, 3, np.int32), compression="lzf")


def five_axes(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    file["entries/a"].create_dataset("labels", data=np.zeros((1, 1, 1, 1, 1), np.int32))


def other_values(file: h5py.File, folder: Path) -> None:
    file["entries/a/labels"][17] = 4


def other_dtype(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    file["entries/a"].create_dataset("labels", data=np.full(2000, 3, np.int64))


def other_attribute(file: h5py.File, folder: Path) -> None:
    file["entries/a"].attrs["n_superpoints"] = 5


def more_attributes(file: h5py.File, folder: Path) -> None:
    for number in range(70):
        file["entries/a"].attrs[f"n{number}"] = number


def text_without_length(file: h5py.File, folder: Path) -> None:
    file["entries/a"].attrs["n_superpoints"] = "4"


def an_array_of_attributes(file: h5py.File, folder: Path) -> None:
    file["entries/a"].attrs["n_superpoints"] = np.arange(4)


def more_arrays(file: h5py.File, folder: Path) -> None:
    for number in range(70):
        file["entries/a"][f"x{number}"] = np.zeros(1, np.int32)


def a_group_for_an_array(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    file["entries/a"].create_group("labels")


def a_cycle(file: h5py.File, folder: Path) -> None:
    del file["entries/a/labels"]
    file["entries/a/labels"] = file["entries"]


def an_array_for_an_entry(file: h5py.File, folder: Path) -> None:
    del file["entries/a"]
    file["entries/a"] = np.zeros(3, np.int32)


def no_entry(file: h5py.File, folder: Path) -> None:
    del file["entries/a"]


def one_entry_more(file: h5py.File, folder: Path) -> None:
    file["entries"].copy("b", "c")


def no_index(file: h5py.File, folder: Path) -> None:
    del file["index"]


def another_index(file: h5py.File, folder: Path) -> None:
    table = file["index"][:]
    table[table == ord("1")] = ord("2")
    file["index"][:] = table


def an_index_that_is_no_text(file: h5py.File, folder: Path) -> None:
    del file["index"]
    file["index"] = np.frombuffer(b"[[[[[", np.uint8)
    file["index"].attrs["blake2b"] = native(hashlib.blake2b(b"[[[[[", digest_size=16).hexdigest())


def another_count(file: h5py.File, folder: Path) -> None:
    file.attrs["entries"] = np.int64(3)


def another_stamp(file: h5py.File, folder: Path) -> None:
    text = str(file.attrs["params_json"], "utf-8").replace("0.05", "0.07")
    file.attrs["params_json"] = native(text)


HOSTILE = {
    external_storage: "labels keeps its values in other files",
    external_link: "labels is a link that leads elsewhere",
    external_entry: "a is a link that leads elsewhere",
    external_root: "/entries is missing or a link that leads elsewhere",
    soft_link: "labels is a link that leads elsewhere",
    swapped_entries: "a is not what was written",
    virtual: "labels keeps its values in other files",
    shape_bomb: "labels declares 70,368,744,177,664 bytes and has 0",
    never_written: "labels declares 4,194,304 bytes and has 0",
    chunk_bomb: r"labels has chunks of \(1048576,\)",
    objects: "labels holds no plain numbers",
    compound: "labels holds no plain numbers",
    another_filter: r"filters this reader does not run: \[32000\]",
    five_axes: r"labels is int32 \(1, 1, 1, 1, 1\)",
    other_values: "a is not what was written",
    other_dtype: "a is not what was written",
    other_attribute: "a is not what was written",
    more_attributes: "71 attributes",
    text_without_length: "neither a number nor a text of fixed length",
    an_array_of_attributes: r"n_superpoints is \(4,\)",
    more_arrays: "a has 71 arrays",
    a_group_for_an_array: "labels is no dataset",
    a_cycle: "labels is no dataset",
    an_array_for_an_entry: "/entries/a is no group",
    no_entry: "/index names 2 entries, and they are not there",
    one_entry_more: "/index names 2 entries, and they are not there",
    no_index: "/index is missing or a link that leads elsewhere",
    another_index: "/index is not what was written",
    an_index_that_is_no_text: "is damaged",
    another_count: "it was to hold 3 entries and holds 2",
    another_stamp: "params_json is not what was written",
}


@pytest.mark.parametrize(
    ("damage", "reason"), [pytest.param(damage, reason, id=damage.__name__) for damage, reason in HOSTILE.items()]
)
def test_a_hostile_or_broken_file_is_refused(
    folder: Path, damage: Callable[[h5py.File, Path], None], reason: str
) -> None:
    (path,) = folder.glob("seg-*")
    with h5py.File(path, "r+", libver="v110") as file:
        damage(file, folder)
    with pytest.raises(CacheError, match=reason) as caught:  # noqa: PT012 - refused when it is opened or when it is read
        reader = CacheReader(folder.parent, SUPERPOINTS, STAMP)
        reader.require(["a"])
        reader.read("a")
    assert isinstance(caught.value, CacheCorrupt | CacheMismatch)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SECRET.decode() not in str(caught.value)


def test_the_file_before_the_damage_was_whole(folder: Path) -> None:
    reader = CacheReader(folder.parent, SUPERPOINTS, STAMP)
    assert reader["a"]["labels"].tolist() == [3] * 2000


def test_an_array_that_compresses_as_well_as_deflate_can_is_read(folder: Path) -> None:
    flat = Entry("flat", {"labels": np.zeros(10_000_000, np.int32)}, {"n_superpoints": 1}, Fingerprint("flat", 1))
    content, _ = image({"flat": flat}, SUPERPOINTS, STAMP, {})
    (folder / f"seg-0000of0001-{2:020d}-{0:016x}.h5").write_bytes(content)
    assert len(content) < 10_000_000 * 4 / 200
    assert CacheReader(folder.parent, SUPERPOINTS, STAMP)["flat"]["labels"].shape == (10_000_000,)


def test_a_file_of_another_format_says_who_made_it_and_what_to_run(folder: Path) -> None:
    (path,) = folder.glob("seg-*")
    with h5py.File(path, "r+", libver="v110") as file:
        file.attrs["format"] = np.int64(2)
        file.attrs["tool"] = native("s4tok 7.1")
    with pytest.raises(CacheMismatch, match=r"has format 2 \(made by s4tok 7\.1\), and this s4tok reads") as caught:
        read_rows(path, folder, STAMP)
    assert caught.value.hint.startswith("run s4tok superpoints again")


def test_a_link_out_of_the_cache_and_a_pipe_are_refused(folder: Path, tmp_path: Path) -> None:
    (path,) = folder.glob("seg-*")
    outside = tmp_path / "outside.h5"
    path.rename(outside)
    path.symlink_to(outside)
    with pytest.raises(CacheCorrupt, match=r"leads out of the cache, to .*outside\.h5"):
        read_rows(path, folder, STAMP)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(CacheCorrupt, match="is no regular file"):
        read_rows(path, folder, STAMP)


@pytest.mark.parametrize("size", [0, 1, 7, 95, 96, 500])
def test_a_file_cut_short_is_refused(folder: Path, size: int) -> None:
    (path,) = folder.glob("seg-*")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(CacheCorrupt, match="is damaged: "):
        read_rows(path, folder, STAMP)


def test_no_flipped_bit_goes_unnoticed(folder: Path) -> None:
    (path,) = folder.glob("seg-*")
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    harmless = 0
    for place in random.integers(0, 8 * len(whole), 150).tolist():
        hurt = bytearray(whole)
        hurt[place // 8] ^= 1 << place % 8
        path.unlink()  # as HDF5 shows a file that some reader still has open as it was
        path.write_bytes(hurt)
        (folder / ".index.json").unlink(missing_ok=True)
        try:
            reader = CacheReader(folder.parent, SUPERPOINTS, STAMP)
            reader.require("ab")
            found = [reader[key] for key in "ab"]
        except CacheCorrupt:
            continue
        harmless += 1  # free space, or a field nobody reads: what came back must be what was written
        for key, value, one in zip("ab", (3, 4), found, strict=True):
            assert one["labels"].tolist() == [value] * 2000
            assert one.attributes == {"n_superpoints": value + 1}
            assert one.fingerprint == Fingerprint(f"{key}.ply", 10, 5)
    assert harmless < 100


def test_an_error_of_the_system_is_no_damage(folder: Path) -> None:
    (path,) = folder.glob("seg-*")
    with pytest.raises(FileNotFoundError):
        read_rows(folder / "seg-gone.h5", folder, STAMP)
    if os.getuid():
        path.chmod(0)
        with pytest.raises(PermissionError):
            read_rows(path, folder, STAMP)
