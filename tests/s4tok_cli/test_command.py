import json
from collections.abc import Callable
from pathlib import Path

import pytest

from s4tok.device import pick_device
from s4tok_cli import options
from s4tok_cli.command import renamed
from tests.running import Run


@pytest.fixture
def probe(added: Callable[..., Run]) -> Run:
    """A command that prints what it was given."""

    def probe(
        source: options.Clouds,
        workers: options.Workers = 1,
        cache: options.Cache = Path("c"),
        overwrite: options.Overwrite = False,
        device: options.Device = "cpu",
    ) -> None:
        chosen = [*(source.source or []), *filter(None, [source.limit])]
        print(json.dumps([chosen, workers, str(cache), overwrite, pick_device(device)]))

    return added(probe)


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(probe: Run, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("workers = 2\ncache = 'f'\n[probe]\nworkers = 3\noverwrite = true\n")
    file = ("--config", "a.toml")
    cases: list[tuple[tuple[str, ...], dict[str, str], list[object]]] = [
        (("x",), {}, [["x"], 1, "c", False, "cpu"]),
        (("x", *file), {}, [["x"], 3, "f", True, "cpu"]),
        (("x", *file), {"S4TOK_WORKERS": "4", "S4TOK_CACHE": "e"}, [["x"], 4, "e", True, "cpu"]),
        (("x", *file, "--workers", "5"), {"S4TOK_WORKERS": "4"}, [["x"], 5, "f", True, "cpu"]),
        (("x",), {"S4TOK_CONFIG": "a.toml"}, [["x"], 3, "f", True, "cpu"]),
        (("x",), {"S4TOK_LIMIT": "7"}, [["x", 7], 1, "c", False, "cpu"]),
    ]
    for arguments, variables, expected in cases:
        done = probe(*arguments, **variables)
        assert done.returncode == 0, done.stderr
        assert done.json == expected


@pytest.mark.parametrize(
    ("toml", "error", "hint"),
    [
        ("worker = 2", "error: a.toml: no option is called 'worker'.", "hint: did you mean 'workers'?"),
        ("[probe]\nover-write = true", "no option is called 'over-write' in [probe]", "did you mean 'overwrite'?"),
        ("[prob]\nworkers = 2", "error: a.toml: no command is called [prob].", "did you mean 'probe'?"),
        ("[doctor]\nworkers = 2", "no option is called 'workers' in [doctor]", ""),
    ],
)
def test_a_key_nobody_knows_is_refused_with_the_nearest(
    probe: Run, tmp_path: Path, toml: str, error: str, hint: str
) -> None:
    (tmp_path / "a.toml").write_text(toml)
    done = probe("x", "--config", "a.toml")
    assert done.returncode == 2
    assert error in done.stderr
    assert hint in done.stderr


@pytest.mark.parametrize(
    ("toml", "code", "error"),
    [
        ("workers = 'many'", 2, "Invalid value for '--workers'"),
        ("workers = -1", 2, "Invalid value for '--workers'"),
        ("workers = = 2", 4, "a.toml is not valid TOML"),
        (None, 4, "a.toml: there is no such file"),
    ],
)
def test_a_broken_file_is_one_sentence(probe: Run, tmp_path: Path, toml: str | None, code: int, error: str) -> None:
    if toml is not None:
        (tmp_path / "a.toml").write_text(toml)
    done = probe("x", "--config", "a.toml")
    assert done.returncode == code
    assert error in done.stderr
    assert "Traceback" not in done.stderr


def test_source_is_an_argument_or_a_flag_and_never_both_or_neither(probe: Run) -> None:
    assert probe("a.ply", "b.ply").json[0] == ["a.ply", "b.ply"]
    assert probe("--source", "shapenet55").json[0] == ["shapenet55"]
    both, neither = probe("a", "--source", "b"), probe()
    assert (both.returncode, neither.returncode) == (2, 2)
    assert "given twice" in both.stderr
    assert "SOURCE is missing" in neither.stderr


def test_an_unknown_device_is_refused_and_a_missing_gpu_has_a_way_out(
    probe: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = probe("x", "--device", "gpu")
    assert unknown.returncode == 2
    assert "no device is called 'gpu'; there are: auto, cpu, cuda" in unknown.stderr
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    absent = probe("x", "--device", "cuda")
    assert absent.returncode == 6
    assert "hint: pass --device cpu" in absent.stderr
    assert probe("x", "--device", "auto").json[4] == "cpu"


def test_old_names_of_options_are_taken_for_the_new_ones(s4tok: Run, tmp_path: Path) -> None:
    assert renamed(["--students=a", "--teacher-only", "students", "--labels", "x=--students"]) == [
        "--checkpoints=a", "--vision-only", "students", "--labels", "x=--students"
    ]  # fmt: skip
    (tmp_path / "a.toml").write_text("students = 'nowhere'\n")
    for given in (("--students", "nowhere"), ("--config", "a.toml")):
        done = s4tok("reproduce", "table2", "--rows", "knn", "--clip", "mini", "--device", "cpu", *given)
        assert done.returncode == 6
        assert "--checkpoints" in done.stderr
