import json
from pathlib import Path
from typing import Any

import pytest

from s4tok.errors import InputError
from s4tok_pipelines.inputs.read_boxes import read_boxes

BOX = {"label": "bed", "score": 0.5, "center": [0, 0, 1], "size": [2, 1, 0.5], "yaw": 0.0}


def test_boxes_come_back_with_their_words(tmp_path: Path) -> None:
    (tmp_path / "a.boxes.json").write_text(json.dumps({"up": "z", "boxes": [BOX, {**BOX, "label": "chair"}, BOX]}))
    found = read_boxes(tmp_path / "a.boxes.json")
    assert (found.words(), found.up, found.boxes.sizes.tolist()[1]) == (["bed", "chair", "bed"], "z", [2, 1, 0.5])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({}, "it has no 'boxes'"),
        ({"up": "z", "boxes": None}, "not iterable"),
        ({"up": "w", "boxes": [BOX]}, "no axis is called 'w'"),
        ({"up": "z", "boxes": [{**BOX, "size": [-1, 1, 1]}]}, "size"),
        ("\x00", "Expecting value"),
    ],
)
def test_a_file_that_holds_none_is_named_with_what_is_wrong(content: Any, why: str, tmp_path: Path) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / "a.boxes.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"a\.boxes\.json does not hold boxes as s4tok writes them: .*{why}"):
        read_boxes(tmp_path / "a.boxes.json")
