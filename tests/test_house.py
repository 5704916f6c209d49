import importlib.util
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
        ("s4tok/geometry/axes.py", "import s4tok.tokenizers"),
        ("s4tok/losses/clusters.py", "import s4tok.objectives.s4token"),
        ("pipelines/s4tok_pipelines/inputs/entries.py", "import s4tok_pipelines.stages.superpoints"),
        ("pipelines/s4tok_pipelines/tables/markdown.py", "import s4tok_pipelines.stages.segment"),
        ("pipelines/s4tok_pipelines/training/ranks.py", "import s4tok_pipelines.inputs.entries"),
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
    assert set(dir(s4tok)) == set(s4tok.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Pointcloud'"):
        _ = s4tok.Pointcloud  # type: ignore[attr-defined]


def test_every_make_target_is_listed_by_help() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    wanted = "setup format lint types imports check test test-slow test-gpu demo bench reproduce-table2 clean help"
    assert set(wanted.split()) <= listed


def test_missing_system_libraries_are_named_with_the_exact_command_for_whoever_is_not_root(tmp_path: Path) -> None:
    for name, answer in (("id", "echo 1000"), ("ldconfig", "echo libGL.so.1; echo libgomp.so.1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [ROOT / "tools" / "system-libraries.sh"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "hint: sudo apt-get install libusb-1.0-0 libegl1\n" in done.stderr


def test_a_python_too_old_is_refused_with_the_command_that_names_another(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\ncase $1 in --version) echo Python 3.9.2;; *) exit 1;; esac\n")
    (tmp_path / "python3").chmod(0o755)
    command = [ROOT / "tools" / "make-venv.sh", tmp_path / "python3", tmp_path / "venv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert "Python 3.9.2" in done.stderr
    assert "hint: make PYTHON=python3.12 setup" in done.stderr


def test_a_test_file_that_tests_nothing_of_its_name_is_told(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("mirrored_tests", ROOT / "tools" / "mirrored_tests.py")
    assert spec is not None
    assert spec.loader is not None
    mirrored = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mirrored)
    assert mirrored.strays(ROOT) == []
    for path in ("s4tok/losses/clusters.py", "s4tok/zero_shot/__init__.py"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    tests = ("losses/test_clusters.py", "losses/test_clusters_of_one.py", "zero_shot/test_zero_shot.py", "test_lost.py")
    for path in tests:
        (tmp_path / "tests" / "s4tok" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / "s4tok" / path).touch()
    assert mirrored.strays(tmp_path) == ["tests/s4tok/test_lost.py tests no s4tok/lost.py"]
