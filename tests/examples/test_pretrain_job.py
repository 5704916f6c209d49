import os
import subprocess
from pathlib import Path

from torch.distributed.run import parse_args

JOB = Path(__file__).parents[2] / "examples" / "slurm" / "pretrain.sbatch"


def script(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def test_the_job_starts_a_process_a_gpu_on_every_node_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    script(tmp_path, "scontrol", "printf 'node7\\nnode8\\n'")
    script(tmp_path, "srun", 'shift; exec "$@"')
    script(tmp_path, "torchrun", 'printf "%s\\n" "$@"')
    slurm = {
        "SLURM_JOB_NODELIST": "node[7-8]",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_GPUS_ON_NODE": "4",
        "SLURM_JOB_ID": "17",
    }
    done = subprocess.run(
        ["bash", JOB, "toy shapes", "--preset", "toy"],
        env={**slurm, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    asked = parse_args(done.stdout.splitlines())  # type: ignore[no-untyped-call]
    assert (asked.nnodes, asked.nproc_per_node, asked.rdzv_id, asked.rdzv_endpoint) == ("2", "4", "17", "node7:29500")
    assert asked.module
    assert [asked.training_script, *asked.training_script_args] == [
        "s4tok_cli", "pretrain", "toy shapes", "--preset", "toy", "--resume",
    ]  # fmt: skip
