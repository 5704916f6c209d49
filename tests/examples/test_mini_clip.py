"""The script that trains the mini CLIP: its pictures are the toolkit's, its words are apart, and it runs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from s4tok.rendering.cameras import ten_views
from s4tok.rendering.depth_views import depth_views
from s4tok.synthetic.datasets import ToyShapes
from s4tok.synthetic.randomness import Draw
from s4tok.vision.frozen_clip import FrozenClip

FOLDER = Path(__file__).parents[2] / "examples" / "mini_clip"


@pytest.fixture(autouse=True)
def in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


def test_lessons_look_like_the_views_of_the_toolkit() -> None:
    import lessons

    shapes = ToyShapes("train", points=4096)
    for key in shapes.keys[:4]:
        cloud = shapes[key]
        assert cloud.labels is not None
        drawn = lessons.of_shape(shapes, key, Draw(0, key), turned=0.0)
        views = depth_views(torch.from_numpy(cloud.xyz), ten_views(), size=lessons.SIZE).images
        quick = drawn.images.float() / 255
        assert (quick - views).abs().mean() < 0.04
        covered = drawn.leaves != lessons.NOTHING
        assert covered[views < 0.7].float().mean() > 0.85
        assert (views < 0.99)[covered].float().mean() > 0.99
        assert set(drawn.leaves[covered].tolist()) <= set(np.unique(cloud.labels).tolist())


def test_names_stand_at_right_angles_and_parts_lean_towards_them() -> None:
    import words

    names, leaves = words.vectors_of_names(128), words.vectors_of_leaves(128)
    torch.testing.assert_close(names @ names.T, torch.eye(len(words.NAMES)), atol=1e-5, rtol=0)
    own = (leaves * names[words.NAME_OF_LEAF]).sum(1)
    assert own.min() > 0.3
    assert (leaves @ leaves.T - torch.eye(len(leaves))).max() < 0.9
    known = words.sentences(128)
    assert len(known.texts) == len(set(known.texts)) == len(known.vectors)


@pytest.mark.slow
def test_it_trains_writes_what_is_read_and_goes_on(tmp_path: Path) -> None:
    import train

    few = ["--shapes", "2", "--rooms", "1", "--words", "2", "--steps", "2", "--batch", "8"]
    kept = ["--lessons", str(tmp_path / "lessons.pt")]
    train.main([*few, *kept, "--out", str(tmp_path / "first")])
    train.main([*few, *kept, "--start", str(tmp_path / "first"), "--out", str(tmp_path / "second")])
    first, second = (FrozenClip.load(str(tmp_path / name)) for name in ("first", "second"))
    assert first.sha256 != second.sha256
    torch.testing.assert_close(first.text(["a chair"]), second.text(["a chair"]))
    assert (first.model.token_embedding.weight == 0).all(1).sum() > 49_000  # type: ignore[union-attr]
