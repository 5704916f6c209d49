import json
from pathlib import Path

from tests.running import Run

# Of what can be known without PyTorch, which takes two seconds to import.
WRONG = {
    "segment nofile.ply --labels a,b": 4,
    "segment c.xyz --labels a,b --up w": 2,
    "segment c.xyz --labels a,b --format plyy": 2,
    "segment c.xyz --labels a,b --checkpoint nosuch": 2,
    "segment c.xyz --labels ,": 2,
    "classify nofile.ply --labels a,b": 4,
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
