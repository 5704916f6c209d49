"""What is said about a release in several places agrees."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer
import yaml  # type: ignore[import-untyped]

import s4tok
from s4tok_cli.app import app

ROOT = Path(__file__).parents[1]


def test_the_citation_is_of_this_version() -> None:
    found = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    assert found[1] == s4tok.__version__


def test_the_changelog_has_this_version_or_says_that_it_will_be() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = re.escape(s4tok.__version__)
    assert re.search(rf"^## \[{version}\]", text, re.MULTILINE) or re.search(rf"What will be {version}", text)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
@pytest.mark.parametrize("folder", ["results", "demo", "runs", "site", "dist", ".s4tok"])
def test_what_commands_write_is_ignored_by_git(folder: str) -> None:
    done = subprocess.run(["git", "check-ignore", f"{folder}/file"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0


WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
INSTRUCTIONS = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD"}


def steps(path: Path) -> list[str]:
    """Give every command of a workflow."""
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]


def instructions() -> list[str]:
    """Give every instruction of the Dockerfile, on a line of its own."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_workflows_the_image_and_setup_install_the_same_system_libraries() -> None:
    needed = set(re.findall(r"^need \S+ (\S+)$", (ROOT / "tools/system-libraries.sh").read_text(), re.MULTILINE))
    assert len(needed) == 4
    found = [line for path in WORKFLOWS for line in steps(path)] + instructions()
    installs = [line for line in found if "apt-get install" in line]
    assert len(installs) > 4
    for line in installs:
        assert set(re.findall(r"\blib\S+-?\d\S*", line.partition("apt-get install")[2])) == needed, line


def test_workflows_try_every_python_that_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [each.rpartition(" ")[2] for each in project["classifiers"] if re.search(r"Python :: 3\.", each)]
    for path in WORKFLOWS:
        jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
        matrices = [job["strategy"]["matrix"]["python"] for job in jobs.values() if "strategy" in job]
        assert matrices == [named], path.name


def test_the_image_is_built_of_pinned_bases_runs_as_no_root_and_starts_the_command() -> None:
    lines = instructions()
    assert {line.split()[0] for line in lines} <= INSTRUCTIONS
    assert all(re.search(r"^FROM \S+:\S+", line) for line in lines if line.startswith("FROM"))
    assert [line for line in lines if line.startswith("USER")] == ["USER 1000"]
    assert lines[-2:] == ['ENTRYPOINT ["s4tok"]', 'CMD ["--help"]']
    assert any("hadolint" in str(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in WORKFLOWS)


def test_what_workflows_run_of_s4tok_exists() -> None:
    typed = [
        shlex.split(words)
        for path in WORKFLOWS
        for line in steps(path)
        for words in re.findall(r"s4tok ([a-z][^&]*)", line)
    ]
    assert len(typed) >= 5
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, *words in typed:
        commands[name].make_context(name, words)
