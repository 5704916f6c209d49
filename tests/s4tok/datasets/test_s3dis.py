import logging
import pickle
from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.open import open_dataset
from s4tok.datasets.s3dis import CLASSES, S3DIS, class_of
from s4tok.datasets.s3dis_text import read_and_mend, read_points
from s4tok.errors import InputError, UsageError
from s4tok.shapes import Array

REAL = Path(__file__).parents[4] / "shared" / "data" / "real" / "s3dis"


def rooms_of(root: Path, split: str = "test") -> S3DIS:
    layout = S3DIS.recognises(root)
    assert layout is not None
    return S3DIS("s3dis", layout, split)


def lines(n: int, seed: int = 0) -> str:
    rng = np.random.default_rng(seed)
    xyz, rgb = rng.uniform(-30, 30, (n, 3)), rng.integers(0, 256, (n, 3))
    return "".join("{:.3f} {:.3f} {:.3f} {} {} {}\n".format(*p, *c) for p, c in zip(xyz, rgb, strict=True))


def release(root: Path, rooms: dict[str, dict[str, str]]) -> Path:
    """Write rooms, each with its annotations, and the room's own file beside them as in the release."""
    for room, annotations in rooms.items():
        folder = root / "Stanford3dDataset_v1.2_Aligned_Version" / room
        (folder / "Annotations").mkdir(parents=True)
        for name, text in annotations.items():
            (folder / "Annotations" / f"{name}.txt").write_text(text)
        (folder / f"{folder.name}.txt").write_text("".join(annotations.values()))
    return root


def test_a_room_is_its_annotations_in_sorted_order_with_their_classes(tmp_path: Path) -> None:
    parts = {"wall_2": lines(5, 1), "chair_1": lines(4, 2), "stairs_1": lines(3, 3), "chair_10": lines(2, 4)}
    room = rooms_of(release(tmp_path, {"Area_5/office_1": parts}))["Area_5/office_1"]
    assert room.labels is not None
    assert [CLASSES[label] for label in room.labels] == ["chair"] * 6 + ["clutter"] * 3 + ["wall"] * 5
    order = ("chair_1", "chair_10", "stairs_1", "wall_2")
    rows = np.loadtxt("".join(parts[name] for name in order).splitlines())
    np.testing.assert_allclose(room.original_xyz(), rows[:, :3], atol=1e-5)
    assert room.color is not None
    np.testing.assert_allclose(room.color, rows[:, 3:] / 255, atol=1e-6)


def test_area_5_is_the_test_split_and_no_room_is_in_both(tmp_path: Path) -> None:
    rooms = [f"Area_{area}/{name}" for area in range(1, 7) for name in ("office_1", "WC_1")]
    root = release(tmp_path, {room: {"wall_1": lines(2)} for room in rooms})
    assert list(rooms_of(root, "test").keys) == ["Area_5/WC_1", "Area_5/office_1"]
    assert list(rooms_of(root, "area-2").keys) == ["Area_2/WC_1", "Area_2/office_1"]
    assert sorted([*rooms_of(root, "train").keys, *rooms_of(root, "test").keys]) == sorted(rooms)
    assert list(rooms_of(root, "all").keys) == sorted(rooms)
    with pytest.raises(UsageError, match="no split is called 'val'; there are: test, train, area-1"):
        rooms_of(root, "val")


