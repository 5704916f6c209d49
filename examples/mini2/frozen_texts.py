"""The vectors mini2's texts shall have: MiniLM's of the phrase and of what it means, as many numbers as mini2 has.

MiniLM alone takes a settee for a wardrobe: it has hardly met the word. WordNet's definition tells it. Of the 153 other
words of sh3d's classes, 76 % are nearest to their own class without definitions, 84 % with.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from form import EMBED
from minilm import MiniLM
from phrases import N_PAIRS, own_names, own_parts, part_texts, random_pairs, synonyms, vocabulary
from torch import Tensor
from torch.nn import functional
from training import write_whole
from wordnet import WordNet

from s4tok.randomness import hashed
from s4tok.shapes import Array, Float, Int

AT_ONCE = 2048  # phrases of one file
HELD_OUT = 100  # one of so many names of several words is kept for the test of the tower


class Texts(NamedTuple):
    """Texts with their vectors: the vocabulary first, then pairs of words, then other ways to say parts."""

    texts: list[str]
    vectors: Float[Tensor, "t d"]
    n_known: int

    def held_out(self, own: Sequence[str]) -> Int[Array, " k"]:
        """Number the known names of several words that no text tower sees, and whose words others have."""
        kept, seen = set(own), dict[str, int]()
        for text in self.texts[: self.n_known]:
            for word in set(text.split()):
                seen[word] = seen.get(word, 0) + 1
        chosen = [
            number
            for number, text in enumerate(self.texts[: self.n_known])
            if " " in text and text not in kept and hashed(text) % HELD_OUT == 0
            if all(seen[word] > 2 for word in text.split())
        ]  # fmt: skip
        return np.array(chosen, np.int64)


def frozen_texts(wheel: Path, wordnet: WordNet, folder: Path, limit: int | None, seed: int) -> Texts:
    """Encode the vocabulary and pairs of words; what an earlier call has encoded is taken from the folder."""
    known = vocabulary(wordnet)
    pairs = sorted(set(random_pairs(wordnet, N_PAIRS, seed)) - set(known))
    if limit is not None:
        own = {*own_names(), *(word for name, part in own_parts() for word in (part, f"{name} {part}"))}
        known, pairs = sorted({*own, *_few(known, limit)}), _few(pairs, limit // 4)
    vectors = functional.normalize(_encoded(wheel, wordnet, [*known, *pairs], folder), dim=1)
    place = {text: number for number, text in enumerate(known)}
    for other, kind in synonyms().items():  # a hand-made list knows better than the encoder
        if other in place and kind in place:
            vectors[place[other]] = functional.normalize(vectors[place[other]] + vectors[place[kind]], dim=0)
    targets = _projected(vectors, len(known))
    parts = [phrase for phrase in part_texts() if phrase.text not in place and phrase.meant in place]
    meant = torch.tensor([place[phrase.meant] for phrase in parts], dtype=torch.long)
    texts = [*known, *pairs, *(phrase.text for phrase in parts)]
    return Texts(texts, torch.cat([targets, targets[meant]]), len(known))


def _few(texts: list[str], count: int) -> list[str]:
    """Take some, the same whatever the others are."""
    return sorted(sorted(texts, key=hashed)[:count])


def _encoded(wheel: Path, wordnet: WordNet, texts: list[str], folder: Path) -> Float[Tensor, "t e"]:
    """Add MiniLM's vectors of a phrase and of the phrase with its meaning."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    encoder: MiniLM | None = None
    found = []
    for start in range(0, len(texts), AT_ONCE):
        some = [texts[number] for number in ordered[start : start + AT_ONCE]]
        file = folder / f"{hashed(*some):016x}.pt"
        if not file.is_file():
            encoder = encoder or MiniLM.read(wheel)
            said = [f"{text}: {wordnet.meaning(text)}" if wordnet.meaning(text) else text for text in some]
            summed = torch.cat(list(encoder.encode(some))) + torch.cat(list(encoder.encode(said)))
            write_whole(file, summed.half())
            print(f"{start + len(some)} of {len(texts)} phrases encoded", flush=True)
        found.append(torch.load(file, weights_only=True).float())
    vectors = torch.empty(len(texts), found[0].shape[1])
    vectors[torch.tensor(ordered)] = torch.cat(found)
    return vectors


def _projected(vectors: Float[Tensor, "t e"], n_known: int) -> Float[Tensor, "t d"]:
    """Take the mean off and keep the directions in which the vocabulary differs most."""
    mean = vectors[:n_known].mean(0)
    centered = functional.normalize(vectors - mean, dim=1)
    _, basis = torch.linalg.eigh(centered[:n_known].T.double() @ centered[:n_known].double())
    return functional.normalize(centered @ basis[:, -EMBED:].flip(1).float(), dim=1)
