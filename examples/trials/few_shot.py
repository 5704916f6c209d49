"""How many labels a segmenter of parts needs: `python examples/trials/few_shot.py --out runs/few-shot`.

Trains on 1, 5, 10, 50 or all labelled objects of each category of the toy world, three seeds each: `context` and
`s4token` from checkpoints that ship, whose heads begin with words, each with `-random` for the same tokenizer from
nothing, whose head does too; `context-no-words` and `context-random-words` are the controls; `probe` one linear layer
on the frozen s4token+context, and `vision` one on the 2D model's own features of superpoints (it needs the caches of
`s4tok extract-clip toy-shapes --clip mini --auto`, splits train and test). All see equally many samples, and the same
objects are labelled for all.

What is done is passed over and what was stopped goes on, so it can be started again at any time. Results are
OUT/results/*.json; the table is printed, written to OUT/few_shot.json and drawn into OUT/few_shot.png. `--kept
docs/results/few-shot.json --picture FILE` draws a table that was made before.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import fmean, stdev
from typing import TypeAlias

import numpy as np
import torch
from torch.nn import functional

from s4tok.metrics.labels import part_counts, part_scores
from s4tok.shapes import Array
from s4tok.synthetic.datasets import ToyShapes
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import CacheReader
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.inputs.features import find_features, superpoints_under
from s4tok_pipelines.inputs.labelled_data import few
from s4tok_pipelines.tables.bars import draw_bars
from s4tok_pipelines.tables.result_table import Cell, Column, ResultRow, ResultTable

ROWS = {
    "context": "--checkpoint s4token+context",
    "context-no-words": "--checkpoint s4token+context --head-start nothing",
    "context-random": "--checkpoint none --clip mini --tokenizer s4token+context",
    "context-random-words": "--checkpoint none --clip mini --tokenizer s4token+context --head-start words",
    "s4token": "--checkpoint s4token",
    "s4token-random": "--checkpoint none --clip mini --tokenizer s4token",
    "probe": "--checkpoint s4token+context --train head --head probe --lr 0.01 --head-start nothing",
    "vision": "",
}
ABOUT = {
    "context": "pre-trained, the head begins with words",
    "context-no-words": "pre-trained, the head begins with nothing",
    "context-random": "the same tokenizer from nothing",
    "context-random-words": "the same tokenizer from nothing, the head begins with words",
    "s4token": "pre-trained without context, the head begins with words",
    "s4token-random": "the same tokenizer from nothing",
    "probe": "one layer on frozen features of the pre-trained tokenizer",
    "vision": "one layer on the 2D model's own features of superpoints",
}
SHOTS = ("1", "5", "10", "50", "all")
CATEGORIES = len(ToyShapes.categories)
FIGURE = "miou_i"
Found: TypeAlias = dict[str, dict[str, list[float]]]  # by row and number of labels, a figure a seed


def main() -> None:
    """Take the figures, then print and draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/few-shot"), help="folder of runs and results")
    parser.add_argument("--cache", type=Path, default=Path(".s4tok/cache"), help="folder of all caches")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--shots", nargs="+", choices=SHOTS, default=list(SHOTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--limit", type=int, default=1200, help="objects to choose from")
    parser.add_argument("--epochs", type=int, default=20, help="of as many samples as there are objects to choose from")
    parser.add_argument("--tested", type=int, default=150, help="objects of the test split")
    parser.add_argument("--kept", type=Path, help="draw the figures of this few_shot.json, and train nothing")
    parser.add_argument("--picture", type=Path, help="where to draw [OUT/few_shot.png]")
    chosen = parser.parse_args()
    if chosen.kept is not None:
        found = json.loads(chosen.kept.read_text(encoding="utf-8"))
    else:
        found = measured(chosen)
        (chosen.out / "few_shot.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(table(found))
    draw(found, chosen.picture or chosen.out / "few_shot.png")


def measured(chosen: argparse.Namespace) -> Found:
    """Train and measure what is missing."""
    (chosen.out / "results").mkdir(parents=True, exist_ok=True)
    found: Found = {}
    for row in chosen.rows:
        for shots in chosen.shots:
            for seed in chosen.seeds:
                result = chosen.out / "results" / f"{row}-{shots}-{seed}.json"
                if not result.is_file():
                    measure = vision if row == "vision" else tuned
                    facts = measure(chosen, row, shots, seed)
                    result.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
                value = float(json.loads(result.read_text(encoding="utf-8"))[FIGURE])
                found.setdefault(row, {}).setdefault(shots, []).append(value)
                print(f"{row}, {shots} shots, seed {seed}: {value:.3f}", file=sys.stderr, flush=True)
    return found


def tuned(chosen: argparse.Namespace, row: str, shots: str, seed: int) -> dict[str, float]:
    """Fine-tune, and measure every point of the test objects."""
    labelled = chosen.limit if shots == "all" else min(int(shots) * CATEGORIES, chosen.limit)
    repeats = max(round(chosen.limit / labelled), 1)
    run = chosen.out / "runs" / f"{row}-{shots}-{seed}"
    few_shots = "" if shots == "all" else f"--shots {shots} --shots-seed {seed}"
    s4tok(
        f"finetune toy-shapes --task parts --limit {chosen.limit} {few_shots} --repeats {repeats} --seed {seed} "
        f"--epochs {chosen.epochs} {ROWS[row]} --auto --resume", "--cache", chosen.cache, "--out", run,
    )  # fmt: skip
    told = s4tok(
        f"segment toy-shapes --split test --limit {chosen.tested} --auto --json", "--checkpoint", run,
        "--cache", chosen.cache,
    )  # fmt: skip
    facts = json.loads(told)
    return {name: facts[name] for name in ("miou_i", "miou_c", "miou_part", "accuracy")}


def s4tok(words: str, *more: object) -> str:
    """Run a command, whose result is its standard output."""
    command = [sys.executable, "-m", "s4tok_cli", *words.split(), *map(str, more)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def vision(chosen: argparse.Namespace, row: str, shots: str, seed: int) -> dict[str, float]:
    """Fit one linear layer to the 2D model's features of the same objects' superpoints."""
    train, test = ToyShapes("train"), ToyShapes("test")
    numbers = {key: train.category(key) for key in train.keys[: chosen.limit]}
    keys = few(list(numbers), numbers, seed, None if shots == "all" else int(shots), None)
    features, shares, categories = fitted_on(chosen.cache, train, keys)
    allowed = torch.zeros(CATEGORIES, len(train.classes), dtype=torch.bool)
    for number, name in enumerate(train.categories):
        allowed[number, list(train.parts[name])] = True
    torch.manual_seed(seed)
    layer = torch.nn.Linear(features.shape[1], len(train.classes))
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = layer(features).masked_fill(~allowed[categories], -1e4)
        value: torch.Tensor = (
            -(shares * logits.log_softmax(1)).sum() / shares.sum() + 1e-4 * layer.weight.square().sum()
        )
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    counts, of_objects = [], []
    for key in test.keys[: chosen.tested]:
        category, labels = test.category(key), known(test, key)
        seen, cut = read(chosen.cache, test, key)
        with torch.no_grad():
            answers = layer(seen).masked_fill(~allowed[category], -1e4).argmax(1).numpy()[cut]
        counts.append(part_counts(labels, answers, len(test.classes)))
        of_objects.append(category)
    scores = part_scores(np.stack(counts), np.array(of_objects), [test.parts[name] for name in test.categories])
    return {"miou_i": scores.miou_i, "miou_c": scores.miou_c, "miou_part": scores.miou_part}


def fitted_on(cache: Path, clouds: ToyShapes, keys: list[str]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Give the features of the objects' superpoints, how many points of each class they have, and their categories."""
    features, shares, categories = [], [], []
    for key in keys:
        seen, cut = read(cache, clouds, key)
        one = functional.one_hot(torch.from_numpy(known(clouds, key)), len(clouds.classes)).float()
        features.append(seen)
        shares.append(torch.zeros(len(seen), one.shape[1]).index_add_(0, torch.from_numpy(cut), one))
        categories.append(torch.full((len(seen),), clouds.category(key)))
    return torch.cat(features), torch.cat(shares), torch.cat(categories)


def known(clouds: ToyShapes, key: str) -> Array:
    """Give the true part of each point."""
    labels = clouds[key].labels
    assert labels is not None
    return labels


_open: dict[str, CacheReader] = {}


def read(cache: Path, clouds: ToyShapes, key: str) -> tuple[torch.Tensor, Array]:
    """Give the 2D features of an object's superpoints, and the superpoint of each point."""
    if clouds.split not in _open:
        clip = FrozenClip.load("mini")
        _open[clouds.split] = find_features(
            root_of(cache, clouds), clip.name, clip.identity,
            lambda: f"s4tok extract-clip toy-shapes --split {clouds.split} --clip mini --auto",
        )  # fmt: skip
    reader = _open[clouds.split]
    seen = torch.from_numpy(reader.read(key, ("superpoints",))["superpoints"].astype(np.float32))
    return seen, superpoints_under(reader).read(key, ("labels",))["labels"].astype(np.int64)


def table(found: Found) -> str:
    """Write means, and deviations where there are several seeds."""
    shots = list(next(iter(found.values())))
    lines = [f"| {FIGURE} | {' | '.join(shots)} |", f"|---|{'---:|' * len(shots)}"]
    for row, cells in found.items():
        said = [f"{fmean(one):.3f}{f' ± {stdev(one):.3f}' if len(one) > 1 else ''}" for one in cells.values()]
        lines.append(f"| {row} | {' | '.join(said)} |")
    return "\n".join(lines)


def draw(found: Found, path: Path) -> None:
    """Draw a panel for each number of labels, a bar a row with the deviation over seeds."""
    shots = list(next(iter(found.values())))
    columns = tuple(Column(f"{each} a category", "toy-shapes", "test", FIGURE) for each in shots)
    bars = tuple(
        ResultRow(row, f"{row}: {ABOUT[row]}", tuple(Cell(tuple(of[each])) for each in shots))
        for row, of in found.items()
    )
    title = "Parts learned from so many labelled objects"
    notes = ["mIoU_I of objects of toy-shapes test, in percent; lines: deviation over seeds."]
    draw_bars(path, [ResultTable("few-shot", title, columns, bars)], title, notes)


if __name__ == "__main__":
    main()
