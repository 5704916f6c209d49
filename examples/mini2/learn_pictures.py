"""Train mini2's image tower towards its locked text tower, on pictures that `draw_pictures.py` has drawn.

A picture, and every patch of it, is to be as near to each phrase as its own name is: the texts' own likeness is the
target, so that couch and sofa do not fight, and words that no picture has are near to what they resemble. Stopped, it
goes on bit for bit; the model is written at every check.
"""

import argparse
import math
import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ahead import Ahead
from form import GRID, MEAN, STD, WIDTH, encode, new_model, tokenize, write
from phrases import OF_THING
from picture_book import Book, Said, left_out
from pictures import STYLES, Pictures
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional
from training import train

from s4tok.datasets.sh3d import SH3D
from s4tok.randomness import seed_of
from s4tok.shapes import Float, Int
from s4tok.synthetic.categories import CATEGORIES
from s4tok.vision.known_words import FILE


def main(arguments: list[str] | None = None) -> None:
    """Train, check and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--words", type=Path, required=True, help="folder that learn_words.py has written")
    parser.add_argument("--pictures", type=Path, required=True, help="folder that draw_pictures.py has filled")
    parser.add_argument("--out", type=Path, required=True, help="folder of the state, and of the model: mini2/")
    parser.add_argument("--leave-out", type=int, default=0, help="classes of sh3d whose words and models are left out")
    parser.add_argument("--steps", type=int, default=16000)
    parser.add_argument("--every", type=int, default=500, help="steps between two checks")
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--shares", type=float, nargs=3, default=(0.4, 0.25, 0.35), help="of models, shapes, rooms")
    parser.add_argument("--soft", type=float, default=0.07, help="temperature of the texts' likeness")
    parser.add_argument("--cosine", type=float, default=0.5, help="weight of the distance to the text itself")
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--bf16", action="store_true", help="compute in bfloat16 where the device can")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches ahead, for a GPU")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    tower = Tower(chosen)
    kept = ("leave_out", "steps", "batch", "shares", "soft", "cosine", "lr", "bf16", "seed")
    facts = {name: getattr(chosen, name) for name in kept} | {"shares": list(chosen.shares)}
    train(tower, chosen.out, chosen.steps, chosen.every, facts)


class Tower:
    """The image tower on its way to the texts."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen, self.left_out = chosen, left_out(chosen.leave_out, chosen.seed)
        self.device = torch.device(chosen.device)
        self.book = Book(chosen.pictures / "train", self.left_out)
        self.batches = Ahead(self._batch, chosen.workers)
        print(f"{sum(len(each.depth) for each in self.book.items)} views, {len(self.book.phrases)} phrases", flush=True)
        if self.left_out:
            print(f"left out: {', '.join(self.left_out)}", flush=True)
        self.model: Any = new_model(chosen.seed)
        self.model.load_state_dict(load_file(chosen.words / "tower.safetensors"), strict=False)
        self.model.requires_grad_(False)
        self.vectors, self.weights = self._said(self.book.phrases).to(self.device), self.book.rarities().to(self.device)
        self.kinds, self.shapes = (self._classes(names) for names in (SH3D.categories, tuple(CATEGORIES)))
        _start_well(self.model.visual, chosen.seed)
        self.model.to(self.device)
        self.model.logit_scale.data.fill_(math.log(20))
        visual = self.model.visual.requires_grad_(True)
        self.plain = [p for p in visual.parameters() if p.ndim < 2] + [visual.positional_embedding]
        self.decayed = [visual.conv1.weight, visual.proj, *(p for p in visual.transformer.parameters() if p.ndim >= 2)]
        scale = self.model.logit_scale.requires_grad_(True)
        groups = [{"params": self.decayed, "weight_decay": 0.05}, {"params": [*self.plain, scale], "weight_decay": 0.0}]
        self.optimizer: torch.optim.Optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
        self.names, self.parts = (torch.from_numpy(each).to(self.device) for each in (self.book.names, self.book.parts))
        files = sorted((chosen.pictures / "val").glob("*.npz"))
        self.validation = [(file.name.startswith("model"), Pictures.read(file)) for file in files]

    @torch.inference_mode()
    def _said(self, texts: list[str]) -> Float[Tensor, "t d"]:
        runs = [texts[start : start + 512] for start in range(0, len(texts), 512)]
        return torch.cat([encode(self.model, tokenize(run)) for run in runs]).clone()

    def _classes(self, names: tuple[str, ...]) -> Float[Tensor, "c d"]:
        said = torch.stack([self._said([template.format(name) for name in names]) for template in OF_THING])
        return functional.normalize(said.mean(0), dim=1).to(self.device)

    def _batch(self, number: int) -> tuple[Float[Tensor, "b 3 h w"], Said, Int[Tensor, "b k"]]:
        """Make the batch of a step: pictures, what they are to be called, and the patches that are seen."""
        chosen = self.chosen
        rng = np.random.default_rng(seed_of(chosen.seed, "pictures", number))
        pictures, said = self.book.batch(chosen.batch, chosen.shares, rng)
        kept = torch.from_numpy(rng.random((chosen.batch, GRID * GRID))).argsort(1)
        if number % 8 != 7 and number < 0.9 * chosen.steps:
            kept = kept[:, : GRID * GRID // 2]
        return pictures, said, kept

    def step(self, number: int) -> dict[str, float]:
        """See a batch, most times half of its patches, and come nearer to what it is called."""
        chosen = self.chosen
        made = self.batches(number)
        pictures, kept = made[0].to(self.device), made[2].to(self.device)
        said = Said(*(each.to(self.device) for each in made[1]))
        warm = min(500, chosen.steps // 10 + 1)
        for group in self.optimizer.param_groups:
            group["lr"] = chosen.lr * min(1, (number + 1) / warm) * (1 - number / chosen.steps)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=chosen.bf16):
            whole, patches = see(self.model.visual, pictures, kept)
        losses = self._losses(whole.float(), patches.float(), kept, said)
        self.optimizer.zero_grad()
        sum(losses.values(), torch.zeros((), device=self.device)).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([*self.decayed, *self.plain], 1.0)
        self.optimizer.step()
        return {name: loss.item() for name, loss in losses.items()}

    def _losses(
        self, whole: Float[Tensor, "b d"], patches: Float[Tensor, "b k d"], kept: Int[Tensor, "b k"], said: Said
    ) -> dict[str, Float[Tensor, ""]]:
        flat = patches.flatten(0, 1)
        things, parts = (each.gather(1, kept).flatten() for each in (said.things, said.parts))
        told = said.whole >= 0
        near = 1 - (whole[told] * self.vectors[said.whole[told]]).sum(1)
        banks = torch.cat([self.names, self.parts])
        return {
            "whole": self._likeness(whole, said.whole, banks, None),
            "distance": self.chosen.cosine * near.sum() / max(len(near), 1),
            "things": 0.5 * self._likeness(flat, things, self.names, self.weights),
            "parts": self._likeness(flat, parts, self.parts, self.weights),
        }

    def _likeness(
        self,
        seen: Float[Tensor, "k d"],
        said: Int[Tensor, " k"],
        bank: Int[Tensor, " p"],
        weights: Float[Tensor, " q"] | None,
    ) -> Float[Tensor, ""]:
        """Compare how alike what was seen is to the phrases of a bank with how alike its name is."""
        told = said >= 0
        if not told.any():
            return torch.zeros((), device=seen.device)
        of_bank, own = self.vectors[bank], said[told]
        wanted = functional.softmax(self.vectors[own] @ of_bank.T / self.chosen.soft, dim=1)
        scale = self.model.logit_scale.exp().clamp(max=100)
        loss = functional.cross_entropy(scale * seen[told] @ of_bank.T, wanted, reduction="none")
        weight = torch.ones_like(loss) if weights is None else weights[own]
        return (weight * loss).sum() / weight.sum()

    @torch.inference_mode()
    def check(self) -> dict[str, float]:
        """Name the validation's things by the mean over ten views, in either style, and write the model."""
        figures, right = dict[str, float](), dict[str, list[bool]]()
        for is_model, item in self.validation:
            classes, names = (self.kinds, SH3D.categories) if is_model else (self.shapes, tuple(CATEGORIES))
            own = names.index(item.caption.kind)
            for style in STYLES:
                feature = self._feature(getattr(item, style))
                order = (classes @ feature).argsort(descending=True).tolist()
                what = f"{'models' if is_model else 'shapes'} {style}"
                right.setdefault(f"{what} top1", []).append(order[0] == own)
                if is_model:
                    right.setdefault(f"{what} top5", []).append(own in order[:5])
                if is_model and item.caption.kind in self.left_out:
                    among = [number for number in order if names[number] in self.left_out]
                    right.setdefault(f"left out {style} top1", []).append(among[0] == own)
        figures |= {name: sum(values) / len(values) for name, values in right.items()}
        write(deepcopy(self.model).cpu(), self.chosen.out / "mini2")
        shutil.copyfile(self.chosen.words / FILE, self.chosen.out / "mini2" / FILE)
        return figures

    def _feature(self, images: Any) -> Float[Tensor, " d"]:
        shown = torch.from_numpy(images if images.ndim == 4 else images[..., None].repeat(3, axis=3))
        pictures = ((shown.permute(0, 3, 1, 2).float() / 255 - MEAN) / STD).to(self.device)
        every = torch.arange(GRID * GRID, device=self.device).expand(len(pictures), -1)
        return see(self.model.visual, pictures, every)[0].mean(0)


def see(
    visual: Any, pictures: Float[Tensor, "b 3 size size"], kept: Int[Tensor, "b k"]
) -> tuple[Float[Tensor, "b d"], Float[Tensor, "b k d"]]:
    """Run the tower on some patches of each picture; give unit vectors of the whole and of each patch."""
    tokens = visual.conv1(pictures).flatten(2).transpose(1, 2) + visual.positional_embedding[1:]
    tokens = tokens.gather(1, kept[..., None].expand(-1, -1, WIDTH))
    first = (visual.class_embedding + visual.positional_embedding[0]).expand(len(pictures), 1, -1)
    seen = visual.ln_post(visual.transformer(visual.ln_pre(torch.cat([first, tokens], dim=1)))) @ visual.proj
    seen = functional.normalize(seen, dim=-1)
    return seen[:, 0], seen[:, 1:]


def _start_well(visual: Any, seed: int) -> None:
    """Start from positions that know neighbours, and attention to what is alike."""
    generator = torch.Generator().manual_seed(seed)
    band = 30.0 ** (-torch.arange(WIDTH // 4) / (WIDTH // 4))
    angles = torch.arange(GRID)[:, None] * band
    along = torch.cat([angles.sin(), angles.cos()], dim=1)
    table = torch.cat([along[:, None].expand(-1, GRID, -1), along[None].expand(GRID, -1, -1)], dim=2)
    visual.positional_embedding.data[0] = 0
    visual.positional_embedding.data[1:] = 0.4 * table.flatten(0, 1)
    eye = torch.eye(WIDTH)
    for block in visual.transformer.resblocks:
        weight, out = block.attn.in_proj_weight.data, block.attn.out_proj.weight.data
        for head in range(0, WIDTH, 64):  # keys resemble queries, so that like attends to like
            u, s, v = torch.linalg.svd(0.7 * torch.randn(WIDTH, WIDTH, generator=generator) / WIDTH**0.5 + 0.7 * eye)
            weight[head : head + 64] = (u[:, :64] * s[:64].sqrt()).T
            weight[WIDTH + head : WIDTH + head + 64] = (v[:64].T * s[:64].sqrt()).T
        u, s, v = torch.linalg.svd(0.4 * torch.randn(WIDTH, WIDTH, generator=generator) / WIDTH**0.5 - 0.4 * eye)
        weight[2 * WIDTH :], out[:] = (v.T * s.sqrt()).T, u * s.sqrt()


if __name__ == "__main__":
    main()
