"""The mini CLIP that s4tok carries: its weights are read, and they know what the model card says they know."""

from pathlib import Path

import numpy as np
import torch

import s4tok
from s4tok.config import ViewConfig
from s4tok.rendering.object_views import object_views
from s4tok.synthetic.categories import CATEGORIES
from s4tok.synthetic.datasets import NAMES, ToyShapes
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.lifting import lift
from s4tok.zero_shot.classifier import classifier
from s4tok.zero_shot.prompts import load_prompts

FOLDER = Path(s4tok.__file__).parent / "mini_clip"
SAID = load_prompts("mini")


def test_it_is_small_enough_to_be_carried(mini_clip: FrozenClip) -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 14e6
    assert (mini_clip.size, mini_clip.width) == (112, 128)
    assert mini_clip.sha256 in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_its_texts_tell_names_from_each_other(mini_clip: FrozenClip) -> None:
    vectors = classifier(mini_clip, [SAID.of_object(name) for name in NAMES])
    alike = vectors @ vectors.T - torch.eye(len(NAMES))
    assert alike.max() < 0.5


def test_it_names_held_out_shapes_and_their_parts(mini_clip: FrozenClip) -> None:
    """One shape of each category; its card has the figures of 150."""
    shapes = ToyShapes("test", points=4096)
    names = classifier(mini_clip, [SAID.of_object(name) for name in NAMES])
    named, right, total = 0, 0, 0
    for key in shapes.keys[: len(NAMES)]:
        cloud, category = shapes[key], shapes.category(key)
        seen = object_views(cloud, shapes.up, ViewConfig(size=mini_clip.size, projection="classification"))
        found = mini_clip.encode(torch.from_numpy(seen.images.astype(np.float32)).permute(0, 3, 1, 2))
        named += int((found.whole.mean(0) @ names.T).argmax()) == category
        pixels = torch.from_numpy(seen.pixels.astype(np.int64))
        own = torch.arange(len(cloud))
        features = lift(found.patches, pixels, pixels[..., 0] >= 0, own, len(cloud), mini_clip.size).feature()
        parts = CATEGORIES[NAMES[category]].all_parts
        told = classifier(mini_clip, [SAID.of_part(part, NAMES[category]) for part in parts])
        guess = (features @ told.T).argmax(1).numpy() + shapes.parts[NAMES[category]][0]
        assert cloud.labels is not None
        right, total = right + int((guess == cloud.labels).sum()), total + len(cloud)
    assert named >= 13
    assert right / total > 0.6
