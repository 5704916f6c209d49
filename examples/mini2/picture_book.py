"""Batches of the drawn pictures: cut, mirrored and lit at random, and what is to be said of each and of its patches."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from captions import Caption
from form import GRID, MEAN, SIZE, STD
from phrases import synonyms
from pictures import NOTHING, Pictures
from torch import Tensor
from torch.nn import functional

from s4tok.datasets.sh3d import SH3D
from s4tok.datasets.sh3d.library import LIBRARIES
from s4tok.datasets.sh3d.words import read_words
from s4tok.errors import InputError
from s4tok.randomness import hashed
from s4tok.shapes import Array, Bool, Float, Int
from s4tok.synthetic.categories import CATEGORIES, FIXTURES

SOURCES = ("model", "shape", "room")
CELLS = 4  # places a patch's side is looked up at to tell what it shows
WAYS = 4  # names of a thing that are taken in turn
FEWEST = 16  # cells that show something, below which a picture is not named
# Classes of sh3d that made things are called by too: they cannot be left out.
MADE = frozenset((*CATEGORIES, *FIXTURES, "sink", "trash can", "potted plant", "box", "oven", "cup", "armchair"))


class Said(NamedTuple):
    """What a batch is to be called, in numbers of phrases; -1 where nothing is to be said."""

    whole: Int[Tensor, " b"]
    things: Int[Tensor, "b patches"]
    parts: Int[Tensor, "b patches"]


class Shown(NamedTuple):
    """What is left to see of a batch's pictures."""

    captions: list[Caption]
    tables: Int[Array, "b leaves ways"]
    known: Int[Tensor, "b k k"]  # the leaf of each cell
    is_zoomed: Bool[Array, " b"]
    is_grey: Bool[Array, " b"]


