"""Models of open_clip's: an image tower and a text tower that share a space."""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor

from s4tok.dependencies import first_line, load
from s4tok.errors import InputError, MissingError, UsageError
from s4tok.shapes import Float
from s4tok.vision.known_words import KnownWords
from s4tok.vision.network import Network, sha256_of_file, sha256_of_weights, unit
from s4tok.vision.plain_clip import PlainClip, load_plain, tokenize
from s4tok.vision.vision_model import Capability
from s4tok.vision.weights import CLIP, FOLDER, Weights, bare_name, find

Kind = TypeVar("Kind", bound="OpenClipNetwork")


@dataclass(frozen=True)
class OpenClipNetwork(Network):
    """A frozen model of open_clip's."""

    tokenizer: str  # what open_clip finds its tokenizer by
    is_random: bool = False  # its weights were drawn
    known_words: KnownWords | None = None

    can: ClassVar[frozenset[Capability]] = frozenset({"dense", "whole", "text"})

    @classmethod
    def load(cls: type[Kind], name: str, pretrained: str | None = "", device: str = "cpu", *, seed: int = 0) -> Kind:
        """Load a model: an open_clip name with a tag or a file, a folder, "hf-hub:owner/model", or "mini".

        On a GPU its weights are bfloat16, its norms float32. An open_clip name with the weights "" has some drawn at
        random from `seed`, which is good for tests and measurements and nothing else; with None it has the usual ones.

        Raises:
            MissingError: When its weights are not here and cannot be fetched, within seconds.
            InputError: When its file or folder is not what the architecture expects.
            UsageError: When it is unknown, or of another kind.
        """
        name = name.removeprefix(CLIP)
        weights = find(cls.architecture(name), cls.usual if pretrained is None else pretrained)
        model = _build(weights, device, seed)
        visual = model.visual
        cls.require_fitting(name, visual)
        preprocessing: dict[str, Any] = visual.preprocess_cfg
        height, width = visual.image_size
        if height != width:
            raise UsageError(f"{name} takes pictures of {height} x {width} pixels, and the views here are square.")
        return cls(
            model=model,
            name=bare_name(name),
            sha256=sha256_of_file(weights.file) if weights.file else sha256_of_weights(model),
            size=height,
            mean=tuple(preprocessing["mean"]),
            std=tuple(preprocessing["std"]),
            interpolation=str(preprocessing["interpolation"]),
            tokenizer=weights.model,
            is_random=weights.file is None,
            known_words=None if weights.file is None else KnownWords.beside(weights.file.parent),
        )

    @classmethod
    def architecture(cls, name: str) -> str:
        """Give what open_clip calls a model of this name."""
        return name

    @classmethod
    def require_fitting(cls, name: str, visual: Any) -> None:
        """Refuse an image tower of another kind."""
        raise NotImplementedError

    @torch.inference_mode()
    def text(self, prompts: Sequence[str]) -> Float[Tensor, "t d"]:
        """Turn each prompt into a vector of unit length."""
        tokens = self._tokenize(list(prompts)).to(self.device)
        model: Any = self.model
        return unit(model.encode_text(tokens))

    def _tokenize(self, prompts: list[str]) -> Tensor:
        if isinstance(self.model, PlainClip):
            return tokenize(prompts, self.model.context_length)
        try:
            tokens: Tensor = _tokenizer(self.tokenizer)(prompts)
        except Exception as error:  # whatever a tokenizer from the hub may raise
            raise MissingError(
                f"the tokenizer of {self.name} cannot be loaded: {first_line(error)}.",
                "pip install transformers, and load the model once where the hub can be reached.",
            ) from error
        return tokens


@lru_cache(maxsize=4)  # it takes half a second to make
def _tokenizer(name: str) -> Callable[[list[str]], Tensor]:
    made: Callable[[list[str]], Tensor] = load("open_clip").get_tokenizer(name)
    return made


def _build(weights: Weights, device: str, seed: int) -> Any:
    try:
        is_here = weights.model.startswith(FOLDER) and torch.device(device).type == "cpu"
        model = load_plain(Path(weights.model.removeprefix(FOLDER))) if is_here else None
        return (model or _by_open_clip(weights, device, seed)).eval().requires_grad_(False)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # open_clip has no error of its own; a foreign file may trip it anywhere
        raise InputError(
            f"{weights.file or weights.model} cannot be loaded as {weights.model}: {first_line(error)}.",
            "name the architecture the weights belong to with --clip.",
        ) from error


def _by_open_clip(weights: Weights, device: str, seed: int) -> Any:
    open_clip = load("open_clip")
    more: dict[str, Any] = {}
    if weights.quick_gelu is not None:
        more["quick_gelu"] = weights.quick_gelu
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), _quiet():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        return open_clip.create_model(
            weights.model,
            pretrained=str(weights.file) if weights.file and not weights.model.startswith(FOLDER) else None,
            precision="bf16" if torch.device(device).type == "cuda" else "fp32",
            device=device,
            force_preprocess_cfg=weights.preprocessing or None,
            pretrained_text=False,
            **more,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep open_clip from telling the root logger that weights are random, when they are so as asked."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)
