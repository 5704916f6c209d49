"""Train the mini CLIP from nothing, on depth views of the synthetic data.

First the text tower learns to say the vectors that `words.py` chooses, and is locked. Then the image tower learns from
the pictures of `lessons.py`: whole views and crops by the name of what they show, every patch by its part.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import open_clip
import torch
from lessons import NOTHING, SIZE, Lessons, lessons
from open_clip.model import CLIP
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from words import LEAVES, NAME_OF_LEAF, NAMES, OF_NAMES, OF_PARTS, PARTS, SYNONYMS, sentences

from s4tok.shapes import Bool, Float, Int
from s4tok.vision.known_words import KnownWords

PATCH, WIDTH, EMBED = 16, 192, 128
GRID = SIZE // PATCH
MODEL: dict[str, Any] = {
    "embed_dim": EMBED,
    "vision_cfg": {
        "image_size": SIZE, "patch_size": PATCH, "layers": 6, "width": WIDTH, "head_width": 64, "pool_type": "tok",
    },
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 3},
}  # fmt: skip
MEAN, STD = 0.45, 0.3
PREPROCESSING = {"mean": [MEAN] * 3, "std": [STD] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}
WEIGHTS = "open_clip_model.safetensors"
CELLS = 4  # places a patch's side is looked up at to tell what it shows
BALANCE = 0.6  # rare parts weigh as their frequency to minus this


class Told(NamedTuple):
    """The locked texts: every template's vector of every name and every part."""

    names: Float[Tensor, "t c d"]
    parts: Float[Tensor, "u p d"]


class Answers(NamedTuple):
    """What a batch of crops shows."""

    name: Int[Tensor, " b"]  # of the whole crop; -1 where it is no one thing
    part: Int[Tensor, " b"]  # where one part fills the crop; -1 elsewhere
    leaf: Int[Tensor, "b patches"]  # of each patch; -1 where no leaf fills half of it


