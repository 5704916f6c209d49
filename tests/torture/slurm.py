"""A Slurm cluster of one node, started for a test out of its own folder and gone when the test is."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "squeue", "sinfo")
DEBIAN_PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")

CONFIGURATION = """\
ClusterName=torture
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
"""


def why_not() -> str:
    """Say why no Slurm can be started here, or nothing; where apt-get is and may, it fetches what is missing."""
    if os.geteuid() != 0:
        return "needs root: munged, slurmctld and slurmd are started for the test"
    if _missing() and shutil.which("apt-get"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES]
        subprocess.run(install, env=os.environ | quiet, capture_output=True, check=False, timeout=300)
    return f"Slurm is not installed: no {', '.join(_missing())}" if _missing() else ""


def _missing() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


class Slurm:
    """Speak to the cluster that `one_node` started."""

    def __init__(self, folder: Path) -> None:
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
        self.environment["SLURM_CONF"] = str(folder / "slurm.conf")

    def run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def submit(self, script: Path, *options: str) -> str:
        """Hand a job in and return its number."""
        return self.run("sbatch", "--parsable", *options, str(script))

    def states(self, job: str) -> dict[int, str]:
        """Tell the state of every task of a job array (finished ones stay listed for five minutes)."""
        rows = self.run("squeue", f"--jobs={job}", "--noheader", "--array", "--states=all", "--format=%K %T")
        return {int(task): state for task, state in map(str.split, rows.splitlines())}


@contextmanager
def one_node(folder: Path) -> Iterator[Slurm]:
    """Start munged, slurmctld and slurmd, wait until the node is idle, and stop all three at the end."""
    host = socket.gethostname().split(".")[0]
    controller_port, node_port = _free_port(), _free_port()
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    (folder / "slurm.conf").write_text(
        CONFIGURATION.format(
            host=host, controller_port=controller_port, node_port=node_port, folder=folder, cpus=os.cpu_count()
        )
    )
    slurm = Slurm(folder)
    running: list[subprocess.Popen[bytes]] = []
    commands = [
        ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", f"--key-file={key}",
         f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/munged.seed"],
        ["slurmctld", "-D", "-i", "-c"],
        ["slurmd", "-D", "-N", host],
    ]  # fmt: skip
    try:
        with (folder / "daemons.log").open("wb") as log:
            for command in commands:
                running.append(_daemon(command, slurm.environment, log))
                time.sleep(0.5)
            _wait_until_idle(slurm, running, folder)
            yield slurm
    finally:
        for daemon in reversed(running):
            daemon.terminate()
        for daemon in reversed(running):
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _daemon(command: Sequence[str], environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


def _wait_until_idle(slurm: Slurm, running: list[subprocess.Popen[bytes]], folder: Path) -> None:
    deadline = time.monotonic() + 60
    state = "unknown"
    while time.monotonic() < deadline:
        if any(daemon.poll() is not None for daemon in running):
            break
        try:
            state = slurm.run("sinfo", "--noheader", "--format=%T")
        except RuntimeError as error:
            state = str(error)
        if state == "idle":
            return
        time.sleep(0.5)
    raise RuntimeError(f"the Slurm node is {state}; its logs are in {folder}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
