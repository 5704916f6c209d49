"""Examine the machine: what each stage needs, what is there, and the one line that mends what is not.

Every package is imported in a process of its own: one that crashes, hangs or disturbs another is a finding.
"""

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

from s4tok.dependencies import PACKAGES, first_line, fix
from s4tok_pipelines.probes import Probe, offscreen, run_elsewhere
from s4tok_pipelines.report import Report, silent

# File systems that keep a file only as long as the machine runs, and those shared between machines.
VOLATILE, SHARED = {"tmpfs", "ramfs"}, {"nfs", "nfs4", "lustre", "gpfs", "beegfs", "cifs", "fuse.sshfs", "ceph"}


def doctor(cache: Path, report: Report = silent) -> list[Probe]:
    """Examine Python, packages, GPU, headless rendering, storage, weights and the cluster."""
    examinations: list[Callable[[], Probe]] = [
        python,
        *(lambda name=name: package(name) for name in PACKAGES),
        gpu,
        egl,
        lambda: storage(cache),
        weights,
        slurm,
    ]
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1)) as pool:
        findings = [pool.submit(examine) for examine in examinations]
        return [finding.result() for finding in report.steps(findings, "examining")]


def python() -> Probe:
    """Check the interpreter's version."""
    found = f"{platform.python_version()} at {sys.executable}"
    if (3, 11) <= sys.version_info < (3, 14):
        return Probe("python", "ok", found)
    return Probe("python", "problem", found, "s4tok needs Python 3.11, 3.12 or 3.13")


def package(name: str) -> Probe:
    """Import a package in a process of its own; say its version, or what mends it."""
    pip_name, needed_for = PACKAGES[name].pip_name, PACKAGES[name].needed_for
    failure = run_elsewhere(f"import {PACKAGES[name].proof or name}")[0]
    if failure is None:
        version = _version(pip_name)
        return Probe(pip_name, "ok", f"{version}, HDF5 {_hdf5_version()}" if name == "h5py" else version)
    installed = "" if _version(pip_name) == "absent" else f"{_version(pip_name)} does not import: "
    return Probe(pip_name, "problem", f"{installed}{first_line(failure)} (needed for {needed_for})", fix(name, failure))


def gpu() -> Probe:
    """Say whether PyTorch sees a GPU; everything also runs without."""
    code = (
        "import json, torch; print(json.dumps([torch.version.cuda, "
        "[torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]]))"
    )
    failure, output = run_elsewhere(code)
    if failure is not None:
        return Probe("gpu", "note", "unknown, for torch does not import")
    cuda, names = json.loads(output.splitlines()[-1])
    if names:
        return Probe("gpu", "ok", f"{', '.join(names)} (CUDA {cuda})")
    built = f"torch was built for CUDA {cuda}" if cuda else "torch was built without CUDA"
    return Probe("gpu", "note", f"none: {built}; every stage runs on the CPU")


def egl() -> Probe:
    """Render nothing through EGL, and say who would render."""
    return offscreen("egl")


def storage(cache: Path) -> Probe:
    """Say which file system the cache lies on, and how much room it has."""
    folder = cache.absolute()
    while not folder.exists():
        folder = folder.parent
    kind = _file_system(folder.resolve())
    free = shutil.disk_usage(folder).free
    found = f"{cache} on {kind}, {free / 1e9:.1f} GB free"
    if not os.access(folder, os.W_OK):
        return Probe("cache", "problem", f"{found}, and {folder} cannot be written to", "name another one: --cache")
    if kind in VOLATILE:
        return Probe("cache", "note", f"{found}; it is gone when the machine restarts", "name another one: --cache")
    if kind in SHARED:
        return Probe("cache", "ok", f"{found}; shared between machines, which is fine: s4tok takes no locks")
    return Probe("cache", "ok", found)


def weights() -> Probe:
    """Look for CLIP weights where open_clip and its hub keep them."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    names = {folder.name.removeprefix("models--").replace("--", "/") for folder in hub.glob("models--*")}
    found = sorted(name for name in names if "clip" in name.lower())
    found += sorted(file.name for file in (Path.home() / ".cache" / "clip").glob("*.pt"))
    if found:
        return Probe("clip weights", "ok", ", ".join(found))
    return Probe(
        "clip weights",
        "note",
        f"none under {hub}",
        'where there is a network: python -c "import open_clip; '
        "open_clip.create_model('ViT-B-16', pretrained='openai')\"",
    )


def slurm() -> Probe:
    """Say which part of a Slurm job this is, for `--shard auto`."""
    names = ("SLURM_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_PROCID", "SLURM_NTASKS")
    values = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
    return Probe("slurm", "ok", " ".join(values) or "not inside a job")


def _version(pip_name: str) -> str:
    try:
        return metadata.version(pip_name)
    except metadata.PackageNotFoundError:
        return "absent"


def _hdf5_version() -> str:
    return run_elsewhere("import h5py; print(h5py.version.hdf5_version)")[1].strip()


def _file_system(folder: Path) -> str:
    """Find the type of the file system a folder lies on, from the longest mount point above it."""
    best, kind = "", "an unknown file system"
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return kind
    for line in lines:
        _, mount, kind_of_mount, *_ = line.split(" ")
        mount = mount.replace("\\040", " ")
        if folder.is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, kind_of_mount
    return kind
