import pytest
import torch

from s4tok.config import HeadConfig, Task
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import UsageError
from s4tok.models.labeller import Labeller, Labels
from s4tok.synthetic.datasets import ToyScans, ToyShapes

PARTS = Labels("parts", ("seat", "leg", "top", "leg"), ("chair", "table"), {"chair": (0, 1), "table": (2, 3)})
SCENES = Labels("scenes", ("wall", "floor", "chair"))


def test_a_datasets_labels_come_back_from_a_card() -> None:
    shapes, scans = ToyShapes("val", sizes=(0, 1, 0)), ToyScans("val", sizes=(0, 1, 0))
    given: list[tuple[CloudDataset, Task]] = [(shapes, "parts"), (shapes, "objects"), (scans, "scenes")]
    for clouds, task in given:
        labels = Labels.of_clouds(clouds, task)
        assert Labels.of_card(labels.facts()) == labels
        assert labels.classes == tuple(clouds.categories if task == "objects" else clouds.classes)


@pytest.mark.parametrize(("task", "wanted"), [("parts", "named parts"), ("objects", "categories")])
def test_a_dataset_without_such_labels_is_refused(task: Task, wanted: str) -> None:
    with pytest.raises(UsageError, match=f"toy-scans has no {wanted}") as refused:
        Labels.of_clouds(ToyScans("val", sizes=(0, 1, 0)), task)
    assert "scenes" in refused.value.hint
    with pytest.raises(UsageError, match="toy-shapes has no classes of points in scenes"):
        Labels.of_clouds(ToyShapes("val", sizes=(0, 1, 0)), "scenes")


def test_words_pick_their_classes_within_the_category_and_case_does_not_matter() -> None:
    assert PARTS.vectors(["Leg"], 1, "X").tolist() == [[0, 0, 0, 1]]
    assert PARTS.vectors(["leg", "seat"], 0, "X").tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    assert SCENES.vectors(["chair"], None, "X").tolist() == [[0, 0, 1]]


def test_what_a_head_does_not_know_is_refused_with_what_it_knows() -> None:
    with pytest.raises(UsageError, match="X does not know 'sofa'; it knows: wall, floor, chair") as refused:
        SCENES.vectors(["sofa"], None, "X")
    assert "--zero-shot" in refused.value.hint
    with pytest.raises(UsageError, match="does not know 'top'; it knows: seat, leg"):
        PARTS.vectors(["top"], 0, "X")
    with pytest.raises(UsageError, match="does not know 'lamp'; it knows: chair, table"):
        PARTS.category("lamp", "X")
    with pytest.raises(UsageError, match="parts of objects whose category is known") as refused:
        PARTS.category(None, "X")
    assert "chair, table" in refused.value.hint
    assert SCENES.category(None, "X") is None


def test_an_object_gets_classes_of_its_category_alone() -> None:
    labeller = Labeller.build(PARTS, HeadConfig(head="probe"), 8)
    logits = torch.tensor([[[9.0, 8, 1, 0]], [[9.0, 8, 1, 0]]])
    found = labeller.masked(logits, torch.tensor([0, 1])).softmax(-1)
    assert found.argmax(-1).tolist() == [[0], [2]]
    assert not found[1, 0, :2].any()


def test_a_card_of_an_unknown_task_is_refused() -> None:
    with pytest.raises(ValueError, match="fine-tuned for 'boxes'"):
        Labels.of_card({**PARTS.facts(), "task": "boxes"})
