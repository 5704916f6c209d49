import json
from pathlib import Path

from tests.running import Run
from tests.s4tok_cli.test_app_help import COMMANDS

# Of what can be known without PyTorch, which takes two seconds to import.
WRONG = {
    "segment nofile.ply --labels a,b": 4,
    "segment c.xyz --labels a,b --up w": 2,
    "segment c.xyz --labels a,b --format plyy": 2,
    "segment c.xyz --labels a,b --checkpoint nosuch": 2,
    "segment c.xyz --labels ,": 2,
    "segment c.xyz --labels a;b": 2,
    "classify nofile.ply --labels a,b": 4,
    "classify c.xyz": 2,
    "classify c.xyz --labels a,b --checkpoint nosuch": 2,
    "superpoints nofile.ply": 4,
    "superpoints c.xyz --up w": 2,
    "render-views nosuch": 4,
    "extract-clip nosuch": 4,
    "pretrain nosuch --preset toy": 4,
    "embed nofile.ply --out x": 4,
    "embed c.xyz --out x --checkpoint nosuch": 2,
}


def test_what_is_wrong_is_told_before_pytorch_is_imported(python: Run, tmp_path: Path) -> None:
    (tmp_path / "c.xyz").write_text("0 0 0\n1 0 0\n0 1 0\n0 0 1\n")
    code = (
        "import json, sys; from s4tok_cli.app import run; "
        f"found = {{each: [run(each.split()), 'torch' in sys.modules] for each in {list(WRONG)!r}}}; "
        "print(json.dumps(found))"
    )
    found = json.loads(python("-c", code).stdout.splitlines()[-1])
    assert found == {command: [code, False] for command, code in WRONG.items()}


def test_what_is_there_and_is_no_place_for_the_result_is_told_first(s4tok: Run, tmp_path: Path) -> None:
    (tmp_path / "c.xyz").write_text("0 0 0\n1 0 0\n0 1 0\n0 0 1\n")
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for command in (
        "segment c.xyz --labels a,b --out file",
        "segment c.xyz --labels a,b --preview folder",
        "classify c.xyz --labels a,b --out folder",
        "embed c.xyz --out file",
        "superpoints c.xyz --cache file",
        "superpoints c.xyz --export-segs file",
    ):
        done = s4tok(*command.split())
        assert done.returncode == 2, command
        assert command.split()[-1] in done.stderr


def test_no_option_takes_a_number_that_is_not_finite(s4tok: Run) -> None:
    of_numbers = [
        (name, option.opts[0])
        for name, command in COMMANDS.items()
        for option in command.params
        if option.param_type_name == "option" and option.type_descriptor.annotation is float
    ]
    assert ("classify", "--scale") in of_numbers
    for name, flag in of_numbers:
        for number in ("nan", "inf", "-inf"):
            done = s4tok(*name.split(), "x", flag, number)
            assert (done.returncode, flag in done.stderr) == (2, True)
    for command in (
        "segment c.xyz --scale nan",
        "segment c.xyz --unknown inf",
        "superpoints c.xyz --regularization inf",
    ):
        done = s4tok(*command.split())
        assert done.returncode == 2
        assert command.split()[2] in done.stderr
