"""The checkpoints that come with s4tok: they are what their card says, and know what they were taught."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from s4tok.config import SHIPPED_FOLDER, ZeroShotConfig
from s4tok.models.checkpoint import load_trained
from s4tok.models.checkpoint_files import find_checkpoint, read_card, shipped_checkpoints
from s4tok.synthetic.datasets import ToyShapes
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.network import sha256_of_weights
from s4tok.zero_shot.prompts import load_prompts
from s4tok_pipelines.stages.classify import classify
from s4tok_pipelines.stages.open_inputs import open_whole_features

CARD = (SHIPPED_FOLDER / "README.md").read_text(encoding="utf-8")
# Of thirty shapes; the card says how many of 150.
LEAST = {
    "knn": 0.65,
    "knn-sphere": 0.6,
    "knn+rpn": 0.6,
    "ball+rpn": 0.7,
    "s4token": 0.5,
    "s4token+context": 0.8,
    "universal": 0.7,
}
Right = Callable[[str, float], float]


@pytest.fixture(scope="session")
def right(mini_clip: FrozenClip, tmp_path_factory: pytest.TempPathFactory) -> Right:
    """Give the share of thirty held-out shapes, two of a category, that a checkpoint classifies rightly at a scale."""
    folder, shapes = tmp_path_factory.mktemp("cache"), ToyShapes("test", sizes=(0, 0, 30))

    @cache
    def share(name: str, scale: float) -> float:
        checkpoint, config = load_trained(name, mini_clip), ZeroShotConfig(scale=scale, draws=10)
        features = open_whole_features(shapes, folder, mini_clip, checkpoint, config, auto=True, workers=2)
        found = classify(shapes, features, mini_clip, load_prompts("mini"))
        assert found.figures is not None
        return float(found.figures.scores.accuracy)

    return share


@pytest.mark.parametrize("name", shipped_checkpoints())
def test_a_checkpoint_is_the_one_on_the_card_and_small(name: str) -> None:
    checkpoint = load_trained(name, FrozenClip.load(read_card(find_checkpoint(name))["clip"]["name"]))
    assert sha256_of_weights(checkpoint.model.tokenizer)[:12] in CARD
    assert sum(file.stat().st_size for file in find_checkpoint(name).iterdir()) < 1e6
    assert checkpoint.card["of"] / 2 < checkpoint.card["steps"] <= checkpoint.card["of"]
    assert "--out /" not in checkpoint.card["command"]


@pytest.mark.parametrize("name", LEAST)
def test_a_checkpoint_of_objects_names_held_out_ones(name: str, right: Right) -> None:
    assert right(name, 1.0) >= LEAST[name]


@pytest.mark.parametrize("name", ["knn+rpn", "ball+rpn", "s4token", "s4token+context"])
def test_a_checkpoint_with_normalised_patches_knows_no_unit_of_length(name: str, right: Right) -> None:
    at_every_scale = [right(name, scale) for scale in (0.25, 1.0, 8.0)]  # powers of two: nothing is rounded
    np.testing.assert_array_equal(at_every_scale, at_every_scale[0])


def test_plain_patches_are_lost_at_another_scale(right: Right) -> None:
    assert right("knn", 8.0) < 0.5 * right("knn", 1.0)
