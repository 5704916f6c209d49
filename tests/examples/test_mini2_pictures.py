"""The image side of mini2: what is drawn and how it is called, batches of it, and the training."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from s4tok.datasets.formats.obj import Surface
from s4tok.rendering.cameras import ten_views
from s4tok.rendering.depth_views import depth_views
from s4tok.synthetic.objects import make_object
from s4tok.synthetic.randomness import Draw
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.known_words import KnownWords
from tests.furniture import wardrobes

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "examples" / "mini2"


@pytest.fixture(autouse=True)
def in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw a chair, a table and a washbasin, and the chair again as what is checked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        from pictures import of_shape

        folder = tmp_path_factory.mktemp("pictures")
        for number, name in enumerate(("chair", "table", "washbasin")):
            of_shape(name, 2, Draw(0, name)).write(folder / "train" / f"shape-{number:05d}.npz")
        of_shape("chair", 2, Draw(1, "chair")).write(folder / "val" / "shape-00000.npz")
    return folder


def test_models_are_called_by_their_names_other_words_colours_materials_and_parts() -> None:
    from captions import caption_of_model, color_word, material_of

    caption = caption_of_model("BlendSwap-CC-0/armchair", ("leg", "seat"), "red", ("wooden",))
    assert caption.names[:3] == ("armchair", "chair", "side chair")
    assert (caption.described, caption.general) == (("red chair", "wooden chair"), ("furniture",))
    assert caption.leaves[1].part == ("chair leg", "the leg of a chair")
    assert material_of(Surface("table", "top", "madera_2")) == "wooden"
    red, blue = np.array([[0.7, 0.1, 0.1]]), np.array([[0.1, 0.3, 0.7]])
    assert color_word(np.repeat([red[0], blue[0]], [9, 1], axis=0)) == "red"
    assert color_word(np.concatenate([red, blue])) == ""


def test_things_of_rooms_are_called_by_what_they_are() -> None:
    from captions import Leaf, leaf_of_room

    assert leaf_of_room("wall", -1, "") == Leaf(("wall",))
    assert leaf_of_room("desk", 1, "") == Leaf(("desk", "table"), ("table leg", "the leg of a table"))
    assert leaf_of_room("desk things", -1, "BlendSwap-CC-0/armchair") == Leaf(("armchair", "chair"))
    assert leaf_of_room("fireplace", -1, "") is None  # nothing is made of this name


def test_depth_pictures_are_the_toolkits_and_cells_show_the_parts_there_are(drawn: Path) -> None:
    from pictures import NOTHING, Pictures

    seen = Pictures.read(drawn / "train" / "shape-00000.npz")
    thing = make_object("chair", Draw(0, "chair"))
    views = depth_views(torch.from_numpy(thing.vertices).float(), ten_views()[:2], size=112).images
    covered = seen.depth_leaves != NOTHING
    assert (seen.depth[:, ::2, ::2] < 255)[covered].mean() > 0.99
    assert abs(covered.mean() - (views[:, ::2, ::2] < 1).float().mean().item()) < 0.3
    shown = set(np.unique(seen.color_leaves)) - {NOTHING}
    assert {seen.caption.leaves[leaf].part[0] for leaf in shown} >= {"chair seat", "chair back"}
    assert (seen.color[:, :4] == 255).all()  # white around the thing


def test_a_batch_depends_on_its_numbers_alone_and_says_what_patches_show(drawn: Path) -> None:
    from picture_book import Book

    book = Book(drawn / "train")
    first, again = (book.batch(8, (0, 1, 0), np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1].whole, again[1].whole)
    said = {book.phrases[number] for number in first[1].parts.flatten().tolist() if number >= 0}
    assert said <= {leaf.part[0] for item in book.items for leaf in item.caption.leaves if leaf.part}
    things = {book.phrases[number] for number in first[1].things.flatten().tolist() if number >= 0}
    assert things <= {"chair", "table", "washbasin", "sink"}
    assert ((first[1].things >= 0) | (first[1].parts < 0)).all()


def test_batches_made_ahead_are_those_made_when_asked_for(drawn: Path) -> None:
    from ahead import Ahead
    from picture_book import Book

    book = Book(drawn / "train")

    def make(number: int) -> torch.Tensor:
        return book.batch(4, (0, 1, 0), np.random.default_rng(number))[0]

    ahead, at_once = Ahead(make, 2), Ahead(make, 0)
    for number in (3, 3, 4, 5, 9):  # one again, and some left out
        assert torch.equal(ahead(number), at_once(number))


def test_left_out_words_and_all_that_is_called_by_them_are_gone(drawn: Path) -> None:
    from picture_book import MADE, Book, left_out

    book = Book(drawn / "train", ("sink",))
    assert len(book.items) == 2
    assert not {"sink", "washbasin"} & set(book.phrases)
    assert Book(drawn / "train", ("able",)).items  # which ends no word
    chosen = left_out(20, 0)
    assert len(set(chosen)) == 20
    assert not MADE & set(chosen)
    assert chosen == left_out(20, 0)


@pytest.mark.slow
def test_the_tower_goes_on_where_it_was_stopped_and_writes_what_is_read(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import learn_pictures
    from form import new_model, text_tower

    words = tmp_path / "words"
    words.mkdir()
    model = new_model(3)
    save_file({name: weight.data for name, weight in text_tower(model).items()}, words / "tower.safetensors")
    KnownWords(frozenset(("chair",))).write(words)
    few = ["--words", str(words), "--pictures", str(drawn), "--steps", "3", "--every", "1", "--batch", "4"]
    learn_pictures.main([*few, "--out", str(tmp_path / "whole")])
    step, count = learn_pictures.Tower.step, [0]

    def falls(self: learn_pictures.Tower, number: int) -> dict[str, float]:
        count[0] += 1
        if count[0] > 5:  # four tried, one taken
            raise KeyboardInterrupt
        return step(self, number)

    monkeypatch.setattr(learn_pictures.Tower, "step", falls)
    with pytest.raises(KeyboardInterrupt):
        learn_pictures.main([*few, "--out", str(tmp_path / "parts")])
    monkeypatch.setattr(learn_pictures.Tower, "step", step)
    learn_pictures.main([*few, "--out", str(tmp_path / "parts")])
    file = "mini2/open_clip_model.safetensors"
    whole, parts = (load_file(tmp_path / name / file) for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert torch.equal(whole["token_embedding.weight"], model.token_embedding.weight.half())  # texts are locked
    read = FrozenClip.load(str(tmp_path / "whole" / "mini2"))
    assert (read.size, read.width, read.known_words is not None) == (112, 256, True)
    assert sum(each.stat().st_size for each in (tmp_path / "whole" / "mini2").iterdir()) < 30e6


def test_other_ways_of_asking_are_counted_by_hand_and_run_on_a_made_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ways import SHARES, figures, main

    scores = torch.tensor([[0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.1, 0.9, 0.2, 0.3, 0.4, 0.5, 0.6]])
    assert figures(scores, torch.tensor([0, 0]), [0, 1]) == (0.5, 0.5, 0.5)
    wardrobes(tmp_path / "BlendSwap-CC-0.sh3f", "a")
    wardrobes(tmp_path / "Scopia.sh3f", "wardrobe1")
    main(["--clip", "mini2", "--sh3d", str(tmp_path), "--split", "test"])
    assert len(capsys.readouterr().out.splitlines()) == 2 + 3 * len(SHARES) + 1
