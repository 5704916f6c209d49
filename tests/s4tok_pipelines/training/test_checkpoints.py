import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

import pytest
import torch
from open_clip.transformer import VisionTransformer
from safetensors.torch import load_file

from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.config import ClusterConfig, PretrainConfig
from s4tok.errors import InputError
from s4tok.objectives.s4token import S4Token
from s4tok.tokenizers import build_tokenizer
from s4tok_pipelines.training.checkpoints import State, load_checkpoint, save_checkpoint

KILLS = 60


def training() -> tuple[S4Token, torch.optim.Optimizer]:
    torch.manual_seed(0)
    tower = VisionTransformer(image_size=32, patch_size=8, width=24, layers=1, heads=2, mlp_ratio=2, output_dim=12)
    tokenizer = build_tokenizer("s4token", width=24, n_tokens=4, patch_size=4, adapter_widths=(8, 16, 16))
    model = S4Token(tokenizer, FrozenEncoder(tower), PretrainConfig(), ClusterConfig(4, 5))
    return model, torch.optim.AdamW(weight for weight in model.parameters() if weight.requires_grad)


def step(model: S4Token, optimizer: torch.optim.Optimizer, number: int) -> None:
    """Make every weight and every memory of the optimiser say which step they are of."""
    for name, weight in model.named_parameters():
        if not name.startswith("encoder."):
            weight.data.fill_(number)
        if weight.requires_grad:
            memory = torch.full_like(weight, number)
            optimizer.state[weight] = {"step": torch.tensor(float(number)), "exp_avg": memory, "exp_avg_sq": memory + 0}


def steps_of(model: S4Token, optimizer: torch.optim.Optimizer) -> set[float]:
    """Give the steps that weights and memories are of."""
    mine = [weight for name, weight in model.named_parameters() if not name.startswith("encoder.")]
    mine += [value for memory in optimizer.state.values() for value in memory.values()]
    return {float(value) for tensor in mine for value in tensor.detach().aminmax()}


def save(folder: Path, number: int, *, is_best: bool = False) -> None:
    model, optimizer = training()
    step(model, optimizer, number)
    save_checkpoint(folder, model, optimizer, State(number, 0.5, 1.0), {"clip": {}}, is_best=is_best)


def test_a_weight_of_two_names_is_kept_under_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, optimizer = training()
    weights = model.trainable_state()
    name, weight = next(iter(weights.items()))
    monkeypatch.setattr(model, "trainable_state", lambda: {**weights, f"again.{name}": weight})
    save_checkpoint(tmp_path, model, optimizer, State(1, 0.5, 1.0), {"clip": {}})
    kept = load_file(tmp_path / "last" / "training.safetensors")
    assert torch.equal(kept[name], kept[f"again.{name}"])


def test_training_goes_on_from_the_last_checkpoint(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "ckpt", *training()) is None
    for number in (3, 4):
        save(tmp_path / "ckpt", number)
    model, optimizer = training()
    assert load_checkpoint(tmp_path / "ckpt", model, optimizer) == State(4, 0.5, 1.0)
    assert steps_of(model, optimizer) == {4.0}


def test_the_last_and_the_best_are_kept_and_nothing_else(tmp_path: Path) -> None:
    for number in range(1, 6):
        save(tmp_path, number, is_best=number == 2)
    (tmp_path / ".step-00000009.17.abc.tmp").mkdir()  # of a run that was killed
    save(tmp_path, 6)
    assert {path.name for path in tmp_path.iterdir()} == {"last", "best", "step-00000002", "step-00000006"}
    assert (tmp_path / "best").resolve().name == "step-00000002"


def test_a_checkpoint_of_the_same_step_takes_the_place_of_the_first(tmp_path: Path) -> None:
    save(tmp_path, 5)
    save(tmp_path, 5, is_best=True)
    assert load_checkpoint(tmp_path, *training()) == State(5, 0.5, 1.0)
    assert {path.name for path in tmp_path.iterdir()} == {"last", "best", "step-00000005"}


def test_a_save_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 5)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path, 6)
    assert {path.name for path in tmp_path.iterdir()} == {"last", "step-00000005"}
    assert load_checkpoint(tmp_path, *training()) == State(5, 0.5, 1.0)


@pytest.mark.parametrize("name", ["training.safetensors", "training.json"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path, name: str) -> None:
    save(tmp_path, 5)
    path = tmp_path / "last" / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="last cannot be loaded") as caught:
        load_checkpoint(tmp_path, *training())
    assert "\n" not in str(caught.value)


def test_a_last_checkpoint_that_is_gone_is_told_and_training_does_not_begin_anew(tmp_path: Path) -> None:
    save(tmp_path, 5)
    shutil.rmtree(tmp_path / "step-00000005")
    with pytest.raises(InputError, match="last cannot be loaded"):
        load_checkpoint(tmp_path, *training())


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 5)
    model, optimizer = training()
    del model.decoder
    with pytest.raises(InputError, match="does not know decoder"):
        load_checkpoint(tmp_path, model, optimizer)


@pytest.mark.slow
def test_whenever_the_writer_is_killed_the_last_checkpoint_loads_and_none_is_lost(
    python: Callable[..., CompletedProcess[str]],
) -> None:
    """A process forks a writer again and again, kills it at any moment, and reads what it has left."""
    done = python(__file__)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == KILLS


def write_until_killed(
    folder: Path, model: S4Token, optimizer: torch.optim.Optimizer, number: int, promise: int
) -> None:
    while True:
        number += 1
        step(model, optimizer, number)
        save_checkpoint(folder, model, optimizer, State(number, 0.5, 1.0), {"clip": {}}, is_best=number % 3 == 0)
        os.write(promise, number.to_bytes(4, "little"))


def kill_writers(folder: Path) -> int:
    draw, last = random.Random(0), 0
    model, optimizer = training()
    for _ in range(KILLS):
        reading, writing = os.pipe()
        writer = os.fork()
        if not writer:
            write_until_killed(folder, model, optimizer, last, writing)
        os.close(writing)
        os.read(reading, 4)  # it has begun
        time.sleep(draw.uniform(0, 0.04))
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        with os.fdopen(reading, "rb") as promises:
            rest = promises.read()
        promised = int.from_bytes(rest[-4:], "little") if rest else last + 1
        step(model, optimizer, -1)
        found = load_checkpoint(folder, model, optimizer)
        assert found is not None
        assert promised <= found.step <= promised + 1, (promised, found)
        assert steps_of(model, optimizer) == {float(found.step)}
        last = found.step
    return KILLS


if __name__ == "__main__":
    # What a killed process leaves does not depend on the disk, and in memory syncing costs nothing.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(dir=memory) as place:
        sys.stdout.write(str(kill_writers(Path(place))))