class Book:
    """All pictures, with the phrases of their captions."""

    def __init__(self, folder: Path, left_out: Sequence[str] = ()) -> None:
        """Read a folder; things that are called by a word of `left_out` are dropped, and in rooms have no name."""
        files = sorted(folder.glob("*.npz"))
        if not files:
            raise InputError(f"{folder} holds no pictures.", "python examples/mini2/draw_pictures.py draws them.")
        self.banned = {*left_out, *(other for other, kind in synonyms().items() if kind in left_out)}
        kept = [(file, each) for file in files if not self._is_banned((each := Pictures.read(file)).caption)]
        self.items = [each for _, each in kept]
        self.source = np.array([_source_of(file) for file, _ in kept])
        self.phrases = sorted({phrase for each in self.items for phrase in each.caption.phrases()})
        self.place = {phrase: number for number, phrase in enumerate(self.phrases)}
        captions = [each.caption for each in self.items]
        leaves = [leaf for caption in captions for leaf in caption.leaves if not self._is_called(leaf.thing)]
        self.names = self._numbers(
            {name for c in captions for name in c.names} | {t for leaf in leaves for t in leaf.thing}
        )
        self.parts = self._numbers({leaf.part[0] for leaf in leaves if leaf.part})
        self.tables = [self._table(caption) for caption in captions]
        self.chances = self._chances()

    def _is_banned(self, caption: Caption) -> bool:
        return caption.kind in self.banned or self._is_called(caption.names)

    def _is_called(self, names: Iterable[str]) -> bool:
        """Tell whether a name is one of the words left out, or ends with one: a wine bottle is a bottle."""
        return any(f" {name}".endswith(f" {word}") for name in names for word in self.banned)

    def _numbers(self, phrases: set[str]) -> Int[Array, " k"]:
        return np.array(sorted(self.place[phrase] for phrase in phrases), np.int64)

    def _table(self, caption: Caption) -> Int[Array, "leaves ways"]:
        """Number the names of every leaf's thing, and at last its part; the last row is for NOTHING."""
        table = np.full((NOTHING + 1, WAYS + 1), -1)
        for row, leaf in enumerate(caption.leaves):
            if not self._is_called(leaf.thing):
                table[row, :WAYS] = [self.place[leaf.thing[way % len(leaf.thing)]] for way in range(WAYS)]
                if leaf.part:
                    table[row, WAYS] = self.place[leaf.part[0]]
        return table

    def _chances(self) -> dict[str, Float[Array, " k"]]:
        """Say how often each thing of a source is taken: of those with one name together as the root of their count."""
        chances = {}
        for number, source in enumerate(SOURCES):
            chosen = [each.caption for each in self._of(number)]
            names = [caption.kind or "".join(caption.names[:1]) for caption in chosen]
            counts = Counter(names)
            weights = np.array([1.0 if source == "room" else counts[name] ** -0.5 for name in names])
            chances[source] = weights / max(weights.sum(), 1e-9)
        return chances

    def _of(self, source: int) -> list[Pictures]:
        return [each for each, of in zip(self.items, self.source, strict=True) if of == source]

    def batch(
        self, size: int, shares: Sequence[float], rng: np.random.Generator
    ) -> tuple[Float[Tensor, "b 3 h w"], Said]:
        """Take pictures of each source by its share, as the random numbers have it."""
        there = [share if (self.source == number).any() else 0.0 for number, share in enumerate(shares)]
        counts = rng.multinomial(size, np.array(there) / sum(there))
        chosen = np.concatenate([
            rng.choice(np.flatnonzero(self.source == number), count, p=self.chances[source])
            for number, (source, count) in enumerate(zip(SOURCES, counts, strict=True)) if count
        ])  # fmt: skip
        is_depth = rng.random(size) < 0.5
        images, leaves, tables = [], [], []
        for number, depth in zip(chosen, is_depth, strict=True):
            item = self.items[number]
            view = rng.integers(len(item.depth))
            image = item.depth[view][..., None].repeat(3, axis=2) if depth else item.color[view]
            images.append(torch.from_numpy(image))
            leaves.append(torch.from_numpy((item.depth_leaves if depth else item.color_leaves)[view]))
            tables.append(self.tables[number])
        shown = torch.stack(images).permute(0, 3, 1, 2).float() / 255
        of_room = self.source[chosen] == SOURCES.index("room")
        cut, known, is_zoomed = _cut(shown, torch.stack(leaves), of_room, rng)
        lit, is_grey = _lit(cut, known, torch.from_numpy(is_depth), ~of_room, rng)
        items = [self.items[number].caption for number in chosen]
        return (lit - MEAN) / STD, self._said(Shown(items, np.stack(tables), known, is_zoomed, is_grey), rng)

    def _said(self, shown: "Shown", rng: np.random.Generator) -> Said:
        """Say what is left to see of each picture, and what fills half of each patch."""
        b = len(shown.captions)
        cells = shown.known.view(b, GRID, CELLS, GRID, CELLS).transpose(2, 3).reshape(b, GRID * GRID, -1).numpy()
        counts = np.zeros((b, GRID * GRID, NOTHING + 1), np.int32)
        np.add.at(counts, (np.arange(b)[:, None, None], np.arange(GRID * GRID)[None, :, None], cells), 1)
        of_patch = np.where(counts.max(2) >= CELLS * CELLS / 2, counts.argmax(2), NOTHING)
        way, rows = rng.integers(WAYS, size=b), np.arange(b)
        things = shown.tables[rows[:, None], of_patch, way[:, None]]
        parts = shown.tables[rows[:, None], of_patch, WAYS]
        of_whole = counts.sum(1)[:, :NOTHING]
        whole = np.array([self._whole(shown, row, of_whole[row], int(way[row]), rng) for row in range(b)])
        return Said(*(torch.from_numpy(each) for each in (whole, things, parts)))

    def _whole(
        self, shown: "Shown", row: int, counts: Int[Array, " leaves"], way: int, rng: np.random.Generator
    ) -> int:
        """Choose what a whole picture is called: a part that fills it, its thing, or what most of it shows."""
        seen, leading = int(counts.sum()), int(counts.argmax())
        caption, table = shown.captions[row], shown.tables[row]
        if seen <= FEWEST:
            return -1
        if shown.is_zoomed[row] and counts[leading] >= 0.65 * seen and table[leading, WAYS] >= 0:
            return int(table[leading, WAYS])
        if not caption.names:
            by_thing = Counter[int]()
            for leaf in np.flatnonzero(counts):
                by_thing[int(table[leaf, way])] += int(counts[leaf])
            thing, count = by_thing.most_common(1)[0]
            return thing if count > 0.6 * seen else -1
        chance = rng.random()
        if chance < 0.1 and caption.general:
            return self.place[caption.general[rng.integers(len(caption.general))]]
        if chance < 0.3 and caption.described and not shown.is_grey[row]:
            return self.place[caption.described[rng.integers(len(caption.described))]]
        return self.place[caption.names[0 if chance < 0.6 else rng.integers(len(caption.names))]]

    def rarities(self) -> Float[Tensor, " p"]:
        """Weigh phrases of patches by how rarely a cell shows them; the mean over cells is 1."""
        cells = np.zeros(len(self.phrases))
        for item, table in zip(self.items, self.tables, strict=True):
            shown = np.bincount(item.color_leaves[:, ::4, ::4].ravel(), minlength=NOTHING + 1)
            for column in (0, WAYS):
                told = table[:, column] >= 0
                np.add.at(cells, table[told, column], shown[told])
        rare = (cells.sum() / (cells + 50)) ** 0.6
        return torch.from_numpy(rare * cells.sum() / max((rare * cells).sum(), 1e-9)).float()


