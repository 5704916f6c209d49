"""Train the checkpoints that come with s4tok, and every trial that chose one of their settings; then measure them.

    python examples/checkpoints/train.py                          # list the groups, and how long each takes
    python examples/checkpoints/train.py table2 --seeds 0 1 2     # train a group, then measure it on validation splits
    python examples/checkpoints/train.py table2 --split test      # measure what is trained on the test splits
    python examples/checkpoints/train.py ships --ship DIR         # copy what is trained, as it comes with s4tok

Rows stand in `recipes.toml`, each a command of `s4tok pretrain`. What is done is passed over and what was stopped goes
on, so the script can be started again at any time. Results are `OUT/results/*.json` and the table that is printed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

RECIPES = Path(__file__).with_name("recipes.toml")


@dataclass(frozen=True)
class Row:
    """One way to train, and what the checkpoint is asked about afterwards."""

    name: str
    groups: Sequence[str]
    options: str  # of s4tok pretrain; {out} and {seed} where it goes on from a run of another row
    minutes: float  # on one core of the machine that docs name
    source: str = "toy-shapes"
    asked: Sequence[str] = ("objects",)
    calibration_share: float = 0.0  # of each label's mean cosine in rooms, as validation chose; goes into the card


@dataclass(frozen=True)
class Question:
    """A command that measures a checkpoint, and the figures it is asked for."""

    command: str
    figures: dict[str, str]  # column of the table -> key of the command's JSON


def main(arguments: Sequence[str] | None = None) -> None:
    """Train a group of rows for some seeds, and measure them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", nargs="?", help="rows of recipes.toml; without one, groups are listed")
    parser.add_argument("--rows", nargs="+", help="only these rows of the group")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="one run each (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("runs/checkpoints"), help="folder of runs and results")
    parser.add_argument("--cache", type=Path, default=Path(".s4tok/cache"), help="folder of all caches")
    parser.add_argument("--split", default="val", help="measured on this split; choices are made on val (default)")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side (default: 1)")
    parser.add_argument("--limit", type=int, help="take so many clouds only, to try the script")
    parser.add_argument("--ship", type=Path, metavar="DIR", help="copy the best step of each row's first seed there")
    parser.add_argument("--epochs", type=int, help="train so many epochs only, to try the script")
    given = parser.parse_args(arguments)
    rows, questions = read_recipes(RECIPES)
    if given.group is None:
        print(groups_of(rows))
        return
    groups = sorted({group for row in rows for group in row.groups})
    rows = [row for row in rows if given.group in row.groups and (not given.rows or row.name in given.rows)]
    if not rows:
        parser.error(f"{given.group!r} has no such rows; groups: {', '.join(groups)}")
    if given.ship is not None:
        for row in rows:
            print(ship(row, given.seeds[0], given))
        return
    tasks = [(row, seed) for seed in given.seeds for row in rows]
    hours = sum(row.minutes for row, _ in tasks) / 60
    print(
        f"{len(tasks)} checkpoints, about {hours:.1f} hours of one core; what is there already is passed over",
        flush=True,
    )
    with ThreadPoolExecutor(given.jobs) as side_by_side:

        def work(task: tuple[Row, int]) -> str:
            return train_and_measure(task[0], task[1], questions, given)

        for done in side_by_side.map(work, tasks):
            print(done, flush=True)
    print(table(rows, questions, given))


def read_recipes(path: Path) -> tuple[list[Row], dict[str, list[Question]]]:
    """Read rows, and the questions by name."""
    recipes = tomllib.loads(path.read_text(encoding="utf-8"))
    questions = {name: [Question(**each) for each in of] for name, of in recipes["questions"].items()}
    return [Row(**row) for row in recipes["row"]], questions


def groups_of(rows: Sequence[Row]) -> str:
    """List groups with their rows, and how long they take for one seed."""
    lines = []
    for group in dict.fromkeys(group for row in rows for group in row.groups):
        mine = [row for row in rows if group in row.groups]
        hours = sum(row.minutes for row in mine) / 60
        lines.append(f"{group}: {', '.join(row.name for row in mine)} ({hours:.1f} hours of one core a seed)")
    return "\n".join(lines)


def train_and_measure(row: Row, seed: int, questions: dict[str, list[Question]], given: argparse.Namespace) -> str:
    """Train one checkpoint and measure it, as far as it is not done; say that it is."""
    train(row, seed, given)
    measure(row, seed, questions, given)
    return f"{row.name}, seed {seed}: done"


