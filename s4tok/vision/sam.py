"""SAM: masks of everything in an image, asked for by a grid of points, through the library transformers."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from PIL import Image

from s4tok.config import SamMaskConfig
from s4tok.dependencies import first_line, load
from s4tok.errors import InputError, MissingError
from s4tok.geometry.masks import stacked, without_small
from s4tok.shapes import Array, Bool, Int32, UInt8
from s4tok.vision.hub import hub_folder
from s4tok.vision.network import sha256_of_file, sha256_of_weights
from s4tok.vision.vision_model import Capability, DepthImage, VisionModel
from s4tok.vision.weights import HUB

# Rows, their repositories, and what random weights need to know of a SAM's size: width, layers, heads, global layers.
ARCHITECTURES: Mapping[str, str] = {
    "sam": "facebook/sam-vit-huge",
    "sam-large": "facebook/sam-vit-large",
    "sam-base": "facebook/sam-vit-base",
    "sam2": "facebook/sam2.1-hiera-large",
    "sam2-tiny": "facebook/sam2.1-hiera-tiny",
}
SIZES: Mapping[str, tuple[int, int, int, list[int]]] = {
    "sam": (1280, 32, 16, [7, 15, 23, 31]),
    "sam-large": (1024, 24, 16, [5, 11, 17, 23]),
    "sam-base": (768, 12, 12, [2, 5, 8, 11]),
}
FILES = ("config.json", "model.safetensors", "preprocessor_config.json")
AT_EDGE = 20.0  # pixels; a mask that ends so near to an inner edge of a crop is cut off there. segment-anything's


class Crop(NamedTuple):
    """A part of an image that is asked by itself."""

    left: int
    top: int
    right: int
    bottom: int
    layer: int  # 0 for the whole


@dataclass(frozen=True)
class Sam(VisionModel):
    """Ask a frozen SAM about the whole image and about overlapping crops of it, and keep what it is sure of."""

    generator: Any  # transformers' pipeline of one image
    name: str
    sha256: str
    config: SamMaskConfig = field(default_factory=SamMaskConfig)
    can: ClassVar[frozenset[Capability]] = frozenset({"masks"})
    key: ClassVar[str] = "masks"

    @classmethod
    def load(cls, name: str, pretrained: str | None = None, device: str = "cpu", *, seed: int = 0) -> "Sam":
        """Load a row of the table: from its hub, from a folder as the hub has it, or with random weights.

        Raises:
            MissingError: Without transformers, and for weights that are not here and cannot be fetched.
            InputError: For a folder that holds none.
        """
        transformers = _transformers()
        if pretrained == "":
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model, processor = _drawn(transformers, name)
            return cls(_generator(transformers, model, processor, device), name, sha256_of_weights(model))
        folder = _folder(name, pretrained)
        try:
            model = transformers.AutoModelForMaskGeneration.from_pretrained(folder, local_files_only=True)
            processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # a foreign folder may trip it anywhere
            raise InputError(f"{folder} cannot be loaded as a SAM: {first_line(error)}.") from error
        return cls(_generator(transformers, model, processor, device), name, sha256_of_file(folder / FILES[1]))

    @property
    def identity(self) -> Mapping[str, Any]:
        """Give the name, the hash of the weights, and the settings."""
        return {self.key: self.name, "weights": self.sha256, **asdict(self.config)}

    def masks(self, image: DepthImage) -> Int32[Array, "h w"]:
        """Give the masks of the colours; where several lie on a pixel it is in the smallest."""
        height, width = image.depth.shape
        found, boxes, priority = list[Bool[Array, "h w"]](), list[list[int]](), list[float]()
        for crop in crops(height, width, self.config):
            for mask in self._of_crop(image.color, crop):
                box = box_of(mask)
                if not is_cut_off(box, crop, height, width):
                    found.append(mask)
                    boxes.append(box)
                    priority.append(1 / ((crop.right - crop.left) * (crop.bottom - crop.top)))
        if not found:
            return np.zeros((height, width), np.int32)
        nms = load("torchvision.ops").nms
        kept = nms(torch.tensor(boxes).float(), torch.tensor(priority), self.config.crop_overlap_most).tolist()
        return without_small(stacked(np.stack([found[each] for each in sorted(kept)])), self.config.smallest)

    @torch.inference_mode()
    def _of_crop(self, color: UInt8[Array, "h w 3"], crop: Crop) -> Iterator[Bool[Array, "h w"]]:
        """Give the masks of a crop that have enough pixels, in the whole image."""
        config = self.config
        part = Image.fromarray(np.ascontiguousarray(color[crop.top : crop.bottom, crop.left : crop.right]))
        said = self.generator(
            part,
            points_per_crop=max(config.points // config.crop_downscale**crop.layer, 1),
            points_per_batch=config.points_at_once,
            pred_iou_thresh=config.predicted_iou,
            stability_score_thresh=config.stability,
            crops_nms_thresh=config.box_overlap_most,
        )["masks"]
        for each in said:
            mask = np.asarray(each, dtype=bool)
            if mask.sum() >= config.smallest:
                placed = np.zeros(color.shape[:2], dtype=bool)
                placed[crop.top : crop.bottom, crop.left : crop.right] = mask
                yield placed


def crops(height: int, width: int, config: SamMaskConfig) -> list[Crop]:
    """Give the whole image, and in each layer twice as many crops a side, which overlap as segment-anything's do."""
    found = [Crop(0, 0, width, height, 0)]
    for layer in range(1, config.crop_layers + 1):
        sides = 2**layer
        overlap = int(config.crop_overlap * min(height, width) * 2 / sides)
        wide, high = (ceil((overlap * (sides - 1) + length) / sides) for length in (width, height))
        for column, row in product(range(sides), repeat=2):
            left, top = (wide - overlap) * column, (high - overlap) * row
            found.append(Crop(left, top, min(left + wide, width), min(top + high, height), layer))
    return found


