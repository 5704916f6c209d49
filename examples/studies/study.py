"""Train and measure the rows of a table: `python examples/studies/study.py sam-ablation --seeds 0 1 2`.

A study is a .toml beside this script: runs, each a command that trains, and how those are measured that are rows. In a
command {NAME} stands for the folder of the run of that name and seed, which is trained before. What is done is passed
over and what was stopped goes on, so it can be started again at any time.

Results are OUT/results/RUN-SEED-SPLIT.json, what the measuring command said, and after each of them
OUT/STUDY-SPLIT.json with all figures, their means and deviations, and the last validation of every run. The table is
printed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from s4tok import __version__

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Run:
    """A training, and the row it is where it is measured."""

    name: str
    command: str
    minutes: float  # of one core of the machine that docs name
    row: str = ""  # its title in the table; one that others begin with has none
    paper: Mapping[str, float] = field(default_factory=dict)  # what the paper prints for it
    measure: str = ""  # the command that measures it, where that is not the study's

    @property
    def needs(self) -> list[str]:
        """Name the runs that come before it."""
        return re.findall(r"\{([^}]+)\}", self.command)


@dataclass(frozen=True)
class Study:
    """Runs, and how those that are rows are measured."""

    name: str
    title: str
    measure: str  # a command; {run} is the folder of a run, {split} what it is measured on
    figures: Sequence[str]  # keys of what that command says
    runs: Sequence[Run]
    small: str  # more options of every command, to try the study
    split: str = "test"

    @classmethod
    def read(cls, path: Path) -> "Study":
        """Read a study's file."""
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        runs = [Run(**run) for run in content.pop("run")]
        return cls(path.stem, runs=runs, **content)

    def ordered(self, wanted: Sequence[str]) -> list[Run]:
        """Give the runs of some rows, or of all, each after those that it needs."""
        by_name, found = {run.name: run for run in self.runs}, dict[str, Run]()

        def take(name: str) -> None:
            for each in by_name[name].needs:
                take(each)
            found.setdefault(name, by_name[name])

        for run in self.runs:
            if run.row and (not wanted or run.name in wanted):
                take(run.name)
        return list(found.values())


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=sorted(path.stem for path in HERE.glob("*.toml")))
    parser.add_argument("--rows", nargs="+", default=[], metavar="RUN", help="only these (default: all)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="one of each run for each (default: 0)")
    parser.add_argument("--out", type=Path, help="folder of runs and results (default: runs/STUDY)")
    parser.add_argument("--cache", type=Path, default=Path(".s4tok/cache"), help="folder of all caches")
    parser.add_argument("--split", help="measured on this split (default: the study's)")
    parser.add_argument("--small", action="store_true", help="try it in minutes, in a folder of its own")
    given = parser.parse_args(arguments)
    study = Study.read(HERE / f"{given.study}.toml")
    given.split = given.split or study.split
    given.out = given.out or Path("runs") / f"{study.name}{'-small' * given.small}"
    runs = study.ordered(given.rows)
    hours = sum(run.minutes for run in runs) * len(given.seeds) / 60
    print(f"{len(runs) * len(given.seeds)} runs, about {hours:.1f} hours of one core", file=sys.stderr, flush=True)
    for seed in given.seeds:
        for run in runs:
            train(study, run, seed, given)
            if run.row and not result_of(run, seed, given).is_file():
                measure(study, run, seed, given)
                write(given.out / f"{study.name}-{given.split}.json", collected(study, given))
    print(table(collected(study, given)))


def train(study: Study, run: Run, seed: int, given: argparse.Namespace) -> None:
    """Train a run, or go on with it."""
    folder = folder_of(run.name, seed, given.out)
    if (folder / "done").is_file():
        return
    print(f"{run.name}, seed {seed}", file=sys.stderr, flush=True)
    command = run.command.format(**{name: folder_of(name, seed, given.out) for name in run.needs})
    more = f"--seed {seed} --auto --resume {study.small if given.small else ''}"
    s4tok(f"{command} {more}", "--cache", given.cache, "--out", folder, log=given.out / "logs" / f"{folder.name}.txt")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "done").touch()


