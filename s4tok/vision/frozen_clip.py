"""A frozen CLIP: pictures in, one vector for the whole and one for each patch out; words in, one vector each out."""

import hashlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from s4tok.dependencies import first_line, load
from s4tok.errors import InputError, MissingError, UsageError
from s4tok.shapes import Float
from s4tok.vision.weights import FOLDER, HUB, Weights, find

Dense = Literal["last", "maskclip"]


class ImageFeatures(NamedTuple):
    """What CLIP sees in each picture; all vectors have unit length and lie in the space of the texts."""

    whole: Float[Tensor, "b d"]
    patches: Float[Tensor, "b gh gw d"]


@dataclass(frozen=True)
class FrozenClip:
    """A CLIP of open_clip's that nothing changes any more, and what its pictures have to be like."""

    model: nn.Module
    name: str  # without the folder it came from
    sha256: str  # of the file of its weights
    size: int  # pixels, square
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str
    tokenizer: str  # what open_clip finds its tokenizer by

    @classmethod
    def load(cls, name: str, pretrained: str = "", device: str = "cpu", *, seed: int = 0) -> "FrozenClip":
        """Load a CLIP: an open_clip name with a tag or a file, a folder, "hf-hub:owner/model", or "mini".

        On a GPU its weights are bfloat16, its norms float32. An open_clip name without `pretrained` has weights drawn
        at random from `seed`, which is good for tests and measurements and nothing else.

        Raises:
            MissingError: When its weights are not here and cannot be fetched, within seconds.
            InputError: When its file or folder is not what the architecture expects.
            UsageError: When it is unknown, or no vision transformer.
        """
        weights = find(name, pretrained)
        model = _build(weights, device, seed)
        visual = model.visual
        if not hasattr(visual, "ln_post") or getattr(visual, "attn_pool", None) is not None:
            raise UsageError(
                f"{name} is no plain vision transformer, and has no features of patches in the space of its texts.",
                "the models called ViT-* without SigLIP are.",
            )
        preprocessing: dict[str, Any] = visual.preprocess_cfg
        height, width = visual.image_size
        if height != width:
            raise UsageError(f"{name} takes pictures of {height} x {width} pixels, and the views here are square.")
        return cls(
            model=model,
            name=Path(name.removeprefix(FOLDER)).name if weights.model.startswith(FOLDER) and HUB not in name else name,
            sha256=_sha256_of_file(weights.file) if weights.file else sha256_of_weights(model),
            size=height,
            mean=tuple(preprocessing["mean"]),
            std=tuple(preprocessing["std"]),
            interpolation=str(preprocessing["interpolation"]),
            tokenizer=weights.model,
        )

    @property
    def device(self) -> torch.device:
        """Say where it computes."""
        return next(self.model.parameters()).device

    @property
    def width(self) -> int:
        """Give the length d of its vectors."""
        return int(self.model.visual.proj.shape[1])  # type: ignore[union-attr, index]

    @property
    def identity(self) -> dict[str, Any]:
        """Give what a cache made with it has to remember."""
        return {
            "clip": self.name, "weights": self.sha256, "size": self.size,
            "mean": list(self.mean), "std": list(self.std), "interpolation": self.interpolation,
        }  # fmt: skip

    def prepare(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 3 size size"]:
        """Turn square pictures of 0 .. 1, grey or coloured, into what the model was trained on."""
        images = images.to(self.device, torch.float32)
        if images.shape[-2:] != (self.size, self.size):
            mode = self.interpolation if self.interpolation in ("bicubic", "bilinear") else "bicubic"
            images = functional.interpolate(
                images, (self.size, self.size), mode=mode, align_corners=False, antialias=True
            ).clamp(0, 1)
        mean, std = (images.new_tensor(three).view(1, 3, 1, 1) for three in (self.mean, self.std))
        return (images.expand(-1, 3, -1, -1) - mean) / std

    @torch.inference_mode()
    def encode_images(self, images: Float[Tensor, "b c h w"], dense: Dense = "last") -> ImageFeatures:
        """See square pictures of 0 .. 1: each as a whole, and each of its patches.

        `last` takes the tokens the last layer puts out, as PointCLIP V2 does; `maskclip` lets every token of the
        last layer attend to itself alone, so that it says what is there and not what is important elsewhere.
        """
        visual: Any = self.model.visual
        tokens = visual._embeds(self.prepare(images).to(visual.conv1.weight.dtype))
        *blocks, last = visual.transformer.resblocks
        for block in blocks:
            tokens = block(tokens)
        seen = last(tokens)
        whole, _ = visual._pool(seen)
        if dense == "maskclip":
            length = tokens.shape[1]
            alone = torch.full((length, length), -torch.inf, device=tokens.device).fill_diagonal_(0)
            seen = last(tokens, attn_mask=alone)
        patches = visual.ln_post(seen[:, 1:]) @ visual.proj
        patches = patches.unflatten(1, visual.grid_size)
        return ImageFeatures(_unit(whole @ visual.proj), _unit(patches))

    @torch.inference_mode()
    def encode_texts(self, prompts: Sequence[str]) -> Float[Tensor, "t d"]:
        """Turn each prompt into a vector of unit length."""
        tokens = self._tokenize(list(prompts)).to(self.device)
        model: Any = self.model
        return _unit(model.encode_text(tokens))

    def _tokenize(self, prompts: list[str]) -> Tensor:
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
    open_clip = load("open_clip")
    more: dict[str, Any] = {}
    if weights.quick_gelu is not None:
        more["quick_gelu"] = weights.quick_gelu
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), _quiet():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        try:
            model = open_clip.create_model(
                weights.model,
                pretrained=str(weights.file) if weights.file and not weights.model.startswith(FOLDER) else None,
                precision="bf16" if torch.device(device).type == "cuda" else "fp32",
                device=device,
                force_preprocess_cfg=weights.preprocessing or None,
                pretrained_text=False,
                **more,
            )
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # open_clip has no error of its own; a foreign file may trip it anywhere
            raise InputError(
                f"{weights.file or weights.model} cannot be loaded as {weights.model}: {first_line(error)}.",
                "name the architecture the weights belong to with --clip.",
            ) from error
    return model.eval().requires_grad_(False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep open_clip from telling the root logger that weights are random, when they are so as asked."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)


def _unit(vectors: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
    return functional.normalize(vectors.float(), dim=-1)


def _sha256_of_file(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_weights(model: nn.Module) -> str:
    """Hash a module's parameters and buffers, by name, kind and value."""
    state = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        state.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        state.update(tensor.cpu().contiguous().view(torch.uint8).numpy().data if tensor.ndim else b"")
    return state.hexdigest()
