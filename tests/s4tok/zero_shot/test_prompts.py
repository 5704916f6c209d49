import re
import shutil
from pathlib import Path

import pytest

from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.modelnet40 import ModelNet40
from s4tok.datasets.s3dis import S3DIS
from s4tok.datasets.scannet import ScanNet
from s4tok.datasets.scanobjectnn import ScanObjectNN
from s4tok.datasets.shapenetpart import ShapeNetPart
from s4tok.errors import InputError, MissingError, UsageError
from s4tok.synthetic.datasets import ToyRooms, ToyScans, ToyShapes
from s4tok.zero_shot.prompts import Prompts, load_prompts, read_labels, read_labels_of_whole, read_synonyms, set_for

MINE = """
whole = ["a {} of mine"]
part = ["the {part} of my {category}"]
[names]
sofa = ["sofa", "couch"]
[sentences]
"chair: leg" = ["what a chair stands on"]
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path


@pytest.mark.parametrize("name", ["mini", "mini2", "clip"])
@pytest.mark.parametrize(
    "dataset", [ModelNet40, ScanObjectNN, ShapeNetPart, ToyShapes, ScanNet, S3DIS, ToyScans, ToyRooms]
)
def test_every_class_of_every_dataset_is_told_from_all_others_in_plain_words(
    name: str, dataset: type[CloudDataset]
) -> None:
    prompts = load_prompts(name)
    said = [prompts.of_object(each) for each in dataset.categories]
    if dataset.scene == "room":
        said = [prompts.of_scene(each) for each in dataset.classes]
    of_parts = [
        [prompts.of_part(dataset.classes[part], category) for part in parts]
        for category, parts in dataset.parts.items()
    ]
    for classes in (said, *of_parts):
        assert len({tuple(each) for each in classes}) == len(classes)
        for sentence in (sentence for each in classes for sentence in each):
            assert re.fullmatch(r"[a-zA-Z0-9 ]+", sentence), sentence


def test_templates_names_and_sentences_by_hand(mine: Path) -> None:
    prompts = load_prompts(mine)
    assert prompts.name == "mine"
    assert prompts.of_object("sofa") == ["a sofa of mine", "a couch of mine"]
    assert prompts.of_part("seat", "sofa") == ["the seat of my sofa", "the seat of my couch"]
    assert prompts.of_part("leg", "chair") == ["what a chair stands on"]
    assert prompts.of_part("leg", "table") == ["the leg of my table"]
    with pytest.raises(InputError, match="no templates 'scene'"):
        prompts.of_scene("wall")


def test_the_hash_is_of_what_is_said_and_of_nothing_else(mine: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copy(mine, tmp_path / "other.toml"))
    assert load_prompts(moved).sha256 == load_prompts(mine).sha256
    assert load_prompts(moved).identity["name"] == "other"
    moved.write_text(MINE.replace("couch", "settee"))
    assert load_prompts(moved).sha256 != load_prompts(mine).sha256
    assert load_prompts("mini").sha256 != load_prompts("clip").sha256


def test_the_clip_that_comes_with_s4tok_has_sentences_of_its_own() -> None:
    assert [set_for(name) for name in ("mini", "mini2")] == ["mini", "mini2"]
    assert [set_for(name) for name in ("ViT-B-16", "some/folder")] == ["clip", "clip"]


def test_point_clip_v2s_tuned_prompts_are_read_where_the_user_has_put_them_and_nowhere_else(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingError, match="chosen on test labels") as caught:
        load_prompts("pclipv2")
    assert ".s4tok/prompts/pclipv2.toml" in caught.value.hint
    (tmp_path / ".s4tok" / "prompts").mkdir(parents=True)
    shutil.copy(mine, tmp_path / ".s4tok" / "prompts" / "pclipv2.toml")
    assert load_prompts("pclipv2") == Prompts(
        "pclipv2", **{k: v for k, v in vars(load_prompts(mine)).items() if k != "name"}
    )


def test_a_name_that_is_no_set_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        UsageError, match="no set of prompts is called 'minni'; there are: mini, mini2, clip, pclipv2, FILE"
    ):
        load_prompts("minni")


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        (None, "no such file of prompts"),
        ("whole = ", "not valid TOML"),
        ("", "holds no prompts"),
        ("whole = []", "'whole' must be a list of sentences"),
        ("whole = 'a {}'", "'whole' must be a list of sentences"),
        ("whole = ['a chair']", "the template 'a chair' of 'whole' must hold {} once"),
        ("part = ['a {}']", "must hold {part} and {category} once"),
        ("wohle = ['a {}']", "no part of a set of prompts is called 'wohle'"),
        ("whole = ['a {}']\nnames = 3", "names must be a table"),
        ("whole = ['a {}']\n[names]\nsofa = ['']", "'sofa' must be a list of sentences"),
    ],
)
def test_what_is_no_set_of_prompts_is_refused_in_one_sentence(tmp_path: Path, toml: str | None, says: str) -> None:
    path = tmp_path / "odd.toml"
    if toml is not None:
        path.write_text(toml)
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        load_prompts(path)
    assert str(path) in str(caught.value)


def test_labels_are_taken_apart_at_commas() -> None:
    assert read_labels(" chair,night  stand , lamp,") == ["chair", "night stand", "lamp"]
    assert read_labels(["chair", " night  stand"]) == ["chair", "night stand"]
    with pytest.raises(UsageError, match="labels are words, and one of them is 3"):
        read_labels(["chair", 3])
    with pytest.raises(UsageError, match="names nothing"):
        read_labels(" , ")
    with pytest.raises(UsageError, match="'lamp' twice"):
        read_labels("lamp, chair, lamp")


def test_no_labels_of_whole_clouds_are_proposed() -> None:
    assert read_labels_of_whole("chair,auto") == ["chair", "auto"]
    with pytest.raises(UsageError, match="--labels auto proposes labels of points, and of a whole cloud none"):
        read_labels_of_whole(" auto")


def test_labels_are_read_from_a_file_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("\ufeffchair\n\n# of the kitchen\nnight  stand\r\ncafé table, round\n", encoding="utf-8")
    for named in (file, f" {file} "):
        assert read_labels(named) == ["chair", "night stand", "café table, round"]
    file.write_bytes(b"caf\xe9\n")
    with pytest.raises(InputError, match=r"words\.txt cannot be read: it is not UTF-8"):
        read_labels(file)
    with pytest.raises(InputError, match=r"no\.txt cannot be read: No such file"):
        read_labels("no.txt")
    file.write_text("# nothing\n")
    with pytest.raises(UsageError, match="--labels names nothing"):
        read_labels(str(file))


def test_a_label_is_its_other_names_too(tmp_path: Path) -> None:
    prompts = Prompts("own", whole=("a {}",), part=("the {part} of a {category}",), names={"tv": ("television",)})
    found = prompts.also_called(read_synonyms("sofa = couch=settee,tv=telly"))
    assert found.of_object("sofa") == ["a sofa", "a couch", "a settee"]
    assert found.of_object("tv") == ["a television", "a telly"]
    assert found.of_part("back", "sofa") == ["the back of a sofa", "the back of a couch", "the back of a settee"]
    assert found.sha256 != prompts.sha256
    (tmp_path / "other.txt").write_text("# names\nsofa=couch=settee\n\ntv=telly\n", encoding="utf-8")
    assert prompts.also_called(read_synonyms(str(tmp_path / "other.txt"))) == found
    assert prompts.also_called({}) is prompts


@pytest.mark.parametrize("text", ["sofa", "sofa=", "=couch", "sofa=couch,sofa=settee", ""])
def test_synonyms_are_groups_each_of_another_label(text: str) -> None:
    with pytest.raises(UsageError, match="--synonyms takes groups of names"):
        read_synonyms(text)
