"""The loop with an objective that has nothing to do with point clouds: a line through points."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from s4tok.config import LoopConfig, Speedups
from s4tok.objectives.objective import Figures, Objective
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.training.curves import draw_curves
from s4tok_pipelines.training.loop import Training, orders
from s4tok_pipelines.training.ranks import Ranks, from_environment, together
from s4tok_pipelines.training.run_folder import Metrics


class Points(NamedTuple):
    x: Tensor
    y: Tensor

    def to(self, device: Any) -> "Points":
        return Points(self.x.to(device), self.y.to(device))

    def pinned(self) -> "Points":
        return self


class Line(Objective):
    columns = ("total", "slope")
    curves = ("total",)

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(1, 1)
        self.frozen = nn.Linear(1, 1).requires_grad_(False)
        self.progress: list[float] = []
        nn.init.zeros_(self.line.weight)

    def collate(self, entries: Sequence[tuple[float, float]]) -> Points:
        x, y = torch.tensor(entries).T
        return Points(x[:, None], y[:, None])

    def step(self, batch: Points) -> dict[str, Tensor]:
        return {"total": (self.line(batch.x) - batch.y).square().mean(), "slope": self.line.weight.detach().mean()}

    def after_step(self, progress: float) -> None:
        self.progress.append(progress)

    def selection(self, figures: Figures) -> float:
        return abs(float(figures["slope"]) - 3)

    def export(self, folder: Path, card: Mapping[str, Any]) -> None:
        save_file({"weight": self.line.weight.detach()}, folder / "line.safetensors")
        (folder / "line.json").write_text(json.dumps(dict(card)))


@dataclass
class Samples:
    """Points of y = 3 x + 1, each drawn by its number and epoch."""

    keys: list[str]

    def entries(self, numbers: Sequence[int], epoch: int | str) -> list[tuple[float, float]]:
        found = []
        for number in numbers:
            x = float(torch.rand((), generator=torch.Generator().manual_seed(1000 * number + len(str(epoch)))))
            found.append((x, 3 * x + 1))
        return found


class Dies(Report):
    """A process that dies after so many steps."""

    def __init__(self, after: int) -> None:
        self.after = after

    def steps(self, items: Any, text: str, total: int | None = None, done: int = 0) -> Any:
        for number, item in enumerate(items):
            if number == self.after:
                raise RuntimeError("killed")
            yield item


CONFIG = LoopConfig(learning_rate=0.1, epochs=4, batch=4, warmup_epochs=0, weight_decay=0.0)


def train(folder: Path, report: Report = silent, ranks: Ranks = Ranks(), config: LoopConfig = CONFIG) -> Line:  # noqa: B008 - it cannot change
    torch.manual_seed(0)
    line = Line()
    data, held = Samples([f"point-{number}" for number in range(20)]), Samples(["a", "b", "c"])
    folder.mkdir(exist_ok=True)
    training = Training(
        line, config, data, held, folder=folder, card={"of": "a line"}, ranks=ranks, device=torch.device("cpu"),
        save_every=1e9, speedups=Speedups(), report=report,
    )  # fmt: skip
    metrics = Metrics(folder, training.state.step) if ranks.is_first else None
    try:
        training.run(metrics)
    finally:
        if metrics is not None:
            metrics.close()
            draw_curves(folder / "curves.png", metrics.rows, line.curves, "a line")
    return line


def weights(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = load_file(folder / "ckpt" / "last" / "training.safetensors")
    return found


def test_a_method_that_the_loop_has_never_heard_of_is_trained_logged_drawn_and_kept(tmp_path: Path) -> None:
    line = train(tmp_path / "run")
    assert line.progress == pytest.approx([(step + 1) / 20 for step in range(20)])
    rows = [json.loads(row) for row in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    steps = [row for row in rows if row["kind"] == "step"]
    assert len(steps) == 20
    assert steps[-1]["total"] < 0.3 * steps[0]["total"]
    assert {"total", "slope", "gradient", "rate"} <= steps[0].keys()
    assert len([row for row in rows if row["kind"] == "validation"]) == 5  # before the first step, and each epoch
    assert (tmp_path / "run" / "curves.png").is_file()
    last = tmp_path / "run" / "ckpt" / "last"
    assert torch.equal(load_file(last / "line.safetensors")["weight"], line.line.weight)
    assert not [name for name in weights(tmp_path / "run") if name.startswith("frozen")]


class Weights:
    """The weights and gradients of an optimiser, each time a hook of PyTorch's is called."""

    def __init__(self) -> None:
        self.values: list[list[Tensor]] = []
        self.gradients: list[list[Tensor]] = []

    @contextmanager
    def noted(self, register: Callable[..., Any]) -> Iterator[None]:
        handle = register(self._note)
        try:
            yield
        finally:
            handle.remove()

    def _note(self, optimizer: torch.optim.Optimizer, *call: Any) -> None:
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        self.values.append([weight.detach().clone() for weight in weights])
        self.gradients.append([weight.grad.clone() for weight in weights])