@pytest.mark.parametrize(
    ("broken", "meant"),
    [
        (b"20.1 -4.2 3.1 103.0\x100000 98.0 95.0", [20.1, -4.2, 3.1, 103, 98, 95]),  # Area_5/office_19/ceiling_1
        (b"22.4 -4.2 2.9 185\x00187 186", [22.4, -4.2, 2.9, 185, 187, 186]),  # Area_5/hallway_6/ceiling_1
        (b"19.302 -9.1\x160 1.785 146 137 106", [19.302, -9.16, 1.785, 146, 137, 106]),  # Area_3/hallway_2
        (b"19.302 -9.16\x07 1.785 146 137 106", [19.302, -9.16, 1.785, 146, 137, 106]),  # nothing to give back: dropped
    ],
)
def test_the_known_broken_bytes_are_mended_and_the_mending_is_logged(
    broken: bytes, meant: list[float], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "ceiling_1.txt"
    file.write_bytes(lines(3).encode() + broken + b"\n" + lines(2, 1).encode())
    with caplog.at_level(logging.WARNING):
        points = read_points(file)
    assert points.shape == (6, 6)
    assert points[3].tolist() == meant
    assert f"{file}:4: read {broken!r} as" in caplog.text
    assert [repair.line for repair in read_and_mend(file)[1]] == [4]


def test_a_whole_file_is_read_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "wall_1.txt"
    file.write_bytes(lines(20).replace("\n", "\r\n").encode())
    assert len(read_points(file)) == 20
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "txt: is empty"),
        (b" \n\n", "txt: has no points"),
        (lines(3).encode() + b"1 2 3 4 5\n", "txt:4: 5 numbers in a row"),
        (b"\n" + lines(3).encode() + b"1 2 3 4 5 6 7\n", "txt:5: 7 numbers in a row"),
        (b"1 2 3 4 5 6 7\n" * 3, "txt:1: 7 numbers in a row"),
        (lines(3).encode() + b"1 2 3 4 5 e\n", "txt:4: b'1 2 3 4 5 e' are not six numbers"),
        (lines(3).encode() + b"1 nan 3 4 5 6\n", "txt:4: b'1 nan 3 4 5 6' is not x y z r g b, and no known repair"),
        (lines(3).encode() + b"1 1e999 3 4 5 6\n", "txt:4: .* a coordinate that is not finite"),
        (lines(3).encode() + b"1 2 3 4 5 256\n", "txt:4: .* a colour outside 0 .. 255"),
        (lines(3).encode() + b"1 2 3 4 \xff 6\n", "txt:4: .* no known repair"),
        (lines(3).encode() + b"\0" * 512, "txt:4: .* no known repair"),
        (b"1 2 3 4\x005 6\n" * 30, "txt:1: the first of more than 20 lines with bytes that are no text"),
        (b"PK\x03\x04 an archive that was never unpacked\n", "txt:1: .* no known repair"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(text: bytes, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "wall_1.txt"
    file.write_bytes(text)
    with pytest.raises(DamagedFile, match=sentence) as caught:
        read_points(file)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    file, whole, refused = tmp_path / "wall_1.txt", lines(30).encode(), 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 3)):
            damaged[at] = rng.integers(0, 256) if seed % 2 else rng.choice(list(b"0 9.-+eE\n\r\t"))
        file.write_bytes(damaged)
        try:
            assert read_points(file).shape[1] == 6
        except DamagedFile:
            refused += 1
    assert 100 < refused < 300


def test_a_room_whose_file_is_spelt_otherwise_and_has_no_annotations_is_read_unlabelled(tmp_path: Path) -> None:
    folder = tmp_path / "Area_6" / "copyRoom_1"
    folder.mkdir(parents=True)
    (folder / "copy_Room_1.txt").write_text(lines(7))
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    room = rooms_of(tmp_path, "area-6")["Area_6/copyRoom_1"]
    assert len(room) == 7
    assert room.labels is None


def test_what_a_finder_leaves_behind_is_no_room_and_no_object(tmp_path: Path) -> None:
    root = release(tmp_path, {"Area_5/office_1": {"wall_1": lines(3)}})
    area = root / "Stanford3dDataset_v1.2_Aligned_Version" / "Area_5"
    (area / ".DS_Store").write_bytes(b"\0")
    (area / "Area_5_alignmentAngle.txt").write_text("office_1 0\n")
    (area / "office_1" / "Annotations" / "._wall_1.txt").write_bytes(b"\0\5\x16\7")
    (area / "office_1" / "Annotations" / ".DS_Store").write_bytes(b"\0")
    (area / "empty_1").mkdir()
    rooms = rooms_of(root)
    assert list(rooms.keys) == ["Area_5/office_1"]
    assert len(rooms["Area_5/office_1"]) == 3


