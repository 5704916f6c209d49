"""The Slurm examples, submitted to an `sbatch` that runs an array's tasks side by side, as plain bash."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from s4tok_cache import CacheReader
from s4tok_pipelines.layouts import CLIP_FEATURES, SUPERPOINTS, VIEWS
from tests.running import environment

EXAMPLES = Path(__file__).parents[2] / "examples" / "slurm"

SBATCH = """\
#!/usr/bin/env bash
# Runs a job where it is submitted; a job may only depend on jobs that have ended.
set -euo pipefail
options=() first=0 last=-1
while [[ $1 == --* ]]; do
    case $1 in
        --array=*) array=${1#--array=} first=${array%-*} last=${array#*-} ;;
        --dependency=*) for job in $(tr ':' ' ' <<<"${1#--dependency=*:}"); do [ -e "$JOBS/$job" ]; done ;;
    esac
    options+=("$1")
    shift
done
script=$1
shift
job=$(($(ls "$JOBS" | wc -l) + 1))
export SLURM_ARRAY_TASK_COUNT=$((last - first + 1)) SLURM_ARRAY_TASK_MIN=$first SLURM_ARRAY_TASK_MAX=$last
tasks=()
for ((task = first; task <= last; task++)); do
    SLURM_ARRAY_TASK_ID=$task bash "$script" "$@" >>"$JOBS.log" 2>&1 &
    tasks+=($!)
done
for task in "${tasks[@]}"; do wait "$task"; done
[ ${#tasks[@]} -gt 0 ] || bash "$script" "$@" >>"$JOBS.log" 2>&1
echo "${options[*]} $(basename "$script") $*" >"$JOBS/$job"
echo "$job;cluster"
"""


@pytest.fixture
def cluster(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a login node."""
    bin_, jobs = tmp_path / "bin", tmp_path / "jobs"
    bin_.mkdir()
    jobs.mkdir()
    for name, text in (("sbatch", SBATCH), ("s4tok", f'#!/bin/sh\nexec {sys.executable} -m s4tok_cli "$@"\n')):
        (bin_ / name).write_text(text)
        (bin_ / name).chmod(0o755)
    path = environment()["PATH"]
    return environment(
        PATH=f"{bin_}:{path}", JOBS=str(jobs), TASKS="2", S4TOK_CACHE=str(tmp_path / "cache"), S4TOK_SPLIT="val",
        S4TOK_LIMIT="2", S4TOK_METHOD="grid", S4TOK_PROJECTION="classification", S4TOK_DEVICE="cpu",
    )  # fmt: skip


@pytest.mark.slow
def test_arrays_fill_the_cache_a_job_packs_it_and_another_is_told_to_train(
    cluster: dict[str, str], tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    scripts = shutil.copytree(EXAMPLES, tmp_path / "slurm")
    (scripts / "pretrain.sbatch").write_text("#!/usr/bin/env bash\necho training on $*\n")
    clip = make_clip(tmp_path / "tiny")
    done = subprocess.run(
        [scripts / "submit.sh", "toy-shapes", "--clip", clip],
        env=cluster, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    log = (tmp_path / "jobs.log").read_text()
    assert done.returncode == 0, done.stderr + log
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [
        "superpoints", "render-views", "extract-clip", "pack", "pretrain",
    ]  # fmt: skip
    root = tmp_path / "cache" / "toy-shapes" / "val"
    for layout, stage in ((SUPERPOINTS, "superpoints"), (VIEWS, "render-views"), (CLIP_FEATURES, "extract-clip")):
        assert len(CacheReader.find(root, layout, stage)) == 2
    assert len(list(root.glob("*.h5"))) == 3
    assert not list(root.glob("*/seg-*"))
    assert log.rstrip().endswith(f"training on toy-shapes --clip {clip}")
    assert "--dependency=aftercorr:1:2 " in (tmp_path / "jobs" / "3").read_text()


@pytest.mark.parametrize(("code", "ending"), [(0, 0), (3, 0), (4, 4), (143, 143)])
def test_clouds_that_cannot_be_made_do_not_stop_the_jobs_behind_and_all_else_does(
    cluster: dict[str, str], tmp_path: Path, code: int, ending: int
) -> None:
    (tmp_path / "bin" / "s4tok").write_text(f'#!/bin/sh\necho "$@" $S4TOK_WORKERS\nexit {code}\n')
    done = subprocess.run(
        ["bash", EXAMPLES / "stage.sbatch", "superpoints", "scannet"],
        env={**cluster, "SLURM_CPUS_PER_TASK": "7"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == ending
    assert done.stdout == "superpoints scannet --shard auto 7\n"