def box_of(mask: Bool[Array, "h w"]) -> list[int]:
    """Give the first column and row of a mask, and the ones behind its last."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]


def is_cut_off(box: list[int], crop: Crop, height: int, width: int) -> bool:
    """Say whether a mask ends at an edge of its crop that is none of the image: a neighbour has it whole."""
    edges = zip(box, crop[:4], (0, 0, width, height), strict=True)
    return any(abs(end - edge) <= AT_EDGE and abs(end - outer) > AT_EDGE for end, edge, outer in edges)


def _transformers() -> Any:
    try:
        return import_module("transformers")
    except ImportError as error:
        hint = 'pip install "s4tok[sam]", or write masks into a folder by another program: --model DIR.'
        raise MissingError("transformers, which has SAM, is not here.", hint) from error


def _generator(transformers: Any, model: Any, processor: Any, device: str) -> Any:
    model = model.eval().requires_grad_(False)
    return transformers.MaskGenerationPipeline(model=model, image_processor=processor, device=torch.device(device))


def _folder(name: str, pretrained: str | None) -> Path:
    if pretrained is None:
        repository = f"{HUB}{ARCHITECTURES.get(name, name.removeprefix('sam:'))}"
        call = f"from s4tok.vision.sam import Sam; Sam.load('{name}')"
        return hub_folder(repository, FILES, call)
    folder = Path(pretrained)
    lacking = [file for file in FILES if not (folder / file).is_file()]
    if lacking:
        raise InputError(f"{folder} holds no SAM as its hub has it: no {', '.join(lacking)}.")
    return folder


def _drawn(transformers: Any, name: str) -> tuple[Any, Any]:
    """Build a model of a row's size, and its preprocessing."""
    if name not in SIZES:
        return transformers.Sam2Model(transformers.Sam2Config()), transformers.Sam2ImageProcessor()
    width, layers, heads, whole = SIZES[name]
    vision = {
        "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads, "global_attn_indexes": whole,
    }  # fmt: skip
    config = transformers.SamConfig(vision_config=vision)
    return transformers.SamModel(config), transformers.SamImageProcessor()
