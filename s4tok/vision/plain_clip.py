"""A small CLIP read from open_clip's form without open_clip, which takes seconds to import.

Modules, names and arithmetic are those that open_clip builds from the same folder, so features and texts are the same
to the bit; what is not a plain vision transformer beside a plain text transformer is left to open_clip.
"""

import json
import math
from collections import OrderedDict
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from s4tok.dependencies import load
from s4tok.shapes import Float, Int
from s4tok.vision.weights import CONFIG

WEIGHTS = "open_clip_model.safetensors"
OF_MODEL = {"embed_dim", "vision_cfg", "text_cfg"}
OF_IMAGES = {"image_size", "patch_size", "layers", "width", "head_width", "pool_type"}
OF_TEXTS = {"context_length", "vocab_size", "width", "heads", "layers"}


class Block(nn.Module):
    """One layer of a transformer."""

    def __init__(self, width: int, heads: int) -> None:
        """Make it with weights that are to be loaded."""
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        hidden = 4 * width
        layers = {"c_fc": nn.Linear(width, hidden), "gelu": nn.GELU(), "c_proj": nn.Linear(hidden, width)}
        self.mlp = nn.Sequential(OrderedDict(layers))

    def forward(self, x: Float[Tensor, "b l d"], attn_mask: Float[Tensor, "..."] | None = None) -> Tensor:
        """Let each token attend to those that the mask allows."""
        normed = self.ln_1(x)
        mask = None if attn_mask is None else attn_mask.to(x.dtype)
        x = x + self.attn(normed, normed, normed, need_weights=False, attn_mask=mask)[0]
        read: Tensor = x + self.mlp(self.ln_2(x))
        return read


class Transformer(nn.Module):
    """The layers of one."""

    def __init__(self, width: int, layers: int, heads: int) -> None:
        """Make them with weights that are to be loaded."""
        super().__init__()
        self.grad_checkpointing = False
        self.resblocks = nn.ModuleList(Block(width, heads) for _ in range(layers))

    def forward(self, x: Float[Tensor, "b l d"], attn_mask: Float[Tensor, "..."] | None = None) -> Tensor:
        """Go through all layers."""
        for block in self.resblocks:
            if self.grad_checkpointing and torch.is_grad_enabled():
                x = checkpoint(block, x, attn_mask, use_reentrant=False)
            else:
                x = block(x, attn_mask)
        return x


class ImageTower(nn.Module):
    """A vision transformer whose first token stands for the whole picture."""

    attn_pool = None
    pool_type = "tok"

    def __init__(self, config: dict[str, Any], output: int) -> None:
        """Make it with weights that are to be loaded."""
        super().__init__()
        size, patch, width = config["image_size"], config["patch_size"], config["width"]
        self.image_size, self.grid_size = (size, size), (size // patch, size // patch)
        self.preprocess_cfg: dict[str, Any] = {}
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty(self.grid_size[0] * self.grid_size[1] + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(width, config["layers"], width // config["head_width"])
        self.proj = nn.Parameter(torch.empty(width, output))

    def _embeds(self, pictures: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b l d"]:
        patches = self.conv1(pictures).flatten(2).permute(0, 2, 1)
        first = self.class_embedding.expand(len(patches), 1, -1)
        embedded: Tensor = self.ln_pre(torch.cat([first, patches], dim=1) + self.positional_embedding)
        return embedded

    def _pool(self, read: Float[Tensor, "b l d"]) -> tuple[Float[Tensor, "b d"], Float[Tensor, "b p d"]]:
        read = self.ln_post(read)
        return read[:, 0], read[:, 1:]


class PlainClip(nn.Module):
    """Both towers."""

    attn_mask: Tensor

    def __init__(self, config: dict[str, Any]) -> None:
        """Make it with weights that are to be loaded."""
        super().__init__()
        texts, output = config["text_cfg"], config["embed_dim"]
        self.context_length = texts["context_length"]
        self.visual = ImageTower(config["vision_cfg"], output)
        self.transformer = Transformer(texts["width"], texts["layers"], texts["heads"])
        self.token_embedding = nn.Embedding(texts["vocab_size"], texts["width"])
        self.positional_embedding = nn.Parameter(torch.empty(self.context_length, texts["width"]))
        self.ln_final = nn.LayerNorm(texts["width"])
        self.text_projection = nn.Parameter(torch.empty(texts["width"], output))
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        later = torch.full((self.context_length, self.context_length), -math.inf).triu(1)
        self.register_buffer("attn_mask", later, persistent=False)

    def encode_text(self, tokens: Int[Tensor, "t l"]) -> Float[Tensor, "t d"]:
        """Read texts; the last token of each, which has the highest number, has read all of it."""
        x = self.token_embedding(tokens) + self.positional_embedding
        x = self.ln_final(self.transformer(x, attn_mask=self.attn_mask))
        read: Tensor = x[torch.arange(len(x)), tokens.argmax(dim=-1)] @ self.text_projection
        return read


def load_plain(folder: Path) -> PlainClip | None:
    """Load a folder's model, or give None where it takes open_clip."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    if not (folder / WEIGHTS).is_file() or not _is_plain(config["model_cfg"]):
        return None
    model = PlainClip(config["model_cfg"])
    model.load_state_dict(load_file(folder / WEIGHTS))
    model.visual.preprocess_cfg = config["preprocess_cfg"]
    return model


def _is_plain(model: dict[str, Any]) -> bool:
    parts = ((model, OF_MODEL), (model.get("vision_cfg", {}), OF_IMAGES), (model.get("text_cfg", {}), OF_TEXTS))
    return all(set(part) == names for part, names in parts) and model["vision_cfg"]["pool_type"] == "tok"


def tokenize(texts: list[str], length: int) -> Int[Tensor, "t length"]:
    """Split texts into tokens, as open_clip does."""
    tokens: Tensor = _tokenizers().tokenize(texts, context_length=length)
    return tokens


@cache
def _tokenizers() -> ModuleType:
    """Import the one module of open_clip's that splits texts, and none of the others, which import torchvision."""
    package = find_spec("open_clip")
    if package is None or package.origin is None:
        return load("open_clip")
    spec = spec_from_file_location("s4tok_open_clip_tokenizer", Path(package.origin).with_name("tokenizer.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