def test_the_table_and_the_folder_layouts_hold_the_same_room(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    xyz, rgb, label = rng.uniform(0, 5, (50, 3)), rng.integers(0, 256, (50, 3)), rng.integers(0, 13, 50)
    tables, folders = tmp_path / "stanford_indoor3d", tmp_path / "pointcept" / "Area_5" / "WC_1"
    tables.mkdir()
    folders.mkdir(parents=True)
    np.save(tables / "Area_5_WC_1.npy", np.column_stack([xyz, rgb, label]))
    for name, values in {"coord": xyz, "color": rgb.astype(np.float64), "segment": label[:, None]}.items():
        np.save(folders / f"{name}.npy", values)
    for root in (tables, tmp_path, tmp_path / "pointcept"):
        rooms = rooms_of(root)
        assert list(rooms.keys) == ["Area_5/WC_1"]
        room = rooms["Area_5/WC_1"]
        np.testing.assert_allclose(room.original_xyz(), xyz, atol=1e-6)
        assert room.color is not None
        assert room.labels is not None
        np.testing.assert_allclose(room.color, rgb / 255, atol=1e-6)
        np.testing.assert_array_equal(room.labels, label)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.zeros((4, 6)), r"shape \(4, 6\), and x y z r g b label are 7 columns"),
        (np.full((4, 7), 13.0), "has labels up to 13, and there are 13 classes"),
        (np.full((4, 7), 0.5), "labels are whole numbers, and row 0 has 0.5"),
        (np.full((4, 7), np.nan), "labels are whole numbers, and row 0 has nan"),
        (np.zeros((0, 7)), "at least 2 points"),
        (np.array([[None] * 7] * 4, dtype=object), "holds pickled Python objects, which are never loaded"),
    ],
)
def test_a_broken_table_is_refused_in_one_sentence(values: Array, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "Area_5_WC_1.npy"
    np.save(path, values, allow_pickle=True)
    with pytest.raises(DamagedFile, match=sentence) as caught:
        rooms_of(tmp_path)["Area_5/WC_1"]
    assert caught.value.path == path
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "values", "sentence"),
    [
        ("coord", np.zeros((4, 2)), r"must be 4 x 3, and one of them is \(4, 2\)"),
        ("coord", np.full((4, 3), np.nan), "4 of 4 points are not finite"),
        ("color", np.zeros((3, 3), np.uint8), r"must be 4 x 3, and one of them is \(3, 3\)"),
        ("color", np.full((4, 3), 300.0), "colours must lie in 0 .. 1"),
        ("segment", np.zeros(3, int), "segment.npy: has 3 labels, and coord.npy beside it 4 points"),
        ("segment", np.full(4, 20), "segment.npy: has labels up to 20"),
    ],
)
def test_a_broken_array_is_refused_in_one_sentence(file: str, values: Array, sentence: str, tmp_path: Path) -> None:
    folder = tmp_path / "Area_5" / "WC_1"
    folder.mkdir(parents=True)
    arrays: dict[str, Array] = {
        "coord": np.eye(4)[:, :3],
        "color": np.zeros((4, 3), np.uint8),
        "segment": np.array([0, 1, -1, -100]),
    }
    for name, array in (arrays | {file: values}).items():
        np.save(folder / f"{name}.npy", array)
    with pytest.raises(DamagedFile, match=sentence):
        rooms_of(tmp_path)["Area_5/WC_1"]
    np.save(folder / f"{file}.npy", arrays[file])
    labels = rooms_of(tmp_path)["Area_5/WC_1"].labels
    assert labels is not None
    assert labels.tolist() == [0, 1, -1, -1]


