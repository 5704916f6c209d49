import sys
import tomllib
from pathlib import Path

import pytest

from s4tok.dependencies import PACKAGES, fix, load
from s4tok.errors import MissingError


def test_a_package_that_is_there_is_handed_over() -> None:
    assert load("numpy").__name__ == "numpy"


def test_an_absent_package_is_one_sentence_with_what_needs_it_and_what_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "trimesh", None)  # how Python marks an import that must fail
    with pytest.raises(MissingError, match="trimesh cannot be imported, and is needed for mesh files: ") as caught:
        load("trimesh")
    assert caught.value.hint == "pip install trimesh"


@pytest.mark.parametrize(
    ("name", "error", "expected"),
    [
        ("open3d", "libEGL.so.1: cannot open shared object file: No such file", "sudo apt-get install libegl1"),
        ("open3d", "libnew.so.3: cannot open shared object file: No such file", "sudo apt-get install libnew"),
        ("open3d", "/lib/libc.so.6: version `GLIBC_2.35' not found", "use a container with glibc 2.35"),
        ("torchvision", "operator torchvision::nms does not exist", "pip install --upgrade torch torchvision"),
        ("pycut_pursuit", "numpy.core.multiarray failed to import", 'pip install "numpy<2"'),
        ("open_clip", "No module named 'open_clip'", "pip install open_clip_torch"),
    ],
)
def test_a_known_failure_has_its_fix(name: str, error: str, expected: str) -> None:
    assert expected in fix(name, error)


def test_every_dependency_of_the_wheel_is_known_here() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    names = {requirement.split(">")[0] for requirement in project["dependencies"]}
    assert names == {package.pip_name for package in PACKAGES.values()} - {
        "torchvision",
        "timm",
        "huggingface-hub",
    }  # open_clip brings them
