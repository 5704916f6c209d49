"""The stage reproduce on a small world; all weights are random: figures mean nothing, but are exact."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import jsonschema
import numpy as np
import pytest
import torch

from s4tok.clouds import PointCloud
from s4tok.config import ReproduceConfig, Scene, SegmentConfig
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.errors import InputError, MissingError
from s4tok.models.checkpoint import Means, load_trained, save_trained
from s4tok.shapes import Array
from s4tok.synthetic.datasets import ToyShapes
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.prompts import load_prompts
from s4tok_cache import Stamp
from s4tok_pipelines.report import Item, Report, silent
from s4tok_pipelines.stages.evaluator import Evaluator
from s4tok_pipelines.stages.reproduce import reproduce
from s4tok_pipelines.tables.kept_results import KeptResults
from s4tok_pipelines.tables.result_table import schema
from s4tok_pipelines.tables.table2_checkpoints import NAMES, find_checkpoints
from s4tok_pipelines.tables.table2_worlds import Worlds, open_worlds
from s4tok_pipelines.tables.written import Reproduced

LOOKING = SegmentConfig(n_points=200, n_tokens=12, window=2.5, smallest_window=20, draws=10)
SMALL = ReproduceConfig(scales=(1.0, 4.0), shapes=3, seeds=1, guesses=5)


class Rooms(CloudDataset):
    """Two rooms of floor, walls and a chair in the middle."""

    split = "val"
    scene: Scene = "room"
    up: Literal["x", "y", "z"] = "z"
    classes = ("floor", "wall", "chair", "table")

    def __init__(self, name: str, broken: str = "") -> None:
        self.name, self.broken = name, broken
        self.keys: Sequence[str] = ("a", "b")

    def __getitem__(self, key: str) -> PointCloud:
        if key == self.broken:
            raise InputError(f"{key} is broken.")
        xyz: Array = np.random.default_rng(ord(key)).uniform(0, (3, 3, 2), (500, 3)).round(3)
        xyz[:200, 2], xyz[200:400, 0] = 0, 3
        xyz[400:] = xyz[400:] / 4 + (1, 1, 0)
        return PointCloud.of(xyz, name=key, labels=np.repeat([0, 1, 2], (200, 200, 100)))

    def origin(self, key: str) -> Origin:
        return Origin(key, 500)


class Stopping(Report):
    """Stop when a checkpoint turns to the second world."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)
        if "second" in text:
            raise KeyboardInterrupt

    def steps(self, items: Iterable[Item], text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        yield from items


@pytest.fixture(scope="module")
def clip(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> FrozenClip:
    return FrozenClip.load(str(make_clip(tmp_path_factory.mktemp("models") / "tiny")))


@pytest.fixture(scope="module")
def checkpoints(clip: FrozenClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kNN checkpoint of two seeds, one of kNN+RPN, and one that has seen rooms."""
    home = tmp_path_factory.mktemp("checkpoints")
    for seed, name in enumerate(("knn-0", "knn-1", "knn+rpn", "s4token-scans")):
        torch.manual_seed(seed)
        kind = "s4token" if name == "s4token-scans" else name.partition("-")[0]
        settings: Any = {"n_points": 150, "n_tokens": 8, "patch_size": 8, "adapter_widths": (4, 8, 8)}
        (home / name).mkdir()
        card = {
            "clip": {"name": clip.name, "weights": clip.sha256},
            "seed": seed,
            "window": 2.0 if "scans" in name else 0,
        }
        save_trained(home / name, build_tokenizer(kind, width=32, **settings), card)
    return home


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    shapes = ToyShapes("test", sizes=(6, 0, 2), points=300)
    return Worlds(ToyShapes("train", sizes=(6, 0, 2), points=300), shapes, (Rooms("first"), Rooms("second")), shapes)


Made = Callable[..., Reproduced]


@pytest.fixture(scope="module")
def made(clip: FrozenClip, checkpoints: Path, tmp_path_factory: pytest.TempPathFactory, worlds: Worlds) -> Made:
    """Run the stage into a folder, with one cache for all."""
    cache = tmp_path_factory.mktemp("cache")

    def run(out: Path, names: Sequence[str], among: Worlds = worlds, **options: Any) -> Reproduced:
        places = find_checkpoints(names, options.pop("checkpoints", checkpoints))
        kept, looking = KeptResults(out / "results"), options.pop("looking", LOOKING)
        report = options.pop("report", silent)
        evaluator = Evaluator(clip, load_prompts("clip"), cache, kept, SMALL, looking, 1, report)
        return reproduce(among, places, out, evaluator, **options)

    return run


@pytest.fixture(scope="module")
def tables(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything, once."""
    out = tmp_path_factory.mktemp("tables")
    made(out, NAMES)
    return out


def test_rpn_answers_alike_at_every_scale_and_knn_does_not(tables: Path) -> None:
    answers = {}
    for name in ("knn-0", "knn+rpn-0"):
        for scale in (1, 4):
            [path] = (tables / "results").glob(f"{name}-toy-shapes-x{scale}-*.json")
            answers[name, scale] = json.loads(path.read_text())["answers"]
    assert answers["knn-0", 1] != answers["knn-0", 4]
    for one, other in zip(answers["knn+rpn-0", 1].values(), answers["knn+rpn-0", 4].values(), strict=True):
        assert [name for name, _ in one] == [name for name, _ in other]
        np.testing.assert_allclose([c for _, c in one], [c for _, c in other], atol=1e-4)


def test_rows_worlds_and_all_that_is_needed_to_make_them_again(tables: Path) -> None:
    said = json.loads((tables / "table2.json").read_text())
    jsonschema.validate(said, schema())
    rooms, sweep, trained_on_rooms = said["tables"]
    assert [row["name"] for row in rooms["rows"]] == ["knn", "knn+rpn", "s4token"]
    assert [len(row["cells"][0]["each"]) for row in rooms["rows"]] == [2, 1, 0]
    assert [row["name"] for row in trained_on_rooms["rows"]] == ["s4token-scans"]
    assert rooms["rows"][0]["cells"][0]["seeds"] == [0, 1]
    assert rooms["rows"][0]["cells"][0]["n"] == 2
    assert [column["name"] for column in sweep["columns"]] == ["x 1", "x 4"]
    assert 0 < rooms["columns"][0]["chance"] < 0.25
    assert sweep["columns"][0]["vision"] is not None
    assert [len(each["weights"]) for each in said["checkpoints"]["knn"]] == [64, 64]
    assert (len(said["vision_model"]["weights"]), len(said["prompts"]["sha256"])) == (64, 64)
    assert all(name.startswith("superpoints-") for of in said["superpoints"].values() for name in of)
    page = (tables / "table2.md").read_text()
    assert "synthetic data and not the paper's datasets" in page
    assert "There is no checkpoint of S4Token:" in page
    assert "| S4Token | none there | - |" in page
    assert "Rooms in windows of 2.5 m, 200 points and 12 tokens each: knn, knn+rpn, s4token-scans." in page
    assert (tables / "table2.png").stat().st_size > 1000


def test_printed_s4token_is_asked_about_rooms_as_a_whole_too(made: Made, checkpoints: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoints / "s4token-scans", tmp_path / "home" / "s4token")
    found = made(tmp_path / "out", ["s4token"], checkpoints=tmp_path / "home")
    [path] = (tmp_path / "out" / "results").glob("s4token-0-first-whole-*.json")
    kept = json.loads(path.read_text())
    assert (kept["window"], kept["n_points"], kept["n_tokens"]) == (0.0, 2048, 128)
    assert [row[0] for row in found.grids[0].rows][-3:] == [
        "S4Token", "S4Token, room as a whole", "chance"
    ]  # fmt: skip


def test_rooms_are_encoded_as_each_checkpoint_was_trained(made: Made, tmp_path: Path) -> None:
    found = made(tmp_path, ["knn+rpn", "s4token-scans"], looking=SegmentConfig(smallest_window=20, draws=10))
    assert [note for note in found.notes if note.startswith("Rooms")] == [
        "Rooms in windows of 4 m, 150 points and 8 tokens each: knn+rpn.",
        "Rooms in windows of 2 m, 150 points and 8 tokens each: s4token-scans.",
    ]
    [path] = (tmp_path / "results").glob("s4token-scans-0-second-*.json")
    kept = json.loads(path.read_text())
    assert (kept["window"], kept["n_points"], kept["n_tokens"]) == (2.0, 150, 8)


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_tables(made: Made, tables: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, ["knn+rpn"], report=Stopping())
    [kept] = (tmp_path / "results").iterdir()
    assert kept.name.startswith("knn+rpn-0-first-")
    stamp = kept.stat().st_mtime_ns
    second = made(tmp_path, ["knn+rpn"])
    assert kept.stat().st_mtime_ns == stamp
    assert (second.facts["results_present"], second.facts["results_made"]) == (1, 4)
    third = made(tmp_path, ["knn+rpn"])
    assert (third.facts["results_present"], third.facts["results_made"]) == (5, 0)
    assert third.grids == second.grids
    whole = json.loads((tables / "table2.json").read_text())["tables"]
    for once, again in zip(whole[:2], third.facts["tables"][:2], strict=True):
        [row] = [row for row in once["rows"] if row["name"] == "knn+rpn"]
        assert row in again["rows"]


def test_other_settings_are_other_results_and_a_broken_file_is_made_again(tmp_path: Path) -> None:
    kept, calls = KeptResults(tmp_path), list[int]()

    def make() -> dict[str, Any]:
        calls.append(1)
        return {"miou": 0.1 + 0.2, "failures": []}

    first = kept.get("a", Stamp("segment", {"seed": 0}), make)
    assert kept.get("a", Stamp("segment", {"seed": 0}), make) == first
    kept.get("a", Stamp("segment", {"seed": 1}), make)
    assert len(calls) == 2
    for content in (b"", b"{}", b"[1]", b"\xff{", b'{"stamp": 1}'):
        next(iter(tmp_path.glob(f"a-{Stamp('segment', {'seed': 0}).short}.json"))).write_bytes(content)
        assert kept.get("a", Stamp("segment", {"seed": 0}), make) == first
    assert len(calls) == 7


def test_another_calibration_and_other_means_are_other_results(
    made: Made, checkpoints: Path, clip: FrozenClip, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("calibrated")
    tokenizer = load_trained(checkpoints / "knn+rpn", clip).model.tokenizer
    (home / "knn+rpn").mkdir()
    for results, (number, share) in enumerate(((0, 0.0), (1, 0.5), (2, 0.5), (2, 0.25)), start=1):
        card = {"clip": {"name": clip.name, "weights": clip.sha256}, "calibration": {"share": share}}
        save_trained(
            home / "knn+rpn", tokenizer, card, {"room": Means(torch.full((24,), 0.01 * number), torch.zeros(24))}
        )
        found = made(tmp_path, ["knn+rpn"], checkpoints=home)
        rooms = list((tmp_path / "results").glob("knn+rpn-0-first-*.json"))
        assert len(rooms) == results
    less = "12 tokens each, labels calibrated by 0.25 of their mean cosine: knn+rpn."
    assert [note.endswith(less) for note in found.notes].count(True) == 1


def test_clouds_that_fail_are_told_once_and_tried_again(made: Made, worlds: Worlds, tmp_path: Path) -> None:
    broken = worlds._replace(rooms=(Rooms("third", broken="b"), Rooms("second")))
    found = made(tmp_path, ["knn+rpn"], broken)
    assert [failure.key for failure in found.failures] == ["b"]
    assert not list((tmp_path / "results").glob("*third*"))


def test_without_any_checkpoint_nothing_is_made(made: Made, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no checkpoints") as error:
        made(tmp_path, ["s4token"])
    assert "--train" in error.value.hint
    assert not list(tmp_path.iterdir())


def test_checkpoints_are_found_by_name_and_seed(tmp_path: Path) -> None:
    for name in ("knn-10", "knn-2", "knn", "knn-sphere-0", "knn-old", "s4token-scans-0"):
        place = tmp_path / name / ("ckpt/last" if name == "knn-2" else "")
        place.mkdir(parents=True)
        (place / "config.json").write_text("{}")
    (tmp_path / "knn-3").mkdir()
    found = {name: [Path(path).name for path in of] for name, of in find_checkpoints(NAMES, tmp_path).items()}
    assert found["knn"] == ["knn", "knn-2", "knn-10"]
    assert (found["knn-sphere"], found["s4token-scans"], found["s4token"]) == (
        ["knn-sphere-0"],
        ["s4token-scans-0"],
        [],
    )
    assert not any(find_checkpoints(NAMES, tmp_path / "nowhere").values())
    assert list(find_checkpoints(NAMES)) == list(NAMES)


def test_the_made_world_plays_the_papers_datasets(tmp_path: Path) -> None:
    worlds = open_worlds(None, ReproduceConfig(), limit=None)
    assert [(each.name, each.split) for each in worlds.rooms] == [("toy-scans", "test"), ("toy-rooms", "test")]
    assert (len(worlds.objects), len(worlds.shapes), worlds.scans.split) == (2000, 150, "train")
    assert not set(worlds.objects.keys) & set(worlds.shapes.keys)
    few = open_worlds(None, ReproduceConfig(), limit=2)
    assert (len(few.shapes), len(few.rooms[0]), len(few.scans)) == (2, 2, 60)
    assert len(open_worlds(None, ReproduceConfig(), limit=200).shapes) == 200  # more than the usual, where asked
    with pytest.raises(InputError, match="shapenet55 is not under"):
        open_worlds(tmp_path, ReproduceConfig())
