"""What a cache holds of a cloud is read as long as the cloud is what it was made from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.config import DATA_ROOT, FrameConfig
from s4tok.datasets import open_dataset
from s4tok.datasets.dataset import Origin
from s4tok.datasets.frame_clouds import FrameClouds
from s4tok.datasets.object_rooms import ObjectRooms
from s4tok.errors import InputError
from s4tok.shapes import Array
from s4tok.synthetic.datasets import ToyScans, ToyShapes
from s4tok_cache import CacheReader, Stamp, Store
from s4tok_pipelines.inputs.entries import fingerprint, read_entry, root_of, way_out
from s4tok_pipelines.layouts import FEATURES, SUPERPOINTS
from s4tok_pipelines.paths import CACHE
from tests.octants import cut_into_octants


class Changed(ToyShapes):
    """Clouds that have changed since."""

    def origin(self, key: str) -> Origin:
        return Origin("other", 17)


@pytest.mark.parametrize("parameters", [{}, {"method": "labels", "labels": "/mine"}])
def test_an_entry_is_read_unless_it_is_missing_or_its_cloud_has_changed(
    tmp_path: Path, parameters: dict[str, str]
) -> None:
    clouds = ToyShapes("val", sizes=(0, 2, 0), points=300)
    changed = Changed("val", sizes=(0, 2, 0), points=300)
    cut_into_octants(clouds, tmp_path, clouds.keys[:1], Stamp("superpoints", parameters))
    reader = CacheReader(root_of(tmp_path, clouds), SUPERPOINTS, Stamp("superpoints", parameters))
    assert len(read_entry(reader, clouds, clouds.keys[0], "labels")["labels"]) == 300
    with pytest.raises(InputError, match="it has no superpoints; s4tok superpoints says why not"):
        read_entry(reader, clouds, clouds.keys[1], "labels")
    if "labels" in parameters:  # made of something else than the cloud
        assert len(read_entry(reader, changed, clouds.keys[0], "labels")["labels"]) == 300
    else:
        with pytest.raises(InputError, match="its superpoints were made before it changed; run s4tok superpoints"):
            read_entry(reader, changed, clouds.keys[0], "labels")


def test_features_are_read_unless_their_superpoints_have_changed(tmp_path: Path) -> None:
    clouds, stamp = ToyShapes("val", sizes=(0, 2, 0), points=300), Stamp("superpoints")
    seen = Stamp("extract-features", {}, 1, (stamp,))
    root, (old, key) = root_of(tmp_path, clouds), clouds.keys
    cut_into_octants(clouds, tmp_path)
    superpoints = CacheReader(root, SUPERPOINTS, stamp)
    entry: dict[str, Array] = {"superpoints": np.ones((8, 2), np.float16), "visible": np.ones(8, np.int32)}
    entry["views"] = np.ones((1, 2), np.float16)
    with Store.resume(root, FEATURES, seen) as store:
        store.write(key, entry, fingerprint(clouds, key, superpoints))
        store.write(old, entry, fingerprint(clouds, old))  # as they were written before
    features = CacheReader(root, FEATURES, seen)
    read_entry(features, clouds, key, "visible", superpoints=superpoints)
    cut_into_octants(clouds, tmp_path, [key], weights=(4, 2, 1))
    superpoints = CacheReader(root, SUPERPOINTS, stamp)
    for each in clouds.keys:
        with pytest.raises(InputError, match="its features were made before its superpoints changed, or by an older"):
            read_entry(features, clouds, each, "visible", superpoints=superpoints)


def test_a_cloud_that_is_taken_for_something_else_or_made_otherwise_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savetxt(tmp_path / "a.xyz", np.random.default_rng(0).uniform(size=(50, 3)))
    y, again, z = (fingerprint(open_dataset(tmp_path / "a.xyz", up=up), "a.xyz") for up in ("y", "y", "z"))
    assert (y.same(again), y.same(z)) == (True, False)
    shapes = ToyShapes("val", sizes=(0, 1, 0))
    before = fingerprint(shapes, shapes.keys[0])
    assert before.same(fingerprint(shapes, shapes.keys[0]))
    monkeypatch.setattr("s4tok.synthetic.datasets.VERSION", 2)
    assert not before.same(fingerprint(shapes, shapes.keys[0]))
    assert before._replace(sha256="").same(fingerprint(shapes, shapes.keys[0]))  # as older caches have it


def test_frames_and_rooms_are_asked_for_by_what_they_are_of() -> None:
    scans = ToyScans("val", sizes=(0, 1, 0))
    assert way_out(scans, CACHE, "superpoints").startswith("run `s4tok superpoints toy-scans --split val`, or")
    wanted = "run `s4tok superpoints toy-scans --split val --clouds frames --preset masks`, or pass --auto."
    assert way_out(FrameClouds(scans), CACHE, "superpoints --preset masks") == wanted
    few = FrameClouds(scans, FrameConfig(step=3))
    assert "--clouds frames --frame-step 3`" in way_out(few, CACHE, "superpoints")
    rooms = ObjectRooms(ToyShapes("val", sizes=(0, 1, 0)))
    wanted = "run `s4tok superpoints toy-shapes --split val --clouds rooms`, or pass --auto."
    assert way_out(rooms, CACHE, "superpoints") == wanted


def test_commands_name_a_cache_that_is_not_the_usual_one(tmp_path: Path) -> None:
    scans = ToyScans("val", sizes=(0, 1, 0))
    wanted = f"run `s4tok superpoints toy-scans --split val --cache '{tmp_path}/my cache'`."
    assert way_out(scans, tmp_path / "my cache", "superpoints", auto=False) == wanted
    assert "--cache" not in way_out(scans, CACHE.absolute(), "superpoints")


def test_commands_for_own_files_have_what_was_said_of_them(tmp_path: Path) -> None:
    for name in ("my scan", "another"):
        np.savetxt(tmp_path / f"{name}.xyz", np.random.default_rng(0).uniform(size=(50, 3)))
    file = f"'{tmp_path}/my scan.xyz'"
    said = open_dataset(tmp_path / "my scan.xyz", scene="room")
    wanted = (
        f"run `s4tok superpoints {file} --split all --room; s4tok extract-clip {file} --split all --room --clip mini`."
    )
    assert way_out(said, CACHE, "superpoints", "extract-clip --clip mini", auto=False) == wanted
    said = open_dataset(tmp_path / "my scan.xyz", scene="room", scale=0.3048)
    assert way_out(said, CACHE, "superpoints", auto=False).endswith("--split all --room --scale 0.3048`.")
    said = open_dataset(tmp_path / "my scan.xyz", up="y", unit="cm")
    assert way_out(said, CACHE, "superpoints", auto=False).endswith("--split all --up y --unit cm`.")
    said = open_dataset([tmp_path / "my scan.xyz", tmp_path / "another.xyz"])
    assert way_out(said, CACHE, "superpoints", auto=False) == "run `s4tok superpoints SOURCE --split all`."


def test_commands_name_a_dataset_as_it_was_named(tmp_path: Path) -> None:
    def said(source: str | Path, **options: Any) -> str:
        clouds = open_dataset(source, split="val", **options)
        return way_out(clouds, CACHE, "superpoints", auto=False).removeprefix("run `s4tok superpoints ")

    assert said("toy-shapes", dataset="toy-shapes") == "toy-shapes --dataset toy-shapes --split val`."
    assert said("home-scans", root=tmp_path / "data") == f"home-scans --data-root {tmp_path}/data --split val`."
    assert said("toy-shapes", root=DATA_ROOT.absolute(), up="z") == "toy-shapes --up z --split val`."
    assert said("toy-shapes", limit=4) == "toy-shapes --limit 4 --split val`."
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        np.savetxt(tmp_path / f"{name}.xyz", rng.uniform(size=(50, 3)))
    whole = way_out(open_dataset(tmp_path, root=tmp_path / "data"), CACHE, "superpoints", auto=False)
    assert whole == f"run `s4tok superpoints {tmp_path} --split all`."
