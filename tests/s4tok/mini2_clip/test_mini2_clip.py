"""The CLIP of real words that s4tok carries: its weights are read, and they know what the model card says they know."""

from pathlib import Path

import numpy as np
import pytest
import torch

import s4tok
from s4tok.config import ViewConfig
from s4tok.datasets.sh3d import SH3D
from s4tok.errors import UsageError
from s4tok.rendering.object_views import object_views
from s4tok.synthetic.datasets import NAMES, ToyShapes
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.classifier import classifier
from s4tok.zero_shot.prompts import load_prompts
from s4tok.zero_shot.unknown_words import tell_unknown, unknown_words

FOLDER = Path(s4tok.__file__).parent / "mini2_clip"
SAID = load_prompts("mini2")


@pytest.fixture(scope="module")
def clip() -> FrozenClip:
    return FrozenClip.load("mini2")


def test_it_is_small_enough_to_be_carried_and_its_card_names_its_weights(clip: FrozenClip) -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 30e6
    assert (clip.size, clip.width) == (112, 256)
    assert clip.sha256 in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_other_words_for_a_thing_are_nearer_to_it_than_to_another(clip: FrozenClip) -> None:
    names = ("sofa", "refrigerator", "wardrobe", "television", "lamp")
    others = ("couch", "fridge", "armoire", "television set", "lantern")
    things, said = (classifier(clip, [SAID.of_object(name) for name in each]) for each in (names, others))
    assert (said @ things.T).argmax(1).tolist() == list(range(len(names)))


def test_it_knows_the_classes_of_the_libraries_and_says_which_words_it_does_not_know(clip: FrozenClip) -> None:
    assert not unknown_words(list(SH3D.categories), clip, SAID)
    found = unknown_words(["chair", "xqzvord"], clip, SAID)
    assert len(tell_unknown(found, clip)) == 1
    with pytest.raises(UsageError, match="xqzvord"):
        unknown_words(["xqzvord", "brimmelz"], clip, SAID)


def test_it_names_held_out_shapes(clip: FrozenClip) -> None:
    """One shape of each category; its card has the figures of 150."""
    shapes = ToyShapes("test", points=4096)
    names = classifier(clip, [SAID.of_object(name) for name in NAMES])
    named = 0
    for key in shapes.keys[: len(NAMES)]:
        seen = object_views(shapes[key], shapes.up, ViewConfig(size=clip.size, projection="classification"))
        whole = clip.whole(torch.from_numpy(seen.images.astype(np.float32)).permute(0, 3, 1, 2)).mean(0)
        named += int((names @ whole).argmax()) == shapes.category(key)
    assert named >= 13
