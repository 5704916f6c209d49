import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from s4tok.datasets.open import open_dataset
from s4tok.models.checkpoint import save_trained
from s4tok.shapes import Array
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from tests.octants import cut_into_octants
from tests.running import Ran, Run

Answer = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def home(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP called tiny, and a checkpoint of it of each of two kinds."""
    home = tmp_path_factory.mktemp("home")
    clip = FrozenClip.load(str(make_clip(home / "tiny")))
    for name in ("knn", "s4token"):
        (home / name).mkdir()
        torch.manual_seed(0)
        settings: Any = {"n_points": 200, "n_tokens": 8, "patch_size": 8, "adapter_widths": (4, 8, 8)}
        card = {"clip": {"name": clip.name, "weights": clip.sha256}, "steps": 0}
        save_trained(home / name, build_tokenizer(name, width=32, **settings), card)
    return home


@pytest.fixture
def ask(s4tok: Run, home: Path) -> Run:
    """Run the command with the small CLIP and its kNN checkpoint unless told otherwise."""

    def command(*arguments: object, checkpoint: str = "knn") -> Ran:
        usual = {"--clip": home / "tiny", "--checkpoint": home / checkpoint, "--device": "cpu"}
        rest = (word for option, value in usual.items() if option not in arguments for word in (option, value))
        return s4tok("classify", *arguments, *rest)

    return command


@pytest.fixture
def answer(ask: Run) -> Answer:
    """Run the command, and give its exit code and what it tells a script."""

    def command(*arguments: object, checkpoint: str = "knn") -> tuple[int, dict[str, Any]]:
        done = ask(*arguments, "--json", checkpoint=checkpoint)
        return done.returncode, done.json

    return command


def points(n: int = 300) -> Array:
    return np.random.default_rng(1).standard_normal((n, 3))


def test_a_toy_dataset_is_classified_by_its_test_split_and_the_result_says_how(answer: Answer, tmp_path: Path) -> None:
    code, said = answer("toy-shapes", "--limit", 4, "--seed", 3, "--out", "results/toy.json")
    assert code == 0
    assert (said["clouds"], said["failed"], said["split"], said["seed"]) == (4, 0, "test", 3)
    assert 0 <= said["accuracy_interval"][0] <= said["accuracy"] <= said["accuracy_interval"][1] <= 1
    assert sum(map(sum, said["confusion"])) == 4
    assert said["per_class"]["table"] is None  # none of the four is a table
    assert said["checkpoint"]["card"]["tokenizer"]["tokenizer"] == "knn"
    assert (
        len(said["checkpoint"]["weights"])
        == len(said["vision_model"]["weights"])
        == len(said["prompts"]["sha256"])
        == 64
    )
    assert said["prompts"]["name"] == "clip"
    assert json.loads((tmp_path / "results" / "toy.json").read_text()) == said
    again = answer("toy-shapes", "--limit", 4, "--seed", 3, "--batch", 2)[1]
    for each in (said, again):
        del each["seconds"]
    assert again == said


def rows(folder: Path, count: int) -> None:
    for inner, suffix in (("main_split", ""), ("main_split_nobg", ""), ("main_split", "_augmentedrot_scale75")):
        (folder / inner).mkdir(parents=True, exist_ok=True)
        with h5py.File(folder / inner / f"test_objectdataset{suffix}.h5", "w") as file:
            file["data"] = np.random.default_rng(0).standard_normal((count, 256, 3)).astype(np.float32)
            file["label"], file["mask"] = np.arange(count) + 3, np.zeros((count, 256))


@pytest.mark.parametrize("variant", ["scanobjectnn", "scanobjectnn-obj-bg", "scanobjectnn-obj-only"])
def test_scan_object_nn_in_its_three_variants(answer: Answer, tmp_path: Path, variant: str) -> None:
    rows(tmp_path / "data" / "h5_files", 2)
    code, said = answer(variant)
    assert (code, said["dataset"], said["split"], said["clouds"]) == (0, variant, "test", 2)
    assert [name for name, count in said["counts"].items() if count] == ["cabinet", "chair"]


def test_model_net_40(answer: Answer, tmp_path: Path) -> None:
    folder = tmp_path / "modelnet40_ply_hdf5_2048"
    folder.mkdir()
    for split in ("train", "test"):
        (folder / f"{split}_files.txt").write_text(f"data/modelnet40_ply_hdf5_2048/ply_data_{split}0.h5\n")
        with h5py.File(folder / f"ply_data_{split}0.h5", "w") as file:
            file["data"], file["label"] = points(512).reshape(2, 256, 3).astype(np.float32), np.array([[23], [39]])
    code, said = answer(folder)
    assert (code, said["split"], said["clouds"], len(said["classes"])) == (0, "test", 2, 40)
    assert [name for name, count in said["counts"].items() if count] == ["night stand", "xbox"]


def test_files_of_ones_own_get_their_three_best_labels_a_line_each(ask: Run, answer: Answer, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", points())
    np.savetxt(tmp_path / "b.xyz", points() * (1, 5, 1))
    files, labels = ("a.npy", "b.xyz"), ("--labels", "chair, table,lamp,red car")
    code, said = answer(*files, *labels, "--up", "y")
    assert (code, sorted(said["answers"]), said["up"]) == (0, ["a.npy", "b.xyz"], "y")
    assert "accuracy" not in said
    [first, second, third] = said["answers"]["a.npy"]
    assert first[1] >= second[1] >= third[1]
    done = ask(*files, *labels, "--up", "y")
    assert done.returncode == 0
    *lines, assumed = done.stdout.splitlines()
    assert "taken for objects of any unit, y up (else --up); checkpoint" in assumed  # there is no --room
    assert [line.split()[0] for line in lines] == ["a.npy", "b.xyz"]
    assert f"{first[0]} {first[1]:.3f}, {second[0]} {second[1]:.3f}" in lines[0]


def test_superpoints_of_files_of_ones_own_are_made_without_asking_and_once(answer: Answer, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", points())
    np.save(tmp_path / "b.npy", points(1))
    code, said = answer("a.npy", "b.npy", "--labels", "chair,table", checkpoint="s4token")
    assert (code, list(said["answers"])) == (3, ["a.npy"])
    assert "a cloud needs at least 2 points, and this one has 1" in said["failures"][0]["reason"]
    [made] = (tmp_path / ".s4tok" / "cache").glob("*/all/superpoints-*")
    assert list(said["superpoints"]) == [made.name]


def test_superpoints_of_a_dataset_are_read_from_the_cache_or_asked_for(answer: Answer, tmp_path: Path) -> None:
    code, said = answer("toy-shapes", "--limit", 2, checkpoint="s4token")
    assert (code, "pass --auto" in said["hint"]) == (4, True)
    cut_into_octants(open_dataset("toy-shapes", split="test", limit=2), tmp_path / ".s4tok" / "cache")
    code, said = answer("toy-shapes", "--limit", 2, checkpoint="s4token")
    assert (code, said["clouds"]) == (0, 2)


def test_the_2d_baseline_needs_no_checkpoint(answer: Answer) -> None:
    code, said = answer("toy-shapes", "--limit", 2, "--vision-only", "--projection", "classification")
    assert (code, said["clouds"], said["checkpoint"], said["superpoints"]) == (0, 2, None, None)
    assert said["views"]["projection"] == "classification"


def test_people_see_a_table_with_each_categorys_mistakes(ask: Run) -> None:
    done = ask("toy-shapes", "--limit", 3)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["category", "clouds", "right", "taken", "for"]
    assert lines[2].split()[:2] == ["airplane", "1"]
    assert lines[-2].startswith("accuracy ")
    assert lines[-1].startswith("3 clouds of toy-shapes test; checkpoint ")


def one_point(folder: Path) -> str:
    np.save(folder / "one.npy", points(1))
    return "one.npy"


def no_cloud(folder: Path) -> str:
    (folder / "page.ply").write_text("<html>404</html>")
    return "page.ply"


def no_format(folder: Path) -> str:
    (folder / "photo.jpg").write_bytes(b"\xff\xd8")
    return "photo.jpg"


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        (one_point, 4, "a cloud needs at least 2 points, and this one has 1"),
        (no_cloud, 4, "page.ply"),
        (no_format, 4, "is in no format that can be read"),
        (lambda folder: "nowhere.ply", 4, "there is no such file"),
    ],
)
def test_what_is_no_cloud_is_one_sentence(
    answer: Answer, tmp_path: Path, source: Callable[[Path], str], code: int, says: str
) -> None:
    found, said = answer(source(tmp_path), "--labels", "chair,table")
    assert found == code
    assert says in said["error"]
    assert "\n" not in said["error"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("toy-shapes", "--labels", " , "), 2, "--labels names nothing"),
        (("toy-scans",), 2, "toy-scans has no labels of its own"),
        (("toy-shapes", "--prompts", "none.toml"), 4, "none.toml: there is no such file of prompts"),
        (("toy-shapes", "--prompts", "clipp"), 2, "no set of prompts is called 'clipp'"),
        (("toy-shapes", "--prompts", "pclipv2"), 6, "do not come with s4tok"),
        (("toy-shapes", "--clip", "ViT-S-32-alt", "--pretrained", ""), 2, "was trained for the CLIP tiny"),
        (("toy-shapes", "--checkpoint", "nobody"), 2, "no checkpoint is called that"),
        (("toy-shapes", "--scale", "0"), 2, "--scale must be positive"),
        (("toy-shapes", "--vision-only", "--votes", "3"), 2, "--scale and --votes are for checkpoints"),
    ],
)
def test_what_does_not_fit_together_is_one_sentence(
    answer: Answer, arguments: tuple[str, ...], code: int, says: str
) -> None:
    found, said = answer(*arguments)
    assert found == code
    assert says in said["error"]
    assert "\n" not in said["error"]
