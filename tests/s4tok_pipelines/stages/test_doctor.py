import os
from importlib import metadata
from pathlib import Path

import pytest

from s4tok_pipelines.stages import doctor
from tests.running import Run, environment, in_this_process

# A package that fails as the real one does on a machine where something is missing.
BROKEN = {
    "open3d": (
        "raise OSError('libusb-1.0.so.0: cannot open shared object file: No such file or directory')",
        "sudo apt-get install libusb-1.0-0",
    ),
    "pycut-pursuit": (
        "raise ImportError('numpy.core.multiarray failed to import')",
        'its wheel was built for NumPy 1: pip install "numpy<2"',
    ),
    "egl": (
        "raise ImportError('Unable to load EGL library')",
        "sudo apt-get install libegl1 libgl1",
    ),
    "trimesh": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "pip install trimesh",
    ),
}
FOLDERS = {"pycut-pursuit": "pycut_pursuit", "egl": "pyrender"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Run doctor once on a machine where all of these are broken."""
    folder = tmp_path_factory.mktemp("broken")
    for name, (code, _) in BROKEN.items():
        package = folder / FOLDERS.get(name, name)
        package.mkdir()
        (package / "__init__.py").write_text(code)
    path = os.pathsep.join([str(folder), environment()["PYTHONPATH"]])
    done = in_this_process(tmp_path_factory.mktemp("here"), "doctor", "--json", PYTHONPATH=path)
    assert done.returncode == 6, done.stderr
    report = done.json
    assert report["ok"] is False
    return {finding["name"]: finding for finding in report["findings"]}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_is_a_problem_with_its_fix(told: dict[str, dict[str, str]], name: str) -> None:
    assert told[name]["state"] == "problem"
    assert BROKEN[name][1] in told[name]["fix"]


def test_a_torchvision_for_another_torch_is_a_problem_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["numpy", "torch==2.4.1", "pillow!=8.3.*,>=5.3.0"])
    monkeypatch.setattr(metadata, "version", lambda name: "2.5.0+cpu" if name == "torch" else "0.19.1")
    found = doctor.package("torchvision", {})
    assert found.state == "problem"
    assert "made for torch 2.4.1, and there is 2.5.0" in found.found
    assert found.fix == "torch and torchvision do not match: pip install --upgrade torch torchvision"
    monkeypatch.setattr(metadata, "version", lambda name: "2.4.1+cpu" if name == "torch" else "0.19.1")
    assert doctor.package("torchvision", {}).state == "ok"


def test_it_takes_few_seconds_of_a_processor(python: Run) -> None:
    before = os.times()
    done = python("-m", "s4tok_cli", "doctor", "-q")
    after = os.times()
    assert done.returncode in (0, 6)
    took = after.children_user - before.children_user + after.children_system - before.children_system
    assert 0 < took < 12  # 4 s on an idle core, and more beside other tests


def test_what_works_is_still_ok_beside_it(told: dict[str, dict[str, str]]) -> None:
    assert told["numpy"]["state"] == "ok"
    assert "HDF5" in told["h5py"]["found"]


@pytest.mark.slow
def test_doctor_writes_one_object_and_names_what_it_examined(s4tok: Run) -> None:
    done = s4tok("doctor", "--json", "-q", SLURM_ARRAY_TASK_ID="3", SLURM_JOB_ID="7")
    assert done.returncode in (0, 6)
    report = done.json
    names = {finding["name"]: finding for finding in report["findings"]}
    wanted = {
        "python",
        "torch",
        "torchvision",
        "open3d",
        "pycut-pursuit",
        "gpu",
        "egl",
        "cache",
        "clip weights",
        "slurm",
    }
    assert wanted <= set(names)
    assert names["slurm"]["found"] == "SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=3"
    assert report["ok"] == (done.returncode == 0)


def test_storage_names_the_file_system_of_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    finding = doctor.storage(tmp_path / "not" / "yet")
    assert "GB free" in finding.found
    assert "unknown" not in finding.found


def test_weights_are_found_where_the_hub_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert doctor.weights().state == "note"
    (tmp_path / "models--timm--vit_base_patch16_clip_224.openai").mkdir()
    assert doctor.weights().found == "timm/vit_base_patch16_clip_224.openai"
