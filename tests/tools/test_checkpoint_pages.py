import json
from pathlib import Path

from s4tok.config import SHIPPED_FOLDER
from tools.pages.checkpoint_pages import checkpoint_table, score_table

CARD = {
    "tokenizer": {"tokenizer": "knn", "n_points": 1024, "n_tokens": 64, "patch_size": 32},
    "command": "s4tok pretrain toy-shapes --also toy-scans --preset toy",
    "steps": 2250,
    "seconds": 780.0,
}
README = """# Cards

| `a` | not a score |

## What they score

| | accuracy |
|---|---|
| `a` | 0.9 |
| `gone` | 0.8 |
| chance | 0.1 |

## More

| `a` | nor this |
"""


def made(folder: Path, card: str = "config.json") -> Path:
    (folder / "a").mkdir()
    (folder / "a" / card).write_text(json.dumps(CARD))
    (folder / "a" / "model.safetensors").write_bytes(bytes(250_000))
    (folder / "README.md").write_text(README)
    return folder


def test_a_row_says_what_the_card_says(tmp_path: Path) -> None:
    row = checkpoint_table(made(tmp_path)).splitlines()[-1]
    assert row == "| `a` | `knn` | `toy-shapes`, `toy-scans` | 64 x 32 of 1,024 | 0.2 MB | 2,250 | 13 |"


def test_scores_are_those_of_the_card_for_checkpoints_that_are_there(tmp_path: Path) -> None:
    assert score_table(made(tmp_path)) == "| | accuracy |\n|---|---|\n| `a` | 0.9 |\n| chance | 0.1 |"


def test_each_checkpoint_that_comes_with_s4tok_has_a_row_and_scores_are_found() -> None:
    names = {path.name for path in SHIPPED_FOLDER.iterdir() if any(path.glob("*.safetensors"))}
    rows = checkpoint_table(SHIPPED_FOLDER).splitlines()[2:]
    assert {row.split("`")[1] for row in rows} == names
    assert "chance" in score_table(SHIPPED_FOLDER)
