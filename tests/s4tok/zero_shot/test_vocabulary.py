from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from s4tok.datasets.open import open_dataset
from s4tok.errors import UsageError
from s4tok.synthetic.datasets import ToyScans, ToyShapes
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.classifier import classifier
from s4tok.zero_shot.prompts import load_prompts
from s4tok.zero_shot.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def clip(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> FrozenClip:
    return FrozenClip.load(str(make_clip(tmp_path_factory.mktemp("models") / "tiny")))


def test_an_object_is_named_by_the_parts_of_its_category_alone(clip: FrozenClip) -> None:
    clouds, prompts = ToyShapes("val", sizes=(0, 15, 0)), load_prompts("mini")
    words = Vocabulary(clouds, clip, prompts)
    assert words.of_parts
    assert words.has_truth
    for key in clouds.keys:
        category = clouds.categories[clouds.category(key)]
        found = words.of(key)
        assert [clouds.classes[each] for each in found.ids] == list(found.names)
        assert found.ids.tolist() == list(clouds.parts[category])
        expected = classifier(clip, [prompts.of_part(name, category) for name in found.names])
        torch.testing.assert_close(found.vectors, expected)
    assert words.of(clouds.keys[0]) is words.of(clouds.keys[0])


def test_true_labels_find_their_place_among_the_words(clip: FrozenClip) -> None:
    clouds = ToyShapes("val", sizes=(0, 15, 0))
    words = Vocabulary(clouds, clip, load_prompts("mini"))
    for key in clouds.keys:
        labels, found = clouds[key].labels, words.of(key)
        assert labels is not None
        assert [found.names[place] for place in found.places(labels)] == [clouds.classes[label] for label in labels]
    others = np.setdiff1d(np.arange(len(clouds.classes)), found.ids)
    assert (found.places(np.append(others, -1)) == -1).all()


def test_a_room_is_named_by_all_classes_of_its_dataset(clip: FrozenClip) -> None:
    clouds, prompts = ToyScans("val"), load_prompts("clip")
    found = Vocabulary(clouds, clip, prompts).of(clouds.keys[0])
    assert found.names == tuple(clouds.classes)
    np.testing.assert_array_equal(found.ids, np.arange(len(clouds.classes)))
    torch.testing.assert_close(found.vectors, classifier(clip, [prompts.of_scene(name) for name in clouds.classes]))


def test_a_users_own_words_replace_a_datasets_and_leave_nothing_to_be_right_about(clip: FrozenClip) -> None:
    clouds, prompts = ToyShapes("val", sizes=(0, 2, 0)), load_prompts("clip")
    said = {
        None: [prompts.of_object(name) for name in ("leg", "top")],
        "table": [prompts.of_part(name, "table") for name in ("leg", "top")],
    }
    for category, sentences in said.items():
        words = Vocabulary(clouds, clip, prompts, ("leg", "top"), category)
        assert not words.has_truth
        assert not words.of_parts
        found = words.of(clouds.keys[0])
        assert (found.names, found.ids.tolist()) == (("leg", "top"), [0, 1])
        torch.testing.assert_close(found.vectors, classifier(clip, sentences))


def test_clouds_without_words_ask_for_some(clip: FrozenClip, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).random((9, 3)))
    with pytest.raises(UsageError, match="has no labels of its own") as caught:
        Vocabulary(open_dataset(tmp_path / "a.npy"), clip, load_prompts("clip"))
    assert "--labels" in caught.value.hint
    with pytest.raises(UsageError, match="--category"):
        Vocabulary(ToyShapes("val"), clip, load_prompts("clip"), category="chair")
