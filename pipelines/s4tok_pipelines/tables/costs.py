"""How long things take, as measured once, and what a table adds up from that before it starts."""

import math
from dataclasses import dataclass

from s4tok.config import Scene
from s4tok.counted import counted
from s4tok_pipelines.tables.spec import Task

MACHINE = "a 2-core x86-64 VM, Debian 12, no GPU"
ALLOWANCE = 1.5  # what is announced, in what was measured: clouds differ, and so do machines

# Processor seconds of one core of that machine, with the mini CLIP and the synthetic data, 2026-11-26.
STARTING = 10.0  # a table: models are loaded, pictures drawn
LOADING = 3.0  # a result: its checkpoint
OPENING = 6.0  # a training: its data, and the first validation
CUTTING: dict[Scene, float] = {"object": 0.3, "room": 3.2}  # superpoints of a cloud
MEASURING: dict[Task, float] = {"parts": 0.1, "objects": 0.05, "rooms": 1.0, "boxes": 5.0}  # a checkpoint on a cloud
LOOKING: dict[Task, float] = {"parts": 1.0, "objects": 1.0, "rooms": 5.0, "boxes": 0.0}  # the 2D model on a cloud
DRAWING = {"figureA": 10.0, "figureB": 4.0, "figureC": 3.0}  # a cloud of a figure
PREPARING = {"pretrain": 0.6, "finetune": 0.3, "detection": 0.8, "frames": 0.7}  # a cloud that is trained on
TRAINING = {"pretrain": 0.03, "finetune": 0.12, "detection": 0.15, "frames": 0.05}  # each time that it is read


@dataclass(frozen=True)
class Plan:
    """How much there is to do, and how long it takes at most."""

    results: int = 0  # to be measured
    kept: int = 0  # measured already
    runs: int = 0  # to be trained
    seconds: float = 0.0  # of one core, as measured

    def __add__(self, other: "Plan") -> "Plan":
        """Do both."""
        return Plan(
            self.results + other.results, self.kept + other.kept, self.runs + other.runs, self.seconds + other.seconds
        )

    @property
    def most(self) -> float:
        """Give the seconds that are announced."""
        return ALLOWANCE * self.seconds

    def said(self, name: str, *, is_known: bool) -> str:
        """Announce it; times are known of the synthetic data and the mini CLIP alone."""
        parts = [f"{self.results or 'nothing'} to measure"]
        parts += [f"{counted(self.kept, 'result')} there already"] if self.kept else []
        parts += [f"{counted(self.runs, 'checkpoint')} to train"] if self.runs else []
        long = f"at most {_in_words(self.most)} of one core, as measured on {MACHINE}"
        if not is_known:
            long = "how long it takes has been measured for the synthetic data and the mini CLIP alone"
        return f"{name}: {', '.join(parts)}; {long}"


def _in_words(seconds: float) -> str:
    if seconds < 120:
        return f"{10 * math.ceil(seconds / 10)} seconds"
    return f"{math.ceil(seconds / 60)} minutes" if seconds < 7200 else f"{math.ceil(seconds / 360) / 10:g} hours"
