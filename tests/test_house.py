import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("s4tok", "s4tok_cli", "pipelines", "cache")


def lint_imports(house: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    path = ":".join([str(house), str(house / "pipelines"), str(house / "cache")])
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"],
        cwd=house,
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("s4tok/errors.py", "import s4tok_cache"),
        ("cache/s4tok_cache/__init__.py", "import s4tok.errors"),
        ("s4tok/errors.py", "import typer"),
        ("pipelines/s4tok_pipelines/report.py", "import s4tok_cli"),
        ("cache/s4tok_cache/__init__.py", "import torch"),
    ],
)
def test_an_import_that_points_up_or_aside_breaks_the_contract(tmp_path: Path, file: str, line: str) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as source:
        source.write(f"\n{line}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stderr
    assert "BROKEN" in done.stdout


def test_the_wheel_holds_four_packages_and_nothing_generic(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "s4tok",
        "s4tok_cli",
        "s4tok_pipelines",
        "s4tok_cache",
    }
    assert "NOTICE" in " ".join(zipfile.ZipFile(wheel).namelist())


def test_importing_the_library_loads_nothing_heavy(
    python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    code = "import sys, s4tok; print([m for m in ('torch', 'numpy', 'open3d', 'h5py', 'typer') if m in sys.modules])"
    assert python("-c", code).stdout == "[]\n"


def test_the_library_face_offers_what_it_names() -> None:
    import s4tok

    for name in s4tok.__all__:
        assert getattr(s4tok, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Pointcloud'"):
        _ = s4tok.Pointcloud  # type: ignore[attr-defined]


def test_every_make_target_is_listed_by_help() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    wanted = "setup format lint types imports check test demo bench reproduce-table2 clean help"
    assert set(wanted.split()) <= listed