def main(arguments: list[str] | None = None) -> None:
    """Train, and write the model as open_clip reads it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("mini_clip"), help="folder of the model")
    parser.add_argument("--lessons", type=Path, help="keep the pictures in this file, and take them from it again")
    parser.add_argument("--start", type=Path, help="folder of a model to go on from")
    parser.add_argument("--shapes", type=int, default=2000, help="shapes to draw")
    parser.add_argument("--rooms", type=int, default=150, help="rooms of each kind to draw")
    parser.add_argument("--turned", type=float, default=0.5, help="share of shapes seen from directions of their own")
    parser.add_argument("--zoomed", type=float, default=0.6, help="share of pictures of which a part is cut out")
    parser.add_argument("--room-share", type=float, default=0.4, help="share of a batch that shows rooms")
    parser.add_argument("--words", type=int, default=300, help="steps of the text tower")
    parser.add_argument("--steps", type=int, default=4500, help="steps of the image tower")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    torch.manual_seed(chosen.seed)
    started, processor = time.monotonic(), time.process_time()
    book = drawn(chosen.lessons, chosen.shapes, chosen.rooms, chosen.turned, chosen.seed)
    print(f"{len(book.images)} pictures, {time.monotonic() - started:.0f} s", flush=True)
    model = CLIP(**MODEL, output_dict=True)
    start_well(model.visual)
    if chosen.start:
        model.load_state_dict({name: weight.float() for name, weight in load_file(chosen.start / WEIGHTS).items()})
    told = teach_words(model, 0 if chosen.start else chosen.words)
    teach_pictures(model, book, told, chosen)
    write(model, chosen.out)
    minutes = (time.process_time() - processor) / 60
    print(f"{chosen.out}: {chosen.steps * chosen.batch} pictures seen, {minutes:.1f} minutes of processor time")


def drawn(file: Path | None, n_shapes: int, n_rooms: int, turned: float, seed: int) -> Lessons:
    """Draw the pictures, or read them if they were drawn before."""
    if file and file.is_file():
        return Lessons(**torch.load(file, weights_only=True))
    parts = list(lessons(n_shapes, n_rooms, turned, seed))
    book = Lessons(*(torch.cat([getattr(part, name) for part in parts]) for name in Lessons._fields))
    if file:
        torch.save(book._asdict(), file)
    return book


def start_well(visual: Any) -> None:
    """Start from positions that know neighbours, and attention to them."""
    band = 30.0 ** (-torch.arange(WIDTH // 4) / (WIDTH // 4))
    angles = torch.arange(GRID)[:, None] * band
    along = torch.cat([angles.sin(), angles.cos()], dim=1)
    table = torch.cat([along[:, None].expand(-1, GRID, -1), along[None].expand(GRID, -1, -1)], dim=2)
    visual.positional_embedding.data[0] = 0
    visual.positional_embedding.data[1:] = 0.4 * table.flatten(0, 1)
    for block in visual.transformer.resblocks:
        weight, out = block.attn.in_proj_weight.data, block.attn.out_proj.weight.data
        for head in range(0, WIDTH, 64):  # keys resemble queries, so that like attends to like
            u, s, v = torch.linalg.svd(0.7 * torch.randn(WIDTH, WIDTH) / WIDTH**0.5 + 0.7 * torch.eye(WIDTH))
            weight[head : head + 64] = (u[:, :64] * s[:64].sqrt()).T
            weight[WIDTH + head : WIDTH + head + 64] = (v[:64].T * s[:64].sqrt()).T
        u, s, v = torch.linalg.svd(0.4 * torch.randn(WIDTH, WIDTH) / WIDTH**0.5 - 0.4 * torch.eye(WIDTH))
        weight[2 * WIDTH :], out[:] = (v.T * s.sqrt()).T, u * s.sqrt()


def teach_words(model: Any, steps: int) -> Told:
    """Fit the text tower to the chosen vectors and lock it; rows of words that never occur become zero."""
    tokenize = open_clip.SimpleTokenizer(context_length=MODEL["text_cfg"]["context_length"])
    known = sentences(EMBED)
    tokens = tokenize(known.texts)
    tower = [weight for name, weight in model.named_parameters() if not name.startswith(("visual", "logit"))]
    optimizer = torch.optim.AdamW(tower, weight_decay=0.0)
    for step in range(steps):
        set_rate(optimizer, 2e-3 * min(1, (step + 1) / 10) * (1 - step / steps))
        said = functional.normalize(model.encode_text(tokens), dim=1)
        loss = (1 - (said * known.vectors).sum(1)).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step == steps - 1:
            print(f"texts are {loss.item():.4f} from their vectors", flush=True)
    unused = torch.ones(MODEL["text_cfg"]["vocab_size"], dtype=torch.bool)
    unused[tokens.unique()] = False
    model.token_embedding.weight.data[unused] = 0
    for weight in tower:
        weight.requires_grad_(False)
    with torch.no_grad():
        said = functional.normalize(model.encode_text(tokens), dim=1)
    first_part = len(OF_NAMES) * (len(NAMES) + len(SYNONYMS))
    of_names = said[:first_part].view(len(OF_NAMES), -1, EMBED)[:, : len(NAMES)]  # a template's synonyms come last
    return Told(of_names, said[first_part:].view(len(OF_PARTS), -1, EMBED))


def teach_pictures(model: Any, book: Lessons, told: Told, chosen: argparse.Namespace) -> None:
    """Train the image tower; most steps see half of a picture's patches."""
    visual, steps, batch = model.visual, chosen.steps, chosen.batch
    if not chosen.start:
        model.logit_scale.data.fill_(math.log(20))
    plain = [p for p in visual.parameters() if p.ndim < 2] + [visual.positional_embedding, model.logit_scale]
    decayed = [visual.conv1.weight, visual.proj, *(p for p in visual.transformer.parameters() if p.ndim >= 2)]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    weights = rarities(book)
    shapes, rooms = (book.names != NOTHING).nonzero()[:, 0], (book.names == NOTHING).nonzero()[:, 0]
    right: list[float] = []
    started = time.monotonic()
    for step in range(steps):
        set_rate(optimizer, chosen.lr * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * step / steps)))
        n_rooms = round(batch * chosen.room_share)
        which = torch.cat([pick(shapes, batch - n_rooms), pick(rooms, n_rooms)])
        pictures, answers = crops(book, which, chosen.zoomed)
        whole_picture = step % 8 == 7 or step > 0.9 * steps
        kept = torch.rand(batch, GRID * GRID).argsort(1)
        kept = kept if whole_picture else kept[:, : GRID * GRID // 2]
        whole, patches = see(visual, pictures, kept)
        loss, share = lesson(whole, patches, kept, answers, told, model.logit_scale, weights)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*decayed, *plain], 1.0)
        optimizer.step()
        right.append(share)
        if (step + 1) % 100 == 0:
            pace = (step + 1) * batch / (time.monotonic() - started)
            known = sum(right[-100:]) / 100
            print(f"{step + 1}/{steps} loss {loss.item():.3f} named {known:.3f} pictures/s {pace:.0f}", flush=True)


