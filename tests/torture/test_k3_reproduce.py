"""K3: kill -9 while `reproduce all` trains, measures and draws, until it is done: same tables, nothing done twice."""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.torture.tally import Tally, scaled, seed

KILLS = max(3, scaled(20))
CHANGES = {
    "tokenizer.n_points": 120, "tokenizer.n_tokens": 8, "tokenizer.patch_size": 8,
    "tokenizer.adapter_widths": (4, 8, 8), "training.head": "none", "training.optimizer": "adamw",
}  # fmt: skip
OF_A_RUN = {"seconds", "training_seconds", "results_made", "results_present", "page"}  # what may differ


def test_killed_at_any_moment_it_ends_with_the_same_tables_and_does_nothing_twice(
    tmp_path: Path, tally: Tally, make_clip: Callable[..., Path], python: Callable[..., CompletedProcess[str]]
) -> None:
    make_clip(tmp_path / "tiny")
    done = python(__file__, tmp_path, KILLS, seed(), timeout=max(3000, 60 * KILLS))
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        at, *faults = line.split(" | ")
        tally.check(not faults, f"killed {at}: {faults}")
    whole, broken = (_tables(tmp_path / name / "out") for name in ("whole", "broken"))
    assert len(whole) == 3  # table9, figureB, index
    tally.check(whole == broken, "the tables differ")
    tally.settle(at_least=KILLS + 1)


def _tables(out: Path) -> dict[str, Any]:
    """Read every table but for how long it took."""
    paths = [out / "table9" / "table9.json", out / "figureB" / "figureB.json", out / "index.json"]
    return {path.name: _timeless(json.loads(path.read_text())) for path in paths}


def _timeless(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _timeless(each) for name, each in found.items() if name not in OF_A_RUN}
    return [_timeless(each) for each in found] if isinstance(found, list) else found


def _everything() -> None:
    """Run `reproduce all --quick` of one table and one figure, all of it small."""
    from unittest.mock import patch

    from s4tok.synthetic.datasets import ToyShapes
    from s4tok_pipelines.inputs.models import ModelNames
    from s4tok_pipelines.stages import reproduce_by_name as stage
    from s4tok_pipelines.tables.spec import THREE_MEANS, Asked, Method, Recipe, Spec

    trained = Method("trained", "Trained", recipe=Recipe("pretrain", "objects", CHANGES))
    probed = Method(
        "probed", "Probed", tasks=("parts",),
        recipe=Recipe("finetune", "parts-train", {"task": "parts", "head.head": "probe", "training.train": "head"},
                      "trained"),
    )  # fmt: skip
    asked = (Asked("parts", "parts", THREE_MEANS), Asked("modelnet40", "objects", {"accuracy": "accuracy"}))
    spec = Spec("table9", "Nine", "a paper", asked, (trained, probed))
    shapes = ToyShapes("test", sizes=(6, 0, 2), points=300)
    small: Callable[..., dict[str, ToyShapes]] = lambda roles, *_, **__: dict.fromkeys(roles, shapes)  # noqa: E731
    with (
        patch.object(stage, "NAMES", ("table9", "figureB")),
        patch("s4tok_pipelines.stages.reproduce_by_name.SPECS", {"table9": spec}),
        patch("s4tok_pipelines.stages.table_work.open_roles", small),
        patch("s4tok_pipelines.stages.reproduce_figure.open_roles", small),
    ):
        wanted = stage.Reproduction(Path("out"), Path("cache"), ModelNames(clip="../tiny", device="cpu"), is_quick=True)
        found = stage.reproduce_by_name("all", wanted)
    assert not found.failures, found.failures


def _started(folder: Path) -> int:
    process = os.fork()
    if process:
        return process
    os.chdir(folder)
    _everything()
    os._exit(0)


def _done(folder: Path) -> dict[str, int]:
    """List results and the last checkpoints of finished runs, with when they were written."""
    from s4tok_pipelines.tables.table2_checkpoints import is_unfinished

    runs = [path for path in (folder / "out" / "checkpoints-quick").glob("*") if not is_unfinished(path)]
    files = [
        *(folder / "out" / "results").glob("*.json"),
        *(run / "ckpt" / "last" / "model.safetensors" for run in runs),
    ]
    return {str(path): path.stat().st_mtime_ns for path in files}


def _main(root: Path, kills: int, seed: int) -> None:
    from s4tok.vision.frozen_clip import FrozenClip

    FrozenClip.load(str(root / "tiny"))  # imports what all runs need
    drawn = random.Random(seed)
    whole, broken = root / "whole", root / "broken"
    whole.mkdir()
    began = time.monotonic()
    assert os.waitpid(_started(whole), 0)[1] == 0
    most = time.monotonic() - began
    killed = 0
    while killed < kills:
        broken.mkdir()
        while killed < kills:  # until one build is complete, or there were enough
            before, process = _done(broken), _started(broken)
            at = drawn.uniform(0.02, 0.6) * most
            time.sleep(at)
            os.kill(process, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            after = _done(broken)
            faults = [path for path, when in before.items() if after.get(path) != when]
            if code != -signal.SIGKILL:
                assert code == 0
                break
            killed += 1
            sys.stdout.write(" | ".join([f"after {at:.2f} s", *faults]) + "\n")
        before = _done(broken)
        assert os.waitpid(_started(broken), 0)[1] == 0
        assert before.items() <= _done(broken).items()
        if killed < kills:
            shutil.rmtree(broken)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
