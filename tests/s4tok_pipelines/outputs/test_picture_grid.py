from pathlib import Path

import numpy as np
from PIL import Image

from s4tok_pipelines.outputs.picture_grid import GAP, Shown, write_grid


def dot(x: int, y: int, *, size: int = 40, wide: int = 6) -> Shown:
    picture = np.full((size, size, 3), 255, np.uint8)
    picture[y : y + wide, x : x + wide] = (200, 0, 0)
    return Shown(picture)


def test_white_that_a_row_or_column_has_in_common_is_cut_off(tmp_path: Path) -> None:
    write_grid(tmp_path / "a.png", {"": [dot(3, 10), dot(30, 14)]})
    found = np.asarray(Image.open(tmp_path / "a.png"))
    red = np.argwhere(found[:, :, 0] == 200)
    assert len(red) == 2 * 36
    assert np.ptp(red[:, 0]) + 1 == 10  # both rows of dots, 4 apart
    assert np.ptp(red[:, 1]) + 1 == 6 + GAP + 6
    assert found.shape[1] == GAP + 2 * (6 + GAP)


def test_titles_captions_and_a_legend_take_room_of_their_own(tmp_path: Path) -> None:
    rows = {"first": [dot(0, 0)], "second": [dot(0, 0)]}
    write_grid(tmp_path / "plain.png", rows)
    legend = {f"word {number}": (0, 0, 200) for number in range(12)}
    named = {name: [Shown(each.picture, "94 %") for each in row] for name, row in rows.items()}
    write_grid(tmp_path / "named.png", named, ["a title"], legend)
    plain, titled = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("plain", "named"))
    assert titled.shape[1] > plain.shape[1]
    assert titled.shape[0] > plain.shape[0] + 12 * 18  # a narrow sheet: one word a line
    assert (titled == (0, 0, 200)).all(axis=2).sum() > 12 * 100
    assert np.isin(titled[:, -1], 255).all()  # nothing runs out of the sheet