def test_rooms_kept_as_pickles_are_not_read_and_the_user_is_told(tmp_path: Path) -> None:
    (tmp_path / "Area_5").mkdir()
    (tmp_path / "Area_5" / "WC_1.pth").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(InputError, match="pickles and can run code: they are not read"):
        rooms_of(tmp_path)


def test_a_split_without_rooms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no cloud of split test of s3dis") as caught:
        rooms_of(release(tmp_path, {"Area_1/office_1": {"wall_1": lines(2)}}))
    assert caught.value.hint == "splits it has: train, area-1."


def test_the_check_names_what_was_mended_and_what_is_broken(tmp_path: Path) -> None:
    root = release(tmp_path, {"Area_5/office_1": {"stairs_1": lines(2), "wall_1": lines(3)}, "Area_5/WC_1": {}})
    folder = root / "Stanford3dDataset_v1.2_Aligned_Version" / "Area_5" / "office_1" / "Annotations"
    with (folder / "stairs_1.txt").open("ab") as file:
        file.write(b"1 2 3 4\x005 6\n")
    rooms = rooms_of(root)
    notes = list(rooms.oddities())
    assert [(Path(note.path).name, note.line, note.severity) for note in notes] == [
        ("stairs_1.txt", None, "note"),
        ("stairs_1.txt", 3, "note"),
    ]
    assert "split test has 2 clouds; the official one has 68" in str(next(iter(rooms.count_findings())))
    assert rooms.cloud_finding("Area_5/office_1") is None
    assert "WC_1: has no annotations" in str(rooms.cloud_finding("Area_5/WC_1"))
    (folder / "wall_1.txt").write_text(lines(3) + "1 2 3\n")
    assert str(folder / "wall_1.txt") + ":4: 3 numbers in a row" in str(rooms.cloud_finding("Area_5/office_1"))


def test_the_folder_alone_tells_that_it_is_s3dis(tmp_path: Path) -> None:
    opened = open_dataset(release(tmp_path, {"Area_5/office_1": {"wall_1": lines(3)}}))
    assert (opened.name, opened.split, list(opened.keys)) == ("s3dis", "test", ["Area_5/office_1"])
    assert opened.segments("Area_5/office_1") is None


def test_a_reader_travels_to_a_worker(tmp_path: Path) -> None:
    rooms = rooms_of(release(tmp_path, {"Area_5/office_1": {"wall_1": lines(3)}}))
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(rooms))["Area_5/office_1"].xyz, rooms["Area_5/office_1"].xyz
    )


def test_class_names_are_read_in_any_case() -> None:
    assert [CLASSES[class_of(name)] for name in ("Chair_1", "bookcase_12", "stairs_2", "clutter_3")] == [
        "chair", "bookcase", "clutter", "clutter",
    ]  # fmt: skip


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real S3DIS room at {REAL}")
def test_the_real_room_has_every_point_of_its_nine_files() -> None:
    rooms = rooms_of(REAL)
    room = rooms["Area_5/conferenceRoom_1"]
    files = sorted((REAL / "Area_5" / "conferenceRoom_1" / "Annotations").glob("*.txt"))
    assert len(files) == 9
    counts = [file.read_bytes().count(b"\n") for file in files]
    assert len(room) == sum(counts) == 246_417
    assert room.labels is not None
    assert np.bincount(room.labels, minlength=13).tolist() == [
        dict(zip((file.stem.split("_")[0] for file in files), counts, strict=True)).get(name, 0) for name in CLASSES
    ]
    assert rooms.origin("Area_5/conferenceRoom_1").size == sum(file.stat().st_size for file in files)
    high = room.original_xyz()[:, 2]
    assert np.median(high[room.labels == CLASSES.index("ceiling")]) > 2 + np.median(
        high[room.labels == CLASSES.index("floor")]
    )
