"""The loop of a run: steps, validations, checkpoints, and a stop that loses nothing."""

import json
import math
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from s4tok.backbones.arithmetic import compile_layers, lower, multiply_in_tf32, tf32
from s4tok.config import LoopConfig, Speedups
from s4tok.errors import InputError, UsageError
from s4tok.objectives.objective import Objective
from s4tok.optim.optimizers import build_optimizer
from s4tok.optim.schedule import learning_rate
from s4tok.randomness import seed_of
from s4tok.shapes import Array
from s4tok_pipelines.prefetch import Timed, ahead
from s4tok_pipelines.report import Report
from s4tok_pipelines.runtime import STOPPING, Stopped
from s4tok_pipelines.training.checkpoints import State, load_checkpoint, save_checkpoint
from s4tok_pipelines.training.ranks import Ranks
from s4tok_pipelines.training.run_folder import CHECKPOINTS, Metrics

READ_AHEAD = 3  # batches


class Chosen(NamedTuple):
    """A batch and whose entries are in it."""

    keys: list[str]
    batch: Any


@runtime_checkable
class Data(Protocol):
    """What is trained or validated on, by number."""

    @property
    def keys(self) -> Sequence[str]:
        """Name the entries."""
        ...

    def entries(self, numbers: Sequence[int], epoch: int | str) -> list[Any]:
        """Give entries as the objective puts them together, a function of seed, key and epoch."""
        ...