def left_out(count: int, seed: int) -> tuple[str, ...]:
    """Choose classes of sh3d that are never trained: none is made too, and the test libraries have each."""
    tested = {word.kind for key, word in read_words().items() if LIBRARIES[key.partition("/")[0]].split == "test"}
    free = [kind for kind in SH3D.categories if kind in tested and kind not in MADE]
    return tuple(sorted(sorted(free, key=lambda kind: hashed(seed, kind))[:count]))


def _source_of(file: Path) -> int:
    word = file.name.partition("-")[0]
    return SOURCES.index(word) if word in SOURCES else SOURCES.index("room")


def _cut(
    images: Float[Tensor, "b c h w"],
    leaves: Int[Tensor, "b cells cells"],
    of_room: Bool[Array, " b"],
    rng: np.random.Generator,
) -> tuple[Float[Tensor, "b c h w"], Int[Tensor, "b k k"], Bool[Array, " b"]]:
    """Cut and mirror at random; beyond a picture it is white."""
    b = len(images)
    is_zoomed = rng.random(b) < 0.4
    near = rng.uniform(np.where(of_room, 0.45, 0.3), np.where(of_room, 0.95, 0.75))
    scale = np.where(is_zoomed, near, np.where(of_room, 1.0, rng.uniform(0.7, 1.1, b)))
    theta = np.zeros((b, 2, 3))
    theta[:, 0, 0], theta[:, 1, 1] = scale * np.where(rng.random(b) < 0.5, -1, 1), scale
    theta[:, :, 2] = rng.uniform(-1, 1, (b, 2)) * np.maximum(1 - scale, 0)[:, None]
    places = torch.from_numpy(theta).float()
    fine = functional.affine_grid(places, [b, 3, SIZE, SIZE], align_corners=False)
    coarse = functional.affine_grid(places, [b, 1, GRID * CELLS, GRID * CELLS], align_corners=False)
    cut = functional.grid_sample(images - 1, fine, align_corners=False) + 1
    known = leaves[:, None].float() - NOTHING
    known = functional.grid_sample(known, coarse, mode="nearest", align_corners=False) + NOTHING
    return cut, known[:, 0].round().long(), is_zoomed


def _lit(
    images: Float[Tensor, "b c h w"], known: Int[Tensor, "b k k"], is_depth: Bool[Tensor, " b"],
    of_object: Bool[Array, " b"], rng: np.random.Generator,
) -> tuple[Float[Tensor, "b c h w"], Bool[Array, " b"]]:  # fmt: skip
    """Change light and contrast, some backdrops and some colours; say which pictures have no colour."""
    b = len(images)

    def drawn(low: float, high: float, *shape: int) -> Float[Tensor, "..."]:
        return torch.from_numpy(rng.uniform(low, high, (b, *shape))).float()

    is_grey = is_depth | (drawn(0, 1) < 0.15)
    images = torch.where(is_grey[:, None, None, None], images.mean(1, keepdim=True), images)
    swapped = torch.from_numpy(of_object) & ~is_depth & (drawn(0, 1) < 0.35)
    empty = functional.interpolate((known == NOTHING)[:, None].float(), (SIZE, SIZE), mode="nearest") > 0
    backdrop = drawn(0.1, 1, 3, 1, 1) + drawn(-0.3, 0.3, 1, 1, 1) * torch.linspace(-1, 1, SIZE)[:, None]
    images = torch.where(swapped[:, None, None, None] & empty & (images > 0.97), backdrop.clamp(0, 1), images)
    bent = images.clamp(0, 1) ** torch.where(is_depth, 1.0, drawn(0.7, 1.4))[:, None, None, None]
    gain = torch.where(is_grey[:, None], drawn(0.85, 1.15, 1).expand(-1, 3), drawn(0.8, 1.2, 1) * drawn(0.93, 1.07, 3))
    noise = torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))
    return bent * gain[:, :, None, None] + 0.02 * noise, is_grey.numpy()
