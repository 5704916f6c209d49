from pathlib import Path

import pytest

from s4tok_cli import completion
from tests.running import Run


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("s4tok segment --checkpoint s4", "s4token-scans"),
        ("s4tok segment toy-sc", "toy-scans"),
        ("s4tok pretrain --tokenizer s4token+", "s4token+context"),
        ("s4tok superpoints --method cut", "cut-pursuit"),
        ("s4tok pretrain --optimizer m", "muon"),
        ("s4tok pretrain --preset qu", "quick"),
    ],
)
def test_a_shell_is_offered_values(python: Run, line: str, offered: str) -> None:
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1), "_S4TOK_COMPLETE": "complete_bash"}
    start = "from s4tok_cli.app import app; app(prog_name='s4tok')"
    assert offered in python("-c", start, **words).stdout.split()


def test_paths_are_offered_beside_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "chair.ply").touch()
    (tmp_path / "tower.ply").touch()
    complete = completion.or_path(lambda: ["toy-shapes", "scannet"])
    assert complete("to") == ["toy-shapes", "tower.ply", "toys/"]
    assert complete("toys/") == ["toys/chair.ply"]
    assert complete("none/x") == []
