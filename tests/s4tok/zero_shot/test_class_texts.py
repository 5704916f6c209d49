from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from s4tok.models.labeller import Labels
from s4tok.synthetic.datasets import ToyScans, ToyShapes
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.class_texts import class_texts
from s4tok.zero_shot.prompts import load_prompts
from s4tok.zero_shot.vocabulary import label_vectors

PROMPTS = load_prompts("mini")


@pytest.fixture(scope="module")
def clip() -> FrozenClip:
    return FrozenClip.load("mini")


def test_parts_are_called_what_zero_shot_labelling_calls_them(clip: FrozenClip) -> None:
    labels = Labels.of_clouds(ToyShapes("val", sizes=(0, 15, 0)), "parts")
    found = class_texts(labels, "object", clip, PROMPTS)
    assert found is not None
    assert found.unknown == ()
    assert len(found.vectors) == len(labels.classes)
    places = list(labels.parts["chair"])
    expected = label_vectors([labels.classes[each] for each in places], clip, PROMPTS, category="chair")
    torch.testing.assert_close(found.vectors[places], expected)


def test_classes_of_rooms_and_categories_of_objects_too(clip: FrozenClip) -> None:
    rooms = Labels.of_clouds(ToyScans("val", sizes=(0, 1, 0)), "scenes")
    found = class_texts(rooms, "room", clip, PROMPTS)
    assert found is not None
    torch.testing.assert_close(found.vectors, label_vectors(rooms.classes, clip, PROMPTS, scene="room"))
    objects = Labels("objects", ("chair", "table"))
    found = class_texts(objects, "object", clip, PROMPTS)
    assert found is not None
    torch.testing.assert_close(found.vectors, label_vectors(("chair", "table"), clip, PROMPTS))


def test_a_word_that_is_not_known_gets_the_mean_of_the_others_and_is_told(clip: FrozenClip) -> None:
    labels = Labels("scenes", ("wall", "xqzvord", "chair"))
    found = class_texts(labels, "room", clip, PROMPTS)
    assert found is not None
    assert found.unknown == ("xqzvord",)
    torch.testing.assert_close(found.vectors[1], functional.normalize(found.vectors[[0, 2]].mean(0), dim=0))
    assert class_texts(replace(labels, classes=("xqzvord", "brimmelz")), "room", clip, PROMPTS) is None


def test_parts_of_a_category_that_is_not_known_are_not_known(clip: FrozenClip) -> None:
    labels = Labels("parts", ("leg", "leg"), ("chair", "xqzvord"), {"chair": (0,), "xqzvord": (1,)})
    found = class_texts(labels, "object", clip, PROMPTS)
    assert found is not None
    assert found.unknown == ("xqzvord",)
    torch.testing.assert_close(found.vectors[1], found.vectors[0])