def train(row: Row, seed: int, given: argparse.Namespace) -> None:
    """Train one checkpoint, or go on with it."""
    folder = folder_of(row.name, seed, given.out)
    if (folder / "done").exists():
        return
    limits = [f"--{name}={value}" for name in ("limit", "epochs") if (value := getattr(given, name)) is not None]
    options = row.options.format(out=given.out, seed=seed).split()
    command = ["pretrain", row.source, *options, *limits, f"--seed={seed}", f"--out={folder}"]
    print(f"training {row.name}, seed {seed}", flush=True)
    run([*command, f"--cache={given.cache}", "--resume", "--auto"], given.out / "logs" / f"{folder.name}.txt")
    (folder / "done").touch()


def measure(row: Row, seed: int, questions: dict[str, list[Question]], given: argparse.Namespace) -> None:
    """Ask a checkpoint its questions, unless the answers are there."""
    folder = folder_of(row.name, seed, given.out)
    for kind in row.asked:
        for number, question in enumerate(questions[kind]):
            path = result_of(row, seed, kind, number, given)
            if path.exists():
                continue
            limit = [f"--limit={given.limit}"] if given.limit is not None else []
            command = [*question.command.format(split=given.split).split(), *limit, f"--checkpoint={folder}"]
            answer = run([*command, f"--cache={given.cache}", "--auto", "--json"], None)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".tmp").write_text(answer, encoding="utf-8")
            path.with_suffix(".tmp").rename(path)


def run(arguments: Sequence[str], log: Path | None) -> str:
    """Run a command of s4tok, its messages into a file; give what it prints."""
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    with (log or Path(os.devnull)).open("a", encoding="utf-8") as messages:
        done = subprocess.run(
            [sys.executable, "-m", "s4tok_cli", *arguments], stdout=subprocess.PIPE, stderr=messages, text=True,
            env={"OMP_NUM_THREADS": "1", **os.environ}, check=False,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"s4tok {' '.join(arguments)}\nended with exit code {done.returncode}; see {log or 'above'}.")
    return done.stdout


def ship(row: Row, seed: int, given: argparse.Namespace) -> str:
    """Copy a checkpoint's best step into a folder of the row's name, with what validation chose in its card."""
    from s4tok.models.checkpoint import load_trained, save_trained
    from s4tok.models.checkpoint_files import find_checkpoint, read_card
    from s4tok.vision.frozen_clip import FrozenClip

    run, shipped = folder_of(row.name, seed, given.out), given.ship / row.name
    if not (run / "done").exists():
        return f"{row.name}: is not trained"
    found = load_trained(run, FrozenClip.load(read_card(find_checkpoint(run))["clip"]["name"]))
    card = dict(found.card)
    # Folders of the machine it was trained on do not belong into a card.
    card["command"] = re.sub(r"(?<![^\s=])/\S*/", "", card["command"])
    if row.calibration_share:
        card["calibration"] = {"share": row.calibration_share}
    shipped.mkdir(parents=True, exist_ok=True)
    save_trained(shipped, found.model.tokenizer, card, found.means, found.model.head)
    return f"{row.name}: {shipped}"


def folder_of(name: str, seed: int, out: Path) -> Path:
    """Give a run's folder."""
    return out / f"{name}-{seed}"


def result_of(row: Row, seed: int, kind: str, number: int, given: argparse.Namespace) -> Path:
    """Give the file of an answer."""
    out: Path = given.out
    return out / "results" / f"{row.name}-{seed}-{kind}-{number}-{given.split}.json"


def table(rows: Sequence[Row], questions: dict[str, list[Question]], given: argparse.Namespace) -> str:
    """Write a Markdown table: rows, and the mean over seeds of each figure, with its deviation."""
    kinds = list(dict.fromkeys(kind for row in rows for kind in row.asked))
    columns = [
        (kind, number, title, key)
        for kind in kinds
        for number, question in enumerate(questions[kind])
        for title, key in question.figures.items()
    ]
    lines = ["| | " + " | ".join(title for _, _, title, _ in columns) + " |", "|---|" + "---:|" * len(columns)]
    for row in rows:
        cells = []
        for kind, number, _, key in columns:
            paths = [result_of(row, seed, kind, number, given) for seed in given.seeds]
            cells.append(cell([figure(json.loads(path.read_text("utf-8")), key) for path in paths if path.exists()]))
        lines.append(f"| {row.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def figure(answer: dict[str, Any], key: str) -> float | None:
    """Find a figure by its dotted key."""
    found: Any = answer
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return None if found is None else float(found)


def cell(values: Sequence[float | None]) -> str:
    """Write a mean in percent, and the sample's deviation where there are several."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    spread = f" ± {100 * stdev(known):.1f}" if len(known) > 1 else ""
    return f"{100 * fmean(known):.1f}{spread}"


if __name__ == "__main__":
    main()
