"""Learn which way is up from clouds that stand: `python examples/own_clouds/learn_up.py --out s4tok/geometry/up.npz`.

Measures the cues of `s4tok/geometry/gravity.py` of toy shapes, models of sh3d (`--data` has them, or they are left out)
and toy rooms, whole and in pieces, all to train on, and fits two small layers that score each of six directions by its
cues. Prints how often the highest score is up, of the validation splits.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from known import known
from torch import Tensor, nn

from s4tok.geometry.gravity import DIRECTIONS, measured, up_cues
from s4tok.shapes import Array, Float, Float64

WEIGHT = {"toy-shapes": 1.0, "sh3d": 3.0, "toy-scans": 8.0, "toy-rooms": 8.0}  # of an example
PIECES = 6  # of a room
HIDDEN, EPOCHS, BATCH = 48, 60, 64


class Scorer(nn.Module):
    """Two small layers: from the cues of a direction to its score."""

    def __init__(self, n_cues: int) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(n_cues, HIDDEN), nn.Linear(HIDDEN, 1, bias=False)

    def forward(self, cues: Float[Tensor, "n 6 c"]) -> Float[Tensor, "n 6"]:
        """Score directions; a tenth of the cues and a fifth of what is hidden are left out while it learns."""
        cues = nn.functional.dropout(cues, 0.1, self.training)
        hidden = nn.functional.dropout(self.hidden(cues).relu(), 0.2, self.training)
        scores: Tensor = self.out(hidden)[..., 0]
        return scores

    def weights(self) -> dict[str, Tensor]:
        """Give them by the names that `s4tok/geometry/gravity.py` reads."""
        return {"hidden": self.hidden.weight.T, "bias": self.hidden.bias, "out": self.out.weight[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder of sh3d")
    parser.add_argument("--shapes", type=int, default=1800, metavar="N", help="toy shapes")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    sizes = {"toy-shapes": chosen.shapes, "sh3d": None, "toy-scans": 16, "toy-rooms": 16}
    cues, weights = _examples(sizes, "train", chosen.data, chosen.seed)
    mean, deviation = cues.mean((0, 1)), cues.std((0, 1)) + 1e-3
    torch.manual_seed(chosen.seed)
    scorer = _fitted((cues - mean) / deviation, weights)
    found = {"mean": mean, "deviation": deviation, **scorer.weights()}
    np.savez(chosen.out, **{name: values.detach().numpy().astype(np.float32) for name, values in found.items()})
    for name, size in {"toy-shapes": 150, "sh3d": None, "toy-scans": 5, "toy-rooms": 4}.items():
        held_out, _ = _examples({name: size}, "val", chosen.data, chosen.seed)
        if len(held_out):
            best = scorer((held_out - mean) / deviation)[:, :3].argmax(1)
            print(f"{name} val: {(best == 0).double().mean():.3f} of {len(held_out)}")


def _examples(sizes: dict[str, int | None], split: str, data: Path, seed: int) -> tuple[Tensor, Tensor]:
    """Give the cues of every direction, the one that is up first, and the weight of each example."""
    rows, weights, rng = list[Array](), list[float](), np.random.default_rng(seed)
    for name, size in sizes.items():
        for each in known([name], split, size, data):
            for xyz in _seen(each.xyz, each.scene, split, rng):
                rows.append(up_cues(measured(xyz))[[1, 0, 2, 4, 3, 5]])
                weights.append(WEIGHT[name])
    empty = np.zeros((0, len(DIRECTIONS), 1))
    return torch.from_numpy(np.array(rows) if rows else empty).float(), torch.tensor(weights)


def _seen(
    xyz: Float64[Array, "n 3"], scene: str, split: str, rng: np.random.Generator
) -> Iterator[Float64[Array, "m 3"]]:
    """Give a cloud, and to train on, turned about the vertical too, and pieces of rooms."""
    yield xyz
    if split != "train":
        return
    yield _turned(xyz, rng.uniform(0, np.pi / 2))
    for number in range(PIECES if scene == "room" else 0):
        whole = _turned(xyz, rng.uniform(0, np.pi / 2) if number % 2 else 0.0)
        away = np.abs(whole - whole[rng.integers(len(whole))])[:, [0, 2]]
        piece = whole[(away < rng.uniform(1.5, 4)).all(axis=1)]
        if len(piece) > 3000:
            yield piece


def _turned(xyz: Float64[Array, "n 3"], angle: float) -> Float64[Array, "n 3"]:
    cosine, sine = np.cos(angle), np.sin(angle)
    turned: Array = xyz @ np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    return turned


def _fitted(cues: Float[Tensor, "n 6 c"], weights: Float[Tensor, " n"]) -> Scorer:
    scorer = Scorer(cues.shape[2])
    optimizer = torch.optim.AdamW(scorer.parameters(), 3e-3, weight_decay=3e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * (len(cues) // BATCH + 1))
    for _ in range(EPOCHS):
        order = torch.randperm(len(cues))
        for start in range(0, len(cues), BATCH):
            some = order[start : start + BATCH]
            loss = -(torch.log_softmax(scorer(cues[some]), 1)[:, 0] * weights[some]).mean()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
    return scorer.eval()


if __name__ == "__main__":
    main()
