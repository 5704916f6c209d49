"""Examine the machine: what each stage needs, what is there, and the one line that mends what is not.

Packages that only an import can prove are imported in one other process, which costs the fewest seconds; what that one
does not come through is imported once more in a process of its own: one that crashes or hangs is a finding.
"""

import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from s4tok.dependencies import PACKAGES, first_line, fix
from s4tok_pipelines.probes import Probe, offscreen, run_elsewhere
from s4tok_pipelines.report import Report, silent

# File systems that keep a file only as long as the machine runs, and those shared between machines.
VOLATILE, SHARED = {"tmpfs", "ramfs"}, {"nfs", "nfs4", "lustre", "gpfs", "beegfs", "cifs", "fuse.sshfs", "ceph"}


# Says of each module that it imports, before the next may crash, what went wrong and what it knows. To look for cycles
# among what PyTorch makes, meanwhile and at the end, would take a third of the time.
IMPORTS = """
import gc, importlib, json, sys
gc.disable()
def about():
    if name == "h5py":
        return f", HDF5 {module.version.hdf5_version}"
    if name == "torch":
        cuda = module.cuda
        return [module.version.cuda, [cuda.get_device_name(number) for number in range(cuda.device_count())]]
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
        said = [name, None, about()]
    except BaseException as error:
        said = [name, f"{type(error).__name__}: {error}", None]
    print(json.dumps(said), flush=True)
gc.freeze()
"""


class Imported(NamedTuple):
    """What came of an import."""

    failure: str | None
    about: Any  # HDF5's version, CUDA's version and the GPUs' names


def doctor(cache: Path, report: Report = silent) -> list[Probe]:
    """Examine Python, packages, GPU, headless rendering, storage, weights and the cluster."""
    imported = import_packages()
    examinations: list[Callable[[], Probe]] = [
        python,
        *(lambda name=name: package(name, imported) for name in PACKAGES),
        lambda: gpu(imported),
        egl,
        lambda: storage(cache),
        weights,
        slurm,
    ]
    return [examine() for examine in report.steps(examinations, "examining")]


def python() -> Probe:
    """Check the interpreter's version."""
    found = f"{platform.python_version()} at {sys.executable}"
    if (3, 11) <= sys.version_info < (3, 14):
        return Probe("python", "ok", found)
    return Probe("python", "problem", found, "s4tok needs Python 3.11, 3.12 or 3.13")


def import_packages() -> dict[str, Imported]:
    """Import all that need it in one other process, and alone what that one did not come through."""
    modules = [package.proof for package in PACKAGES.values() if package.proof]
    imported = _import_elsewhere(modules)
    for module in modules:
        if module not in imported or imported[module].failure:
            imported |= _import_elsewhere([module])
    return imported


def _import_elsewhere(modules: list[str]) -> dict[str, Imported]:
    failure, output = run_elsewhere(IMPORTS, *modules)
    said = {name: Imported(*others) for name, *others in map(json.loads, output.splitlines())}
    if failure is not None and len(modules) == 1:
        said = {modules[0]: Imported(failure, None)}
    return said


def package(name: str, imported: Mapping[str, Imported]) -> Probe:
    """Say a package's version, or what is wrong with it and what mends it."""
    pip_name, needed_for, proof = PACKAGES[name].pip_name, PACKAGES[name].needed_for, PACKAGES[name].proof
    version = _version(pip_name)
    failure = imported[proof].failure if proof else _unfit(pip_name)
    if failure is None:
        return Probe(pip_name, "ok", f"{version}{imported[proof].about}" if name == "h5py" else version)
    installed = "" if version == "absent" else f"{version} does not import: "
    return Probe(pip_name, "problem", f"{installed}{first_line(failure)} (needed for {needed_for})", fix(name, failure))


def _unfit(pip_name: str) -> str | None:
    """Find what is wrong with a package by what it says of itself: it is absent, or made for another PyTorch."""
    try:
        needs = metadata.requires(pip_name) or []
    except metadata.PackageNotFoundError:
        return f"no package {pip_name} is installed"
    wanted = next((found[1] for each in needs if (found := re.match(r"torch *\(?==([\d.]+)", each))), None)
    there = _version("torch").partition("+")[0]
    return (
        None if wanted in (None, there) else f"it is made for torch {wanted}, and there is {there} (torchvision::nms)"
    )


def gpu(imported: Mapping[str, Imported]) -> Probe:
    """Say whether PyTorch sees a GPU; everything also runs without."""
    if imported["torch"].failure is not None:
        return Probe("gpu", "note", "unknown, for torch does not import")
    cuda, names = imported["torch"].about
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