class Training:
    """One process of a run: the model, its optimiser, and how far they are."""

    def __init__(
        self,
        model: Objective,
        config: LoopConfig,
        data: Data,
        validation: Data | None,
        *,
        folder: Path,
        card: dict[str, Any],
        ranks: Ranks,
        device: torch.device,
        save_every: float,
        speedups: Speedups,
        report: Report,
    ) -> None:
        self.model, self.config, self.data, self.validation = model, config, data, validation
        self.folder, self.card, self.ranks, self.device = folder, card, ranks, device
        self.save_every, self.speedups, self.report = save_every, speedups, report
        if len(data.keys) < ranks.world:
            raise UsageError(
                f"{len(data.keys)} clouds cannot be shared by {ranks.world} processes.", "take more clouds."
            )
        if speedups.compile:
            compile_layers(model)
        if device.type == "cuda":
            lower(model, device)
        if speedups.tf32:
            multiply_in_tf32(model)
        self.size = min(config.batch, len(data.keys) // ranks.world * ranks.world)
        self.steps_per_epoch = len(data.keys) // self.size
        self.steps = config.epochs * self.steps_per_epoch
        self.optimizer = build_optimizer(model, config, model.rate_of)
        self.state = load_checkpoint(folder / CHECKPOINTS, model, self.optimizer) or State(0, math.inf, 0.0)
        self.begun = self.state.step
        self.trained = [weight for weight in model.parameters() if weight.requires_grad]
        self.started = time.monotonic()
        self.ready = Timed[Chosen](iter(()))

    def run(self, metrics: Metrics | None) -> bool:
        """Train to the end; False where a signal came first, and everything up to there is saved."""
        net: nn.Module = self.model
        if self.ranks.world > 1:
            net = nn.parallel.DistributedDataParallel(net)
        part = slice(self.ranks.rank, None, self.ranks.world)
        todo = range(self.state.step, self.steps)
        batches = map(self._pinned, self._batches(todo, part))
        saved = time.monotonic()
        with closing(ahead(batches, READ_AHEAD)) as ready, _told_to_stop() as stop:
            if not self.state.step:
                self._validate(metrics)
                self.state = self.state._replace(best=math.inf)  # nothing is saved of what is not trained yet
            self.ready = Timed(ready)
            for chosen in self.report.steps(self.ready, "Training", total=self.steps, done=self.state.step):
                is_stopped = self._step(net, chosen, metrics, bool(stop))
                if self.state.step % self.steps_per_epoch == 0:
                    is_best = self._validate(metrics)
                    self._save(is_best)
                    saved = time.monotonic()
                elif is_stopped or time.monotonic() - saved > self.save_every:
                    self._save(False)
                    saved = time.monotonic()
                if is_stopped and self.state.step < self.steps:
                    self.report.note(f"stopped after step {self.state.step}, which is saved; --resume goes on from it")
                    raise Stopped(stop[0] if stop else signal.SIGTERM)
        return True

    def _batches(self, steps: range, part: slice) -> Iterator[Chosen]:
        """Make this process's part of each step's batch: a function of the seed and the step alone."""
        for numbers, epoch in orders(len(self.data.keys), self.size, steps, self.steps_per_epoch, self.config.seed):
            yield self._collated(self.data, numbers[part], epoch)

    def _collated(self, data: Data, numbers: Sequence[int], epoch: int | str) -> Chosen:
        entries = data.entries(numbers, epoch)
        return Chosen([data.keys[number] for number in numbers], self.model.collate(entries))

    def _pinned(self, chosen: Chosen) -> Chosen:
        return Chosen(chosen.keys, chosen.batch.pinned()) if self.device.type == "cuda" else chosen

    def _step(self, net: nn.Module, chosen: Chosen, metrics: Metrics | None, is_stopping: bool) -> bool:
        rate = learning_rate(self.config, self.state.step, self.steps, self.steps_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        batch = chosen.batch.to(self.device)
        self.optimizer.zero_grad()
        began = time.monotonic()
        losses: dict[str, Tensor] = net(batch)
        with tf32(self.speedups.tf32):
            losses["total"].backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.trained, self.config.clip_gradient)
        figures = self._agree(losses, norm, is_stopping)
        if not math.isfinite(figures["total"] + figures["gradient"]):
            self._give_up(chosen, figures)
        self.optimizer.step()
        self.state = State(self.state.step + 1, self.state.best, self.state.seconds + time.monotonic() - began)
        self.model.after_step(self.state.step / self.steps)
        is_stopped = figures.pop("stop") > 0
        if metrics is not None:
            epoch = self.state.step / self.steps_per_epoch
            metrics.write({"kind": "step", "step": self.state.step, "epoch": epoch, "rate": rate, **figures})
        self._show(figures, rate)
        return is_stopped

    def _agree(self, losses: Mapping[str, Tensor], norm: Tensor, is_stopping: bool) -> dict[str, float]:
        """Average a step's figures over processes; all learn whether one of them was told to stop."""
        values = [losses[name].detach().float() for name in self.model.columns]
        values += [norm.detach().float(), losses["total"].new_tensor(float(is_stopping))]
        averaged = self.ranks.average(torch.stack([value.reshape(()) for value in values])).tolist()
        return dict(zip((*self.model.columns, "gradient", "stop"), averaged, strict=True))

    def _show(self, figures: dict[str, float], rate: float) -> None:
        passed = time.monotonic() - self.started
        shown = {name: figures[name] for name in self.model.columns}
        speed = self.size * self.state.step / max(self.state.seconds, 1e-9)
        self.report.gauge(**shown, rate=rate, shapes_per_second=speed, waiting=self.ready.waited / max(passed, 1e-9))

    @torch.no_grad()
    def _validate(self, metrics: Metrics | None) -> bool:
        """Measure entries that are not trained on; say whether they are the best so far."""
        if self.validation is None:
            return True
        self.model.eval()
        figures = self.model.validate(self._held_out(self.validation))
        self.model.train()
        selection_loss = self.model.selection(figures)
        is_best = selection_loss <= self.state.best
        self.state = self.state._replace(best=min(self.state.best, selection_loss))
        if metrics is not None:
            epoch = self.state.step / self.steps_per_epoch
            metrics.write({"kind": "validation", "step": self.state.step, "epoch": epoch, **figures})
        shown = [name for name in self.model.validates if name not in self.model.curves]
        said = ", ".join(f"{name} {figures[name]:.4f}" for name in (*self.model.curves, *shown))
        self.report.note(f"validation after step {self.state.step}: {said}{', the best so far' if is_best else ''}")
        return is_best

    def _held_out(self, data: Data) -> Iterator[tuple[int, Any]]:
        for start in range(0, len(data.keys), self.size):
            numbers = range(start, min(start + self.size, len(data.keys)))
            yield len(numbers), self._collated(data, numbers, "validation").batch.to(self.device)

    def _save(self, is_best: bool) -> None:
        if self.ranks.is_first:
            card = {**self.card, "steps": self.state.step, "of": self.steps, "seconds": round(self.state.seconds, 1)}
            where = self.folder / CHECKPOINTS
            save_checkpoint(where, self.model, self.optimizer, self.state, card, is_best=is_best)

    def _give_up(self, chosen: Chosen, figures: dict[str, float]) -> None:
        """Save the state before the step that went wrong, and say which clouds were in it."""
        where = self.folder / "not-finite"
        if self.ranks.is_first:
            card = {**self.card, "steps": self.state.step, "of": self.steps, "seconds": round(self.state.seconds, 1)}
            save_checkpoint(where, self.model, self.optimizer, self.state, card)
            facts = {"step": self.state.step + 1, "keys": chosen.keys, **{k: repr(v) for k, v in figures.items()}}
            (where / "batch.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        some = ", ".join(chosen.keys[:3])
        raise InputError(
            f"step {self.state.step + 1} gave a loss of {figures['total']} and a gradient of {figures['gradient']}; "
            f"the state before it and the names of its clouds ({some}, ...) are in {where}.",
            "look at those clouds, or take a lower --lr.",
        )


def orders(n_entries: int, size: int, steps: range, steps_per_epoch: int, seed: int) -> Iterator[tuple[list[int], int]]:
    """Give the numbers of each step's entries, and its epoch: every epoch has an order of its own."""
    order: Array = np.zeros(0, np.int64)
    known = -1
    for step in steps:
        epoch, place = divmod(step, steps_per_epoch)
        if epoch != known:
            known = epoch
            order = np.random.default_rng(seed_of(seed, "order", epoch)).permutation(n_entries)
        yield order[place * size : (place + 1) * size].tolist(), epoch


@contextmanager
def _told_to_stop() -> Iterator[list[int]]:
    """Note signals that ask to stop, for the end of the step; the second Ctrl-C, a person's, is obeyed at once."""
    told: list[int] = []

    def note(signum: int, frame: FrameType | None) -> None:
        told.append(signum)
        if signum == signal.SIGINT:
            signal.signal(signum, signal.SIG_DFL)

    before = {each: signal.signal(each, note) for each in STOPPING if callable(signal.getsignal(each))}
    try:
        yield told
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
