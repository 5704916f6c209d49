import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from s4tok import __version__
from tests.running import Run, environment
from tests.s4tok_cli.trouble import TROUBLES
from tests.s4tok_cli.trouble import trouble as run_into

DRIVER = Path(__file__).with_name("trouble.py")


@pytest.fixture
def trouble(added: Callable[..., Run]) -> Run:
    return added(run_into)


def test_version_is_a_result(python: Run) -> None:
    done = python("-m", "s4tok_cli", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"s4tok {__version__}\n", "")


def test_help_answers_soon_and_without_torch(python: Run) -> None:
    def took(*arguments: str) -> float:
        before = os.times()
        done = python(*arguments)
        after = os.times()
        assert done.returncode == 0
        assert "doctor" in done.stdout or "-c" in arguments
        return after.children_user - before.children_user + after.children_system - before.children_system

    # Of the processor, 0.3 s alone, and more where others have half of its core; so it is compared with what the
    # libraries behind every command take at the same time, of which it is 2.2 times.
    libraries = "import typer, typer.rich_utils, rich.markdown, rich.columns"
    ratios: list[float] = []
    while len(ratios) < 5 and (not ratios or min(ratios) > 4):
        ratios.append(took("-m", "s4tok_cli", "--help") / took("-c", libraries))
    assert min(ratios) <= 4

    heavy = "torch numpy h5py open3d scipy trimesh open_clip pyrender"
    code = (
        f"import sys, s4tok_cli.app as a; a.run(['--help']); print([m for m in '{heavy}'.split() if m in sys.modules])"
    )
    assert python("-c", code).stdout.splitlines()[-1] == "[]"


def test_a_module_among_the_commands_is_a_subcommand(python: Run, tmp_path: Path) -> None:
    (tmp_path / "greet_all.py").write_text(
        "from s4tok_cli import console\nfrom s4tok_cli.commands import Place\n\n"
        "PLACE = Place('Stages', 9)\nEXAMPLES = ()\n\n"
        "def greet_all(name: str = 'you') -> None:\n    'Greet.'\n    console.result(f'hello {name}')\n"
    )
    start = f"from s4tok_cli import commands; commands.__path__.append({str(tmp_path)!r}); from s4tok_cli import app; "
    shown = python("-c", f"{start}app.run(['--help'])").stdout
    assert shown.index("pretrain") < shown.index("greet-all") < shown.index("classify")
    assert python("-c", f"{start}app.run(['greet-all', '--name', 'all'])").stdout == "hello all\n"


def test_no_arguments_print_the_help(s4tok: Run) -> None:
    done = s4tok()
    assert done.returncode == 0
    assert "Usage: s4tok" in done.stdout


@pytest.mark.parametrize(
    ("kind", "code", "error", "hint"),
    [
        ("usage", 2, "error: no teacher is called 'x'.", "hint: did you mean 'y'?"),
        ("input", 4, "error: scan.ply: a cloud needs at least 2 points, and this one has 1.", ""),
        ("file", 4, "error: No such file or directory: data/[red].", ""),
        ("missing", 6, "error: no CLIP weights.", "hint: fetch them on a login node."),
        ("full", 7, "error: No space left on device: cache/seg.h5.", "hint: free some space"),
        ("io", 7, "error: Input/output error: cache/seg.h5.", ""),
        ("full while writing", 7, "error: No space left on device.", "hint: free some space"),
    ],
)
def test_each_trouble_has_its_sentence_and_exit_code(trouble: Run, kind: str, code: int, error: str, hint: str) -> None:
    done = trouble(kind)
    lines = done.stderr.splitlines()
    assert done.returncode == code
    assert done.stdout == ""
    assert lines[0] == error
    assert "".join(lines[1:]).startswith(hint)
    assert "Traceback" not in done.stderr

    assert "Traceback" in trouble(kind, "--debug").stderr

    told = trouble(kind, "--json").json
    assert told["exit_code"] == code
    assert f"error: {told['error']}" == error


@pytest.mark.parametrize("kind", ["defect", "nameless file", "file of a package", "connection"])
def test_an_error_that_no_input_explains_is_a_defect(trouble: Run, kind: str) -> None:
    with pytest.raises(type(TROUBLES[kind])) as raised:
        trouble(kind)
    assert raised.value is TROUBLES[kind]


def test_a_defect_keeps_its_traceback_and_exits_1(python: Run) -> None:
    done = python(DRIVER, "trouble", "nameless file")
    assert done.returncode == 1
    assert "FileNotFoundError: an entry that the hub's cache lacks" in done.stderr


def test_an_error_ends_the_process_with_its_exit_code(python: Run) -> None:
    done = python(DRIVER, "trouble", "input")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: scan.ply: ")


def test_a_misspelt_command_or_option_is_a_usage_error_in_the_same_form(s4tok: Run) -> None:
    for arguments, word in ((["doktor"], "doktor"), (["doctor", "--cash", "x"], "--cash"), (["reproduce"], "NAME")):
        done = s4tok(*arguments)
        assert done.returncode == 2
        first, *_ = done.stderr.splitlines()
        assert first.startswith("error: ")
        assert word.lower() in first.lower()
        assert "hint: `s4tok" in done.stderr


def test_failed_entries_exit_3_and_are_listed(trouble: Run) -> None:
    done = trouble("failures")
    assert done.returncode == 3
    assert done.stdout == "2 clouds cut, 1 there already, 1 failed: out\n"
    assert "warning: a: it is [bold]empty" in done.stderr

    told = trouble("failures", "--json").json
    assert told["failures"] == [{"key": "a", "reason": "it is [bold]empty"}]
    assert (told["made"], told["present"], told["failed"], told["points"]) == (2, 1, 1, 7)


@pytest.mark.parametrize(
    ("signum", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 143), (signal.SIGUSR2, 143)],
)
def test_a_signal_winds_the_work_down_and_has_its_exit_code(signum: signal.Signals, code: int) -> None:
    # A shell's background job ignores Ctrl-C, and what it starts inherits that.
    listening = "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); del sys.argv[0]; "
    listening += "runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", listening, str(DRIVER), "trouble", "sleep", "--seconds", "30"]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signum)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert output == "wound down\n"
    assert f"error: stopped by {signum.name}." in errors
    assert "hint: run the same command again" in errors


def test_a_reader_that_goes_away_is_not_an_error() -> None:
    command = f"{sys.executable} {DRIVER} trouble flood | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env=environment(), capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["0", "141"]
    assert done.stderr == ""


def test_completion_scripts_are_printed(python: Run) -> None:
    done = python("-m", "s4tok_cli", "--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0
    assert "_S4TOK_COMPLETE" in done.stdout


def test_no_color_is_honoured_where_colours_are_forced(trouble: Run) -> None:
    assert "\x1b[1;31m" in trouble("usage", FORCE_COLOR="1", NO_COLOR=None).stderr
    assert "\x1b[1;31m" not in trouble("usage", FORCE_COLOR="1", NO_COLOR="1").stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [("--version",), ("data", "ls", "--json")])
def test_a_standard_output_that_is_full_is_told_in_a_sentence(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "s4tok_cli", *arguments]
        done = subprocess.run(command, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 7
    assert done.stderr.startswith("error: No space left on device: standard output.")
    assert "Traceback" not in done.stderr
