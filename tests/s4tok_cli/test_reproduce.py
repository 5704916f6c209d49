import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from s4tok_cli.app import run

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("table3",), 2, "no table is called 'table3'"),
        (("table2", "--rows", "knn,s4tokn"), 2, "no row is called 's4tokn'"),
        (("table2", "--rows", " , "), 2, "--rows names nothing"),
        (("table2", "--data", "nowhere"), 4, "shapenet55 is not under nowhere"),
        (("table2", "--students", "nowhere"), 6, "there are no students"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_clip: Callable[..., Path],
    arguments: tuple[str, ...], code: int, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    clip = ("--clip", str(make_clip(tmp_path / "tiny")))
    assert run(["reproduce", *arguments, *clip, "--device", "cpu", "--json"]) == code
    said = json.loads(capsys.readouterr().out)
    assert says in said["error"]
    assert "\n" not in said["error"]