def pick(among: Int[Tensor, " n"], count: int) -> Int[Tensor, " count"]:
    """Draw with replacement."""
    return among[torch.randint(len(among), (count,))]


def crops(
    book: Lessons, which: Int[Tensor, " b"], share_zoomed: float
) -> tuple[Float[Tensor, "b 3 size size"], Answers]:
    """Cut, mirror and dim pictures at random, and tell what is left to see of each."""
    b = len(which)
    image, leaf = book.images[which].float()[:, None] / 255, book.leaves[which].float()[:, None]
    name = book.names[which].long()
    of_room = name == NOTHING
    zoomed = torch.rand(b) < share_zoomed
    narrow = torch.where(of_room, 0.5, 0.25) + torch.rand(b) * torch.where(of_room, 0.45, 0.55)
    scale = torch.where(zoomed, narrow, torch.where(of_room, 1.0, 0.85 + 0.25 * torch.rand(b)))
    theta = torch.zeros(b, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = scale * torch.where(torch.rand(b) < 0.5, -1.0, 1.0), scale
    theta[:, :, 2] = (2 * torch.rand(b, 2) - 1) * (1 - scale[:, None]).clamp_min(0)
    fine = functional.affine_grid(theta, [b, 1, SIZE, SIZE], align_corners=False)
    image = functional.grid_sample(image - 1, fine, align_corners=False) + 1
    image = image * (0.85 + 0.3 * torch.rand(b, 1, 1, 1)) + 0.02 * torch.randn_like(image)
    coarse = functional.affine_grid(theta, [b, 1, GRID * CELLS, GRID * CELLS], align_corners=False)
    leaf = functional.grid_sample(leaf - NOTHING, coarse, mode="nearest", align_corners=False) + NOTHING
    pictures = ((image - MEAN) / STD).expand(-1, 3, -1, -1)
    return pictures, answers_of(leaf[:, 0].round().long(), name, zoomed)


def answers_of(leaf: Int[Tensor, "b rows columns"], name: Int[Tensor, " b"], zoomed: Bool[Tensor, " b"]) -> Answers:
    """Tell what crops show, whole and patch by patch."""
    b, n_leaves = len(leaf), len(LEAVES)
    cells = leaf.view(b, GRID, CELLS, GRID, CELLS).transpose(2, 3).reshape(b, GRID * GRID, CELLS * CELLS)
    counts = torch.zeros(b, GRID * GRID, n_leaves + 1)
    counts.scatter_add_(2, cells.clamp(max=n_leaves), torch.ones(cells.shape))
    most, which = counts.max(2)
    of_patch = torch.where((most >= CELLS * CELLS / 2) & (which < n_leaves), which, -1)
    shown = counts.sum(1)[:, :n_leaves]
    seen = shown.sum(1)
    by_name = torch.zeros(b, len(NAMES)).index_add_(1, NAME_OF_LEAF, shown)
    share, leading = by_name.max(1)
    name = torch.where(name == NOTHING, leading, name)
    named = (seen > 16) & (share > 0.4 * seen)
    most, part = shown.max(1)
    is_part = zoomed & (most >= 0.65 * seen) & (seen > 20) & (part < len(PARTS))
    return Answers(torch.where(named & ~is_part, name, -1), torch.where(is_part, part, -1), of_patch)


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


def lesson(
    whole: Float[Tensor, "b d"],
    patches: Float[Tensor, "b k d"],
    kept: Int[Tensor, "b k"],
    answers: Answers,
    told: Told,
    logit_scale: Float[Tensor, ""],
    weights: tuple[Float[Tensor, " c"], Float[Tensor, " p"]],
) -> tuple[Float[Tensor, ""], float]:
    """Compare what was seen with this step's sentences; give the loss and the share of crops named rightly."""
    scale = logit_scale.exp().clamp(max=100)
    names = scale * told.names[torch.randint(len(told.names), (1,))[0]]
    parts = scale * told.parts[torch.randint(len(told.parts), (1,))[0]]
    leaf = answers.leaf.gather(1, kept)
    of_patch = torch.where(leaf >= 0, NAME_OF_LEAF[leaf], -1)
    part_of_patch = torch.where(leaf < len(PARTS), leaf, -1)
    named = whole @ names.T
    is_named = answers.name >= 0
    loss = functional.cross_entropy(named, answers.name, ignore_index=-1)
    loss = loss + 0.25 * whose(named[is_named], answers.name[is_named])
    if (answers.part >= 0).any():
        loss = loss + 0.5 * functional.cross_entropy(whole @ parts.T, answers.part, ignore_index=-1)
    flat = patches.flatten(0, 1)
    loss = loss + 0.5 * functional.cross_entropy(flat @ names.T, of_patch.flatten(), weights[0], ignore_index=-1)
    loss = loss + functional.cross_entropy(flat @ parts.T, part_of_patch.flatten(), weights[1], ignore_index=-1)
    share = (named.argmax(1) == answers.name)[is_named].float().mean().item()
    return loss, share


def whose(named: Float[Tensor, "b c"], name: Int[Tensor, " b"]) -> Float[Tensor, ""]:
    """Ask the other way round which of the crops a name belongs to."""
    rightly = functional.one_hot(name, len(NAMES)).float().T
    present = rightly.sum(1) > 0
    rightly = rightly[present] / rightly[present].sum(1, keepdim=True)
    return -(functional.log_softmax(named.T[present], dim=1) * rightly).sum(1).mean()


def rarities(book: Lessons) -> tuple[Float[Tensor, " c"], Float[Tensor, " p"]]:
    """Weigh names and parts by how rarely a pixel shows them; the mean over pixels is 1."""
    pixels = torch.bincount(book.leaves[::7, ::4, ::4].flatten().long(), minlength=256)[: len(LEAVES)].float() + 50
    names = torch.zeros(len(NAMES)).index_add_(0, NAME_OF_LEAF, pixels)

    def weights(counts: Tensor) -> Tensor:
        rare = (counts.sum() / counts) ** BALANCE
        return rare * counts.sum() / (rare * counts).sum()

    return weights(names), weights(pixels[: len(PARTS)])


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set every group's learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def write(model: nn.Module, folder: Path) -> None:
    """Write the model in half precision, as open_clip lays it out, and the words its texts know beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: weight.half().contiguous() for name, weight in model.state_dict().items()},
        folder / WEIGHTS,
    )
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESSING}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    KnownWords(frozenset((*NAMES, *SYNONYMS, *(part for _, part in PARTS)))).write(folder)


if __name__ == "__main__":
    main()