def measure(study: Study, run: Run, seed: int, given: argparse.Namespace) -> None:
    """Ask a run what the study asks; the answer is whole or not there."""
    folder, began = folder_of(run.name, seed, given.out), time.monotonic()
    command = (run.measure or study.measure).format(run=folder, split=given.split)
    log = given.out / "logs" / f"{folder.name}.txt"
    limit = "--limit 2" if given.small else ""
    said = json.loads(s4tok(f"{command} {limit} --auto --json", "--cache", given.cache, log=log))
    write(result_of(run, seed, given), {**said, "seconds": round(time.monotonic() - began, 1)})


def s4tok(words: str, *more: object, log: Path) -> str:
    """Run a command, whose result is its standard output; its messages go to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    arguments = [*words.split(), *map(str, more)]
    with log.open("a", encoding="utf-8") as messages:
        done = subprocess.run(
            [sys.executable, "-m", "s4tok_cli", *arguments], stdout=subprocess.PIPE, stderr=messages, text=True,
            env={"OMP_NUM_THREADS": "1", **os.environ}, check=False,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"s4tok {' '.join(arguments)}\nended with exit code {done.returncode}; see {log}.")
    return done.stdout


def collected(study: Study, given: argparse.Namespace) -> dict[str, Any]:
    """Give every row's figures of the seeds that are measured, their means and deviations."""
    rows = []
    for run in study.runs:
        if not run.row:
            continue
        results = sorted((given.out / "results").glob(f"{run.name}-[0-9]*-{given.split}.json"))
        seeds = {int(path.stem.split("-")[-2]): json.loads(path.read_text(encoding="utf-8")) for path in results}
        values = {key: [each[key] for each in seeds.values() if each.get(key) is not None] for key in study.figures}
        rows.append({
            "name": run.name, "title": run.row, "command": run.command,
            "measure": run.measure or study.measure, "paper": dict(run.paper),
            "seeds": {str(seed): {key: each.get(key) for key in study.figures} for seed, each in seeds.items()},
            "mean": {key: fmean(known) for key, known in values.items() if known},
            "deviation": {key: stdev(known) for key, known in values.items() if len(known) > 1},
        })  # fmt: skip
    last = {path.parent.name: last_validation(path) for path in sorted(given.out.glob("*/metrics.jsonl"))}
    return {
        "study": study.name, "title": study.title, "split": given.split, "small": given.small,
        "s4tok": __version__, "measure": study.measure, "figures": list(study.figures), "rows": rows,
        "validations": last,
    }  # fmt: skip


def last_validation(metrics: Path) -> dict[str, Any]:
    """Read what a run measured last of what it was not trained on: losses, those of groups too."""
    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    return next((row for row in reversed(rows) if row["kind"] == "validation"), {})


def table(found: Mapping[str, Any]) -> str:
    """Write a Markdown table in percent, with deviations where there are several seeds."""
    lines = ["| | " + " | ".join(found["figures"]) + " |", "|---|" + "---:|" * len(found["figures"])]
    for row in found["rows"]:
        cells = []
        for key in found["figures"]:
            spread = f" ± {100 * row['deviation'][key]:.1f}" if key in row["deviation"] else ""
            cells.append(f"{100 * row['mean'][key]:.1f}{spread}" if key in row["mean"] else "-")
        lines.append(f"| {row['title']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def folder_of(name: str, seed: int, out: Path) -> Path:
    """Give a run's folder."""
    return out / f"{name}-{seed}"


def result_of(run: Run, seed: int, given: argparse.Namespace) -> Path:
    """Give the file of an answer."""
    out: Path = given.out
    return out / "results" / f"{run.name}-{seed}-{given.split}.json"


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".tmp")
    whole.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    whole.rename(path)


if __name__ == "__main__":
    main()
