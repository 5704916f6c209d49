"""What mini2 is made of, and how it is written: open_clip's form, in half precision."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.model import CLIP
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from s4tok.shapes import Float, Int

SIZE, PATCH, WIDTH, LAYERS, EMBED = 112, 16, 256, 6, 256
GRID = SIZE // PATCH
CONTEXT = 24  # tokens of a text
MODEL: dict[str, Any] = {
    "embed_dim": EMBED,
    "vision_cfg": {
        "image_size": SIZE, "patch_size": PATCH, "layers": LAYERS, "width": WIDTH, "head_width": 64, "pool_type": "tok",
    },
    "text_cfg": {"context_length": CONTEXT, "vocab_size": 49408, "width": 128, "heads": 2, "layers": 4},
}  # fmt: skip
MEAN, STD = 0.5, 0.3  # of pixels; one for all three colours, so that grey pictures stay grey
PREPROCESSING = {"mean": [MEAN] * 3, "std": [STD] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}
WEIGHTS, CONFIG = "open_clip_model.safetensors", "open_clip_config.json"


def new_model(seed: int) -> CLIP:
    """Make the model, its weights drawn by a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CLIP(**MODEL, output_dict=True)


def text_tower(model: nn.Module) -> dict[str, nn.Parameter]:
    """Give the weights of the text tower by name."""
    named = model.named_parameters()
    return {name: weight for name, weight in named if not name.startswith(("visual", "logit"))}


@cache  # it takes half a second to make
def tokenizer() -> Any:
    """Give CLIP's tokenizer."""
    return open_clip.SimpleTokenizer(context_length=CONTEXT)


def tokenize(texts: list[str]) -> Int[Tensor, "t n"]:
    """Split texts into CLIP's tokens, as many columns as the longest has."""
    tokens: Tensor = tokenizer()(texts)
    return tokens[:, : int((tokens != 0).sum(1).max())]


def encode(model: Any, tokens: Int[Tensor, "t n"]) -> Float[Tensor, "t d"]:
    """Encode texts as open_clip does, without the columns after the longest; no text attends to what follows it."""
    n = tokens.shape[1]
    x = model.token_embedding(tokens) + model.positional_embedding[:n]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:n, :n]))
    return functional.normalize(x[torch.arange(len(x)), tokens.argmax(1)] @ model.text_projection, dim=1)


def write(model: nn.Module, folder: Path) -> None:
    """Write the model in half precision, as open_clip lays it out."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: weight.half().contiguous() for name, weight in model.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESSING}
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
