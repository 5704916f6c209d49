"""A training that says how long it will take, can be stopped at any time, and goes on bit for bit.

Whatever a step draws at random depends on the seed and the step's number alone, so that weights, the optimiser's state
and the number are all there is to remember.
"""

import json
import time
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from s4tok.errors import UsageError
from s4tok.randomness import seed_of

STATE, FIGURES = "state.pt", "figures.jsonl"
TRIED = 4  # steps that are timed; the first of them is not counted


class Learner(Protocol):
    """What is trained."""

    model: nn.Module
    optimizer: torch.optim.Optimizer

    def step(self, number: int) -> dict[str, float]:
        """Take a step and give its figures."""
        ...

    def check(self) -> dict[str, float]:
        """Measure it on what it is not trained on."""
        ...


def train(learner: Learner, folder: Path, steps: int, every: int, facts: Mapping[str, Any]) -> None:
    """Train up to a number of steps, keeping the state and checking it every so many.

    Args:
        learner: What is trained.
        folder: Where its state lies, and where it is begun or gone on with.
        steps: In all.
        every: How many of them between two states.
        facts: The settings; a folder begun with others is refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = _resumed(learner, folder, facts)
    if done < steps:
        pace = _tried(learner, done)
        print(
            f"step {done} of {steps}, {pace:.2f} s a step: about {(steps - done) * pace / 3600:.1f} hours", flush=True
        )
    sums, started = dict[str, float](), time.monotonic()
    for number in range(done, steps):
        for name, value in learner.step(number).items():
            sums[name] = sums.get(name, 0.0) + value
        if (number + 1) % every == 0 or number + 1 == steps:
            count = number + 1 - max(done, number // every * every)
            figures = {name: value / count for name, value in sums.items()} | learner.check()
            _keep(learner, folder, number + 1, facts, figures)
            told = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
            pace = (time.monotonic() - started) / (number + 1 - done)
            print(f"{number + 1}/{steps} {told}; {(steps - number - 1) * pace / 3600:.1f} hours left", flush=True)
            sums.clear()


def generator_of(seed: int, *names: str | int) -> torch.Generator:
    """Make the random numbers of one step."""
    return torch.Generator().manual_seed(seed_of(seed, *names))


def write_whole(path: Path, content: Any) -> None:
    """Save tensors so that the file is whole or not there."""
    draft = path.with_suffix(".part")
    torch.save(content, draft)
    draft.replace(path)


def _tried(learner: Learner, number: int) -> float:
    """Time some steps, and take them back."""
    before = deepcopy((learner.model.state_dict(), learner.optimizer.state_dict()))
    learner.step(number)
    started = time.monotonic()
    for _ in range(TRIED - 1):
        learner.step(number)
    pace = (time.monotonic() - started) / (TRIED - 1)
    learner.model.load_state_dict(before[0])
    learner.optimizer.load_state_dict(before[1])
    return pace


def _keep(learner: Learner, folder: Path, done: int, facts: Mapping[str, Any], figures: Mapping[str, float]) -> None:
    state = {
        "done": done,
        "facts": dict(facts),
        "model": learner.model.state_dict(),
        "optimizer": learner.optimizer.state_dict(),
    }
    write_whole(folder / STATE, state)
    with (folder / FIGURES).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": done, **figures}) + "\n")


def _resumed(learner: Learner, folder: Path, facts: Mapping[str, Any]) -> int:
    """Take up the state of a folder, and give the steps it has behind it."""
    if not (folder / STATE).is_file():
        return 0
    state = torch.load(folder / STATE, weights_only=True)
    odd = [f"{name}: {state['facts'].get(name)}, not {value}" for name, value in facts.items()
           if state["facts"].get(name) != value]  # fmt: skip
    if odd:
        raise UsageError(f"{folder} was begun with {'; '.join(odd)}.", "name another --out.")
    learner.model.load_state_dict(state["model"])
    learner.optimizer.load_state_dict(state["optimizer"])
    return int(state["done"])
