import json
import logging
import pickle
from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.ply import read_ply
from s4tok.datasets.open import open_dataset
from s4tok.datasets.scannet import ScanNet
from s4tok.datasets.scannet_labels import (
    CLASSES,
    NYU40,
    classes_of_nyu40,
    read_aggregation,
    read_label_table,
    read_segments,
    vertex_objects,
)
from s4tok.errors import InputError, S4TokError
from s4tok.shapes import Array

REAL = Path(__file__).parents[4] / "shared" / "data" / "real" / "scannet"
N = 12  # vertices of a written scan
SEGMENTS = np.repeat([700, 3, 41, 9], 3)  # of each vertex; numbers with gaps, as in the release
OBJECTS = [("wall", [700]), ("office chair", [3, 41])]  # segment 9 is nobody's
TABLE = {"wall": 1, "office chair": 5, "ceiling": 22, "lamp": 35}
NYU40_IDS = np.array([1] * 3 + [5] * 6 + [0] * 3)
EXPECTED = [CLASSES.index("wall")] * 3 + [CLASSES.index("chair")] * 6 + [-1] * 3


def vertices() -> Array:
    return np.random.default_rng(0).uniform(-3, 3, (N, 3)).astype(np.float32)


def write_ply(path: Path, labels: Array | None = None, n: int = N) -> None:
    fields = [*((axis, "<f4") for axis in "xyz"), *((name, "u1") for name in ("red", "green", "blue", "alpha"))]
    kinds = {"<f4": "float", "u1": "uchar", "<u2": "ushort"}
    fields += [("label", "<u2")] if labels is not None else []
    rows = np.zeros(n, dtype=fields)
    for axis, name in enumerate("xyz"):
        rows[name] = vertices()[:n, axis]
    rows["red"], rows["alpha"] = np.arange(n), 255
    if labels is not None:
        rows["label"] = labels
    faces = np.zeros(n - 2, dtype=[("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, np.arange(n - 2)[:, None] + [0, 1, 2]
    properties = "".join(f"property {kinds[kind]} {name}\n" for name, kind in fields)
    header = f"ply\nformat binary_little_endian 1.0\ncomment VCGLIB generated\nelement vertex {n}\n{properties}"
    header += f"element face {n - 2}\nproperty list uchar int vertex_indices\nend_header\n"
    path.write_bytes(header.encode() + rows.tobytes() + faces.tobytes())


def write_scan(folder: Path, annotated: bool = True) -> Path:
    folder.mkdir(parents=True)
    stem = folder / folder.name
    write_ply(Path(f"{stem}_vh_clean_2.ply"))
    if annotated:
        groups = [{"id": i, "objectId": i, "segments": ids, "label": name} for i, (name, ids) in enumerate(OBJECTS)]
        write_ply(Path(f"{stem}_vh_clean_2.labels.ply"), labels=NYU40_IDS)
        segs = {"params": {"kThresh": "0.0001"}, "sceneId": folder.name, "segIndices": SEGMENTS.tolist()}
        Path(f"{stem}_vh_clean_2.0.010000.segs.json").write_text(json.dumps(segs))
        Path(f"{stem}.aggregation.json").write_text(
            json.dumps({"sceneId": "scannet." + folder.name, "segGroups": groups})
        )
    return folder


def write_lists(folder: Path, **names: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    for split, scans in names.items():
        (folder / f"scannetv2_{split}.txt").write_text("\n".join(scans) + "\n")


def write_table(folder: Path) -> None:
    rows = [f"{i}\t{name}\t{name}\t9\t{nyu40}\t1" for i, (name, nyu40) in enumerate(TABLE.items())]
    head = "id\traw_category\tcategory\tcount\tnyu40id\teigen13id"
    (folder / "scannetv2-labels.combined.tsv").write_text("\n".join([head, *rows]) + "\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy with one scan of each split, in the release's layout."""
    write_scan(tmp_path / "scans" / "scene0000_00")
    write_scan(tmp_path / "scans" / "scene0011_01")
    write_scan(tmp_path / "scans_test" / "scene0707_00", annotated=False)
    write_lists(tmp_path / "meta_data", train=["scene0000_00"], val=["scene0011_01"], test=["scene0707_00"])
    write_table(tmp_path / "meta_data")
    return tmp_path


def scans_of(root: Path, split: str = "train") -> ScanNet:
    layout = ScanNet.recognises(root)
    assert layout is not None
    return ScanNet("scannet", layout, split)


def test_a_scan_is_its_vertices_with_colour_class_segments_and_surface(root: Path) -> None:
    scans = scans_of(root)
    scan = scans["scene0000_00"]
    np.testing.assert_allclose(scan.original_xyz(), vertices(), atol=1e-6)
    assert scan.color is not None
    np.testing.assert_allclose(scan.color, np.stack([np.arange(N), 0 * np.arange(N), 0 * np.arange(N)], 1) / 255)
    assert scan.labels is not None
    assert scan.labels.tolist() == EXPECTED
    segments = scans.segments("scene0000_00")
    assert segments is not None
    assert segments.tolist() == np.repeat([3, 0, 2, 1], 3).tolist()
    mesh = scans.mesh("scene0000_00")
    assert mesh is not None
    assert mesh.faces.shape == (N - 2, 3)
    np.testing.assert_array_equal(mesh.vertices, vertices())
    assert scans.origin("scene0000_00").path == "scans/scene0000_00/scene0000_00_vh_clean_2.ply"


def test_each_split_has_the_scans_of_its_list_and_all_has_every_one(root: Path) -> None:
    assert [list(scans_of(root, split).keys) for split in ("train", "val", "test")] == [
        ["scene0000_00"], ["scene0011_01"], ["scene0707_00"],
    ]  # fmt: skip
    assert list(scans_of(root, "all").keys) == ["scene0000_00", "scene0011_01", "scene0707_00"]
    assert list(scans_of(root / "scans", "train").keys) == ["scene0000_00"]  # the folder of scans itself
    test = scans_of(root, "test")
    assert test["scene0707_00"].labels is None
    assert test.segments("scene0707_00") is None
    assert list(test.frames("scene0707_00")) == []


def test_without_lists_all_is_the_only_split_and_the_others_say_which_file_is_missing(tmp_path: Path) -> None:
    write_scan(tmp_path / "scene0000_00")
    with pytest.raises(
        InputError, match=r"scannetv2_val\.txt, which lists the scans of split val, is not in"
    ) as caught:
        scans_of(tmp_path, "val")
    assert "Split all takes every scan that is there" in caught.value.hint
    scans = scans_of(tmp_path, "all")
    assert list(scans.keys) == ["scene0000_00"]
    assert scans["scene0000_00"].labels is not None  # from labels.ply: there is no table


def test_listed_scans_that_are_not_there_are_counted_and_named(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_lists(root / "meta_data", train=["scene0000_00", "scene0000_01", "scene0999_00"], val=["scene0999_01"])
    with caplog.at_level(logging.WARNING):
        scans = scans_of(root)
    assert "1 of the 3 scans of split train are there" in caplog.text
    assert list(scans.keys) == ["scene0000_00"]
    assert ["2 scans of split train are not there, the first is scene0000_01." in str(f) for f in scans.oddities()] == [
        True
    ]
    assert "split train has 1 clouds; the official one has 1,201" in str(next(iter(scans.count_findings())))
    with pytest.raises(InputError, match="none of the 1 scans of split val is in"):
        scans_of(root, "val")


def test_the_two_ways_to_the_labels_agree(root: Path) -> None:
    by_segments = scans_of(root)["scene0000_00"].labels
    (root / "meta_data" / "scannetv2-labels.combined.tsv").unlink()
    by_ply = scans_of(root)["scene0000_00"].labels
    assert by_segments is not None
    assert by_ply is not None
    np.testing.assert_array_equal(by_segments, by_ply)


def test_only_the_twenty_classes_of_the_benchmark_have_a_number() -> None:
    ids = np.arange(-2, 70)
    classes = classes_of_nyu40(ids)
    assert len(NYU40) == 20
    assert {int(i): CLASSES[c] for i, c in zip(ids, classes, strict=True) if c >= 0} == NYU40
    assert (classes[[int(i) not in NYU40 for i in ids]] == -1).all()


def test_a_later_object_wins_a_segment_that_two_claim(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    groups = [{"label": "wall", "segments": [1, 2]}, {"label": "office chair", "segments": [2]}]
    file.write_text(json.dumps({"segGroups": groups}))
    assert vertex_objects(np.array([2, 1, 2, 5]), read_aggregation(file), file).tolist() == [1, 0, 1, -1]


def json_of(**content: object) -> bytes:
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("_vh_clean_2.ply", b"", "_vh_clean_2.ply: is no PLY file"),
        ("_vh_clean_2.ply", b"ply\nformat binary_little_endian 1.0\nelement vertex 99999999999\n"
         b"property float x\nend_header\n", "promises 99,999,999,999 rows of vertex"),
        ("_vh_clean_2.ply", None, "_vh_clean_2.ply: is not there"),
        (SEGS := "_vh_clean_2.0.010000.segs.json", json_of(segIndices=[1] * 11),
         "numbers 11 vertices, and the mesh beside it has 12"),
        (SEGS, json_of(segIndices=[1] * 250), "numbers 250 vertices, and the mesh beside it has 12"),
        (SEGS, json_of(segIndices=[1.5] * 12), "no list of whole numbers 'segIndices'"),
        (SEGS, json_of(segIndices=[2**70] * 12), "no list of whole numbers 'segIndices'"),
        (SEGS, json_of(other=1), "no list of whole numbers 'segIndices'"),
        (SEGS, b'{"segIndices": [1, 2', "is not JSON"),
        (SEGS, b"\0" * 64, "is not JSON"),
        (SEGS, b"[" * 100_000, "is not JSON"),
        (SEGS, b"[]", "holds a list, and ScanNet's file holds an object"),
        (SEGS, b"", "is empty"),
        (".aggregation.json", json_of(segGroups=[{"label": "wall", "segments": [700, 12345]}]),
         "annotates 2 segments, and 1 of them, first 12345, are in no vertex"),
        (".aggregation.json", json_of(segGroups=[{"label": "wall"}]), "has a group, number 0, without a label"),
        (".aggregation.json", json_of(segGroups=[{"label": "a", "segments": ["a"]}]), "a label or a list of segments"),
        (".aggregation.json", json_of(segGroups=[{"label": "wall", "segments": [700]}, 7]), "has a group, number 1"),
        (".aggregation.json", json_of(segGroups=[{"label": "wall", "segments": [[3]]}]), "has a group, number 0"),
        (".aggregation.json", json_of(groups=[]), "has no list 'segGroups'"),
        (".aggregation.json", json_of(segGroups=[{"label": "wall", "segments": [700], "objectId": "a"}]),
         "whose objectId is no whole number"),
        (".txt", b"axisAlignment = 1 2 3", "has an axisAlignment that is not 16 numbers"),
        (".txt", b"axisAlignment = 1 0 0 0 0 1 0 0 0 0 -1 0 0 0 0 1", "that is no turn about the vertical"),
        (".txt", b"axisAlignment = 1 0 0 0 0 nan 0 0 0 0 1 0 0 0 0 1", "that is no turn about the vertical"),
    ],
)  # fmt: skip
def test_a_broken_scan_is_refused_in_one_sentence(root: Path, file: str, content: bytes | None, sentence: str) -> None:
    path = root / "scans" / "scene0000_00" / f"scene0000_00{file}"
    path.unlink() if content is None else path.write_bytes(content)
    scans = scans_of(root)
    with pytest.raises(DamagedFile, match=sentence) as caught:
        scans["scene0000_00"]
    assert caught.value.path == path
    assert "\n" not in str(caught.value)
    finding = scans.cloud_finding("scene0000_00")
    assert finding is not None
    assert finding.path == str(path)


def test_a_mesh_cut_anywhere_is_refused(root: Path) -> None:
    path = root / "scans" / "scene0000_00" / "scene0000_00_vh_clean_2.ply"
    whole = path.read_bytes()
    for cut in [*range(0, len(whole), 23), len(whole) - 1]:
        path.write_bytes(whole[:cut])
        with pytest.raises(DamagedFile):
            scans_of(root)["scene0000_00"]


@pytest.mark.parametrize("ending", [".aggregation.json", "_vh_clean_2.0.010000.segs.json", "_vh_clean_2.ply"])
def test_a_damaged_scan_is_read_or_refused_and_nothing_else(root: Path, ending: str) -> None:
    path, refused = root / "scans" / "scene0000_00" / f"scene0000_00{ending}", 0
    whole = path.read_bytes()
    for seed in range(150):
        rng = np.random.default_rng(seed)
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 4)):
            damaged[at] = rng.choice(list(b'0129.-eE[]{}":,\x00\xff n'))
        path.write_bytes(damaged)
        try:
            scans_of(root)["scene0000_00"]
        except DamagedFile:
            refused += 1
    assert 0 < refused < 150


def test_vertices_that_are_not_numbers_are_refused_with_the_file(root: Path) -> None:
    path = root / "scans" / "scene0000_00" / "scene0000_00_vh_clean_2.ply"
    whole = path.read_bytes()
    at = whole.index(b"end_header\n") + len(b"end_header\n")
    path.write_bytes(whole[:at] + np.float32(np.nan).tobytes() + whole[at + 4 :])
    with pytest.raises(DamagedFile, match=r"_vh_clean_2\.ply: 1 of 12 points are not finite, the first at index 0"):
        scans_of(root)["scene0000_00"]


def test_the_full_resolution_mesh_alone_is_told_from_the_one_with_labels(root: Path) -> None:
    folder = root / "scans" / "scene0000_00"
    (folder / "scene0000_00_vh_clean_2.ply").rename(folder / "scene0000_00_vh_clean.ply")
    with pytest.raises(DamagedFile, match=r"though the mesh of full resolution, _vh_clean\.ply, is"):
        scans_of(root)["scene0000_00"]


def test_labels_of_another_mesh_are_refused(root: Path) -> None:
    (root / "meta_data" / "scannetv2-labels.combined.tsv").unlink()
    labelled = root / "scans" / "scene0000_00" / "scene0000_00_vh_clean_2.labels.ply"
    write_ply(labelled, labels=NYU40_IDS[:9], n=9)
    with pytest.raises(DamagedFile, match="has labels of 9 vertices, and the mesh beside it has 12 vertices"):
        scans_of(root)["scene0000_00"]
    write_ply(labelled)
    with pytest.raises(DamagedFile, match="has no labels, and the mesh beside it has 12 vertices"):
        scans_of(root)["scene0000_00"]
    labelled.unlink()
    with pytest.raises(S4TokError, match=r"scannetv2-labels\.combined\.tsv, which gives the annotations their class"):
        scans_of(root)["scene0000_00"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\tb\n", "tsv:1: has no column raw_category"),
        ("raw_category\tnyu40id\nwall\t1\nchair\n", "tsv:3: is no row of ScanNet's label table"),
        ("raw_category\tnyu40id\nwall\tone\n", "tsv:2: is no row"),
        ("", "tsv: is empty"),
        ("raw_category\tnyu40id\n\0\0\0\n", "tsv:2: has a NUL byte"),
    ],
)
def test_a_broken_label_table_is_refused_with_its_line(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text(text)
    with pytest.raises(DamagedFile, match=sentence):
        read_label_table(tmp_path / "t.tsv")


def test_frames_come_from_the_scan_then_from_the_25k_subset_then_from_the_recording(root: Path) -> None:
    scans, folder = scans_of(root), root / "scans" / "scene0000_00"
    (folder / "scene0000_00.sens").write_bytes(b"no recording")
    with pytest.raises(DamagedFile, match=r"scene0000_00\.sens: begins with version"):
        list(scans.frames("scene0000_00"))
    for place in (root / "scannet_frames_25k" / "scene0000_00", folder):
        for name in ("color", "depth", "pose"):
            (place / name).mkdir(parents=True)
        with pytest.raises(DamagedFile, match="has exported frames and no intrinsics") as caught:
            list(scans.frames("scene0000_00"))
        assert caught.value.path == place


def test_arrays_a_scan_hold_what_the_release_holds(tmp_path: Path) -> None:
    for split, name in (("train", "scene0000_00"), ("val", "scene0011_00"), ("test", "scene0707_00")):
        folder = tmp_path / split / name
        folder.mkdir(parents=True)
        np.save(folder / "coord.npy", vertices())
        np.save(folder / "color.npy", np.full((N, 3), 51, np.uint8))
        np.save(folder / "normal.npy", np.tile([0, 0, 2.0], (N, 1)))
        if split != "test":
            np.save(folder / "segment20.npy", np.array(EXPECTED))
            np.save(folder / "segment200.npy", np.full(N, 150))
    scan = scans_of(tmp_path)["scene0000_00"]
    np.testing.assert_allclose(scan.original_xyz(), vertices(), atol=1e-6)
    assert scan.color is not None
    assert scan.labels is not None
    assert scan.normals is not None
    np.testing.assert_allclose(scan.color, 0.2)
    assert scan.labels.tolist() == EXPECTED
    assert scan.normals[0].tolist() == [0, 0, 1]
    test = scans_of(tmp_path, "test")
    assert test["scene0707_00"].labels is None
    assert test.mesh("scene0707_00") is None
    assert list(test.frames("scene0707_00")) == []
    assert len(scans_of(tmp_path, "all")) == 3


def test_scans_kept_as_pickles_are_not_read_and_the_user_is_told(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "scene0000_00_vh_clean_2.pth").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(InputError, match="pickles and can run code: they are not read"):
        scans_of(tmp_path)


def test_the_check_names_scans_without_annotations(root: Path) -> None:
    (root / "scans" / "scene0000_00" / "scene0000_00.aggregation.json").unlink()
    (root / "scans" / "scene0000_00" / "scene0000_00_vh_clean_2.labels.ply").unlink()
    notes = list(scans_of(root).oddities())
    assert [note.severity for note in notes] == ["note"]
    assert "scene0000_00: has no annotations" in str(notes[0])
    assert list(scans_of(root, "test").oddities()) == []


def test_the_folder_alone_tells_that_it_is_scannet(root: Path) -> None:
    opened = open_dataset(root, split="train")
    assert (opened.name, list(opened.keys), opened.scene, opened.up) == ("scannet", ["scene0000_00"], "room", "z")
    assert opened.segments("scene0000_00") is not None


def test_the_folder_of_one_scan_is_that_scan_with_all_that_is_known_of_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = open_dataset(root, split="all")
    name = whole.keys[0]
    one = open_dataset(root / "scans" / name)
    assert (one.name, one.split, one.keys, one.scene) == ("scannet", "all", (name,), "room")
    np.testing.assert_array_equal(np.asarray(one[name].labels), np.asarray(whole[name].labels))

    alone = write_scan(tmp_path / "elsewhere" / name)  # without the table that gives annotations their class
    (alone / f"{name}_vh_clean_2.labels.ply").unlink()
    (alone / "pose").mkdir()
    np.savetxt(alone / "pose" / "0.txt", np.eye(4))
    monkeypatch.chdir(alone)
    for folder in (alone, Path()):
        one = open_dataset(folder)
        assert one.keys == (name,)
        assert one[name].labels is None


def test_a_reader_travels_to_a_worker(root: Path) -> None:
    scans = pickle.loads(pickle.dumps(scans_of(root)))
    assert scans["scene0000_00"].labels.tolist() == EXPECTED


real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real ScanNet scan at {REAL}")


@real
def test_segments_aggregation_and_table_reproduce_the_real_labels_on_every_vertex() -> None:
    scans = scans_of(REAL)
    labels = scans["scene0000_00"].labels
    released = read_ply(REAL / "scans" / "scene0000_00" / "scene0000_00_vh_clean_2.labels.ply").labels
    assert labels is not None
    assert released is not None
    assert len(labels) == 81_369
    assert (labels == classes_of_nyu40(released)).sum() == 81_369
    segments = scans.segments("scene0000_00")
    assert segments is not None
    assert np.unique(segments).tolist() == list(range(668))
    numbered = read_segments(REAL / "scans" / "scene0000_00" / "scene0000_00_vh_clean_2.0.010000.segs.json", 81_369)
    assert len(np.unique(segments * 10**6 + numbered)) == 668  # one new number for each old one


def depth_errors(scans: ScanNet, inverted: bool = False) -> tuple[Array, int]:
    """Project every vertex into every frame; give |z - depth| of those OpenScene counts as seen, and of how many."""
    xyz = scans["scene0000_00"].original_xyz()
    errors, measured = [], 0
    for frame in scans.frames("scene0000_00", 20):
        pose = frame.camera_to_world if inverted else np.linalg.inv(frame.camera_to_world)
        inside = xyz @ pose[:3, :3].T + pose[:3, 3]
        inside = inside[inside[:, 2] > 0.1]
        pixels = inside @ frame.depth_intrinsics.T
        column, row = np.round(pixels[:, :2] / pixels[:, 2:]).astype(int).T
        height, width = frame.depth.shape
        kept = (column >= 10) & (row >= 10) & (column < width - 10) & (row < height - 10)
        depth, z = frame.depth[row[kept], column[kept]], inside[kept, 2]
        error = np.abs(z - depth)[depth > 0]
        measured += len(error)
        errors.append(error[error <= 0.25 * depth[depth > 0]])
    return np.concatenate(errors), measured


@real
def test_the_real_frames_see_the_real_surface_where_it_is() -> None:
    scans = scans_of(REAL)
    errors, measured = depth_errors(scans)
    sentence = f"{len(errors):,} of {measured:,} vertices seen, median |z - depth| {100 * np.median(errors):.1f} cm"
    assert np.median(errors) < 0.05, sentence
    assert len(errors) > 0.6 * measured, sentence
    wrong, _ = depth_errors(scans, inverted=True)
    assert len(wrong) < 100  # the test can fail: poses read the wrong way round see nothing
