"""The packages beside the standard library: what each is for, and what its known failures mean.

A heavy package is imported where it is used, through `load`, so that its absence is one sentence with the way out
and everything that does not need it still runs.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from s4tok.errors import MissingError


@dataclass(frozen=True)
class Package:
    """A package by the name it is imported by."""

    pip_name: str
    needed_for: str  # what stands still without it
    proof: str = ""  # the module whose import alone proves that it works; without, it works where it is installed
    instead: str = ""  # what does without it


PACKAGES = {
    "numpy": Package("numpy", "everything", "numpy"),
    "scipy": Package("scipy", "neighbour search", "scipy.spatial"),
    "torch": Package("torch", "every computation on tensors", "torch"),
    "torchvision": Package("torchvision", "extract-clip, through open_clip"),
    "h5py": Package("h5py", "every cache", "h5py"),
    "open3d": Package("open3d", "normals, the toy world's sensor and some file formats", "open3d"),
    "pycut_pursuit": Package(
        "pycut-pursuit", "superpoints --method cut-pursuit", "pycut_pursuit.cp_d0_dist", "pass --method greedy"
    ),
    "numba": Package("numba", "superpoints --method greedy, which takes far longer without"),
    "open_clip": Package("open_clip_torch", "extract-clip, pretrain, segment and classify"),
    "timm": Package("timm", "DINOv2 and SigLIP"),
    "huggingface_hub": Package("huggingface-hub", "weights from the hub"),
    "pyrender": Package("pyrender", "render-views of meshes", "pyrender"),
    "trimesh": Package("trimesh", "mesh files", "trimesh"),
    "safetensors": Package("safetensors", "checkpoints"),
    "jaxtyping": Package("jaxtyping", "everything"),
    "typer": Package("typer", "the command line"),
    "rich": Package("rich", "the command line"),
}

# Libraries of the system, and the Debian package that brings each.
DEBIAN_PACKAGES = {
    "libusb-1.0": "libusb-1.0-0",
    "libEGL": "libegl1",
    "libGL": "libgl1",
    "libgomp": "libgomp1",
    "libX11": "libx11-6",
    "libudev": "libudev1",
    "libidn2": "libidn2-0",
}


def load(name: str) -> ModuleType:
    """Import a package, or say what cannot be done without it and what brings it."""
    try:
        return import_module(name)
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        package = PACKAGES[name.partition(".")[0]]
        reason = f"{package.pip_name} cannot be imported, and is needed for {package.needed_for}: {first_line(error)}."
        instead = f", or {package.instead}" if package.instead else ""
        raise MissingError(reason, f"{fix(name, error)}{instead}") from error


def fix(name: str, error: object) -> str:
    """Give the one line that mends a package which cannot be imported."""
    text = str(error)
    pip_name = PACKAGES[name.partition(".")[0]].pip_name
    library = re.search(r"(lib[\w.+-]+?)\.so[\d.]*: cannot open shared object", text)
    if library:
        stem = library.group(1)
        return f"sudo apt-get install {DEBIAN_PACKAGES.get(stem, stem)}"
    if "torchvision::nms" in text:
        return "torch and torchvision do not match: pip install --upgrade torch torchvision"
    if "numpy.core.multiarray" in text or "_ARRAY_API" in text or "compiled using NumPy 1" in text:
        return 'its wheel was built for NumPy 1: pip install "numpy<2"'
    if "GLIBC" in text:
        return f"its wheel needs a newer system: use a container with glibc 2.35, or an older {pip_name}"
    return f"pip install {pip_name}"


def first_line(error: object) -> str:
    """Give an error's first line without its full stop, to stand inside a sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
