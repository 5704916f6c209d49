"""The loop of a run: steps, validations, checkpoints, and a stop that loses nothing."""

import json
import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from s4tok.config import PretrainConfig
from s4tok.errors import InputError, UsageError
from s4tok.objectives.s4token import Losses, Pretraining, augment
from s4tok.optim.muon import Muon
from s4tok.optim.schedule import learning_rate
from s4tok_pipelines.inputs.entries import ahead
from s4tok_pipelines.inputs.training_data import Chosen, TrainingData, batches
from s4tok_pipelines.report import Report
from s4tok_pipelines.runtime import STOPPING, Stopped
from s4tok_pipelines.training.checkpoints import State, load_checkpoint, save_checkpoint
from s4tok_pipelines.training.ranks import Ranks
from s4tok_pipelines.training.run_folder import CHECKPOINTS, Metrics

READ_AHEAD = 3  # batches
OPTIMIZERS = {"adamw": torch.optim.AdamW, "muon": Muon}
LOSSES = ("total", "assign", "local", "difference", "whole")
SCALARS = (*LOSSES, "masked", "lonely", "orphans")  # as they are logged


class Training:
    """One process of a run: the model, its optimiser, and how far they are."""

    def __init__(
        self,
        model: Pretraining,
        config: PretrainConfig,
        data: TrainingData,
        validation: TrainingData | None,
        *,
        folder: Path,
        card: dict[str, Any],
        ranks: Ranks,
        device: torch.device,
        save_every: float,
        report: Report,
    ) -> None:
        self.model, self.config, self.data, self.validation = model, config, data, validation
        self.folder, self.card, self.ranks, self.device = folder, card, ranks, device
        self.save_every, self.report = save_every, report
        if len(data.keys) < ranks.world:
            raise UsageError(
                f"{len(data.keys)} clouds cannot be shared by {ranks.world} processes.", "take more clouds."
            )
        self.size = min(config.batch, len(data.keys) // ranks.world * ranks.world)
        self.steps_per_epoch = len(data.keys) // self.size
        self.steps = config.epochs * self.steps_per_epoch
        self.optimizer = _optimizer(model, config)
        self.state = load_checkpoint(folder / CHECKPOINTS, model, self.optimizer) or State(0, math.inf, 0.0)
        self.trained = [weight for weight in model.parameters() if weight.requires_grad]
        self.started = time.monotonic()
        self.waited = 0.0

    def run(self, metrics: Metrics | None) -> bool:
        """Train to the end; False where a signal came first, and everything up to there is saved."""
        net: nn.Module = self.model
        if self.ranks.world > 1:
            net = nn.parallel.DistributedDataParallel(net)
        part = slice(self.ranks.rank, None, self.ranks.world)
        todo = range(self.state.step, self.steps)
        given = batches(self.data, self.size, todo, self.steps_per_epoch, part=part)
        ready = ahead(map(self._pinned, given), READ_AHEAD)
        saved = time.monotonic()
        with _told_to_stop() as stop:
            if not self.state.step:
                self._validate(metrics)
            for chosen in self.report.steps(self._timed(ready), "Training", total=self.steps, done=self.state.step):
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

    def _timed(self, ready: Iterator[Chosen]) -> Iterator[Chosen]:
        while True:
            start = time.monotonic()
            chosen = next(ready, None)
            self.waited += time.monotonic() - start
            if chosen is None:
                return
            yield chosen

    def _pinned(self, chosen: Chosen) -> Chosen:
        return Chosen(chosen.keys, chosen.batch.pinned()) if self.device.type == "cuda" else chosen

    def _step(self, net: nn.Module, chosen: Chosen, metrics: Metrics | None, is_stopping: bool) -> bool:
        rate = learning_rate(self.config, self.state.step, self.steps, self.steps_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batch = chosen.batch.to(self.device)
        batch = batch._replace(points=augment(batch.points, batch.seeds, self.config))
        self.optimizer.zero_grad()
        began = time.monotonic()
        with self._precision():
            losses: Losses = net(batch)
        losses.total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.trained, self.config.clip_gradient)
        figures = self._agree(losses, norm, is_stopping)
        if not math.isfinite(figures["total"] + figures["gradient"]):
            self._give_up(chosen, figures)
        self.optimizer.step()
        self.state = State(self.state.step + 1, self.state.best, self.state.seconds + time.monotonic() - began)
        self.model.update_teacher(self.state.step / self.steps)
        is_stopped = figures.pop("stop") > 0
        if metrics is not None:
            epoch = self.state.step / self.steps_per_epoch
            metrics.write({"kind": "step", "step": self.state.step, "epoch": epoch, "rate": rate, **figures})
        self._show(figures, rate)
        return is_stopped

    def _precision(self) -> Any:
        return torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()

    def _agree(self, losses: Losses, norm: Tensor, is_stopping: bool) -> dict[str, float]:
        """Average a step's figures over processes; all learn whether one of them was told to stop."""
        values = [getattr(losses, name).detach().float() for name in SCALARS]
        values += [norm.detach().float(), losses.total.new_tensor(float(is_stopping))]
        averaged = self.ranks.average(torch.stack([value.reshape(()) for value in values])).tolist()
        return dict(zip((*SCALARS, "gradient", "stop"), averaged, strict=True))

    def _show(self, figures: dict[str, float], rate: float) -> None:
        passed = time.monotonic() - self.started
        shown = {name: figures[name] for name in SCALARS}
        speed = self.size * self.state.step / max(self.state.seconds, 1e-9)
        self.report.gauge(**shown, rate=rate, shapes_per_second=speed, waiting=self.waited / max(passed, 1e-9))

    @torch.no_grad()
    def _validate(self, metrics: Metrics | None) -> bool:
        """Measure the losses on clouds that are not trained on; say whether they are the best so far."""
        if self.validation is None:
            return True
        numbers = list(range(len(self.validation.keys)))
        sums, fill = torch.zeros(len(SCALARS), dtype=torch.float64), torch.zeros(1)
        self.model.eval()
        for start in range(0, len(numbers), self.size):
            chosen = self.validation.batch(numbers[start : start + self.size], "validation")
            with self._precision():
                losses: Losses = self.model(chosen.batch.to(self.device))
            sums += len(chosen.keys) * torch.tensor([float(getattr(losses, name)) for name in SCALARS])
            fill = fill + losses.fill.cpu()
        self.model.train()
        figures: dict[str, float] = dict(zip(SCALARS, (sums / len(numbers)).tolist(), strict=True))
        judged = self._judged(figures)
        is_best = judged <= self.state.best
        self.state = self.state._replace(best=min(self.state.best, judged))
        if metrics is not None:
            epoch = self.state.step / self.steps_per_epoch
            row = {
                "kind": "validation",
                "step": self.state.step,
                "epoch": epoch,
                **figures,
                "fill": fill.int().tolist(),
            }
            metrics.write(row)
        if not self.state.step:
            self.report.note(_fill_in_words(fill))
        said = ", ".join(f"{name} {figures[name]:.4f}" for name in LOSSES)
        self.report.note(f"validation after step {self.state.step}: {said}{', the best so far' if is_best else ''}")
        return is_best

    def _judged(self, figures: dict[str, float]) -> float:
        """Weigh the losses that one epoch can be compared with another by: those whose targets stay what they are.

        The teacher's clusters grow sharper while it learns, so that the assignment loss has its minimum after an
        epoch or two. Where nothing else is trained, the latest checkpoint counts as the best.
        """
        if self.config.loss == "assign":
            return -float(self.state.step)
        return figures["total"] - figures["assign"]

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


def _optimizer(model: Pretraining, config: PretrainConfig) -> torch.optim.AdamW:
    """Let weights decay, and neither biases nor norms nor the mask query, as the recipe's authors do."""
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [each for each in trained if each.ndim > 1], "weight_decay": config.weight_decay, "matrices": True},
        {"params": [each for each in trained if each.ndim <= 1], "weight_decay": 0.0},
    ]
    return OPTIMIZERS[config.optimizer](groups, lr=config.learning_rate, betas=(0.9, config.second_moment))


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


def _fill_in_words(fill: Tensor) -> str:
    most = len(fill) - 1
    shares = (fill / fill.sum().clamp_min(1)).cumsum(0)
    median, quarter = int((shares < 0.5).sum()), int((shares < 0.25).sum())
    return (
        f"patches hold {median} of {most} points in the median, a quarter holds at most {quarter}, "
        f"{float(fill[-1] / fill.sum().clamp_min(1)):.0%} are full"
    )