def test_every_step_is_adamws_by_the_numbers_of_the_recipe(tmp_path: Path) -> None:
    """Each step is worked by hand from the weights and the clipped gradients that the optimiser was given."""
    numbers: dict[str, Any] = {"weight_decay": 0.3, "second_moment": 0.95, "clip_gradient": 0.5}
    before, after = Weights(), Weights()
    with before.noted(register_optimizer_step_pre_hook), after.noted(register_optimizer_step_post_hook):
        train(tmp_path / "run", config=replace(CONFIG, **numbers))
    rows = [json.loads(row) for row in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    steps = [row for row in rows if row["kind"] == "step"]
    assert (steps[0]["rate"], max(row["gradient"] for row in steps) > 0.5) == (0.1, True)
    m, v = ([torch.zeros_like(gradient) for gradient in before.gradients[0]] for _ in range(2))
    for t, (row, weights, gradients, found) in enumerate(
        zip(steps, before.values, before.gradients, after.values, strict=True), 1
    ):
        norm = float(torch.cat([gradient.flatten() for gradient in gradients]).norm())
        assert norm == pytest.approx(min(0.5, row["gradient"]), rel=1e-4)
        for i, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
            m[i] = 0.9 * m[i] + 0.1 * gradient
            v[i] = 0.95 * v[i] + 0.05 * gradient**2
            step = m[i] / (1 - 0.9**t) / ((v[i] / (1 - 0.95**t)).sqrt() + 1e-8)
            kept = 1 - 0.3 * row["rate"] if weight.ndim > 1 else 1.0  # a bias does not decay
            torch.testing.assert_close(found[i], kept * weight - row["rate"] * step)


@pytest.mark.parametrize("after", [7, 10])
def test_stopped_and_resumed_it_ends_with_the_same_bits(tmp_path: Path, after: int) -> None:
    train(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="killed"):
        train(tmp_path / "part", Dies(after))
    train(tmp_path / "part")
    whole, part = weights(tmp_path / "whole"), weights(tmp_path / "part")
    assert whole.keys() == part.keys()
    assert all(torch.equal(whole[name], part[name]) for name in whole)


def test_a_state_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    line = Line()
    with pytest.raises(ValueError, match=r"it lacks or does not know line\.bias"):
        line.load_trainable_state({"line.weight": torch.zeros(1, 1)}, tmp_path)


def test_two_processes_train_as_one(tmp_path: Path, python: Callable[..., CompletedProcess[str]]) -> None:
    train(tmp_path / "one")
    done = python(
        "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__, tmp_path / "two", timeout=120
    )
    assert done.returncode == 0, done.stderr
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=1e-5)


def test_processes_share_each_batch_and_every_epoch_has_an_order_of_its_own() -> None:
    whole = list(orders(20, 4, range(10), 5, seed=0))
    assert [epoch for _, epoch in whole] == [0] * 5 + [1] * 5
    assert sorted(number for numbers, _ in whole[:5] for number in numbers) == list(range(20))
    assert [numbers for numbers, _ in whole[:5]] != [numbers for numbers, _ in whole[5:]]
    assert list(orders(20, 4, range(7, 10), 5, seed=0)) == whole[7:]
    assert list(orders(20, 4, range(10), 5, seed=1)) != whole


if __name__ == "__main__":
    its = from_environment()
    with together(its, "cpu"):
        train(Path(sys.argv[1]), ranks=its)
