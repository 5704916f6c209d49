import numpy as np

from s4tok.synthetic.capture import HAND_HELD, Eye, scan_room
from s4tok.synthetic.categories import CATEGORIES
from s4tok.synthetic.objects import make_object
from s4tok.synthetic.pictures import PAPER, class_colors, contact_sheet, draw_object, draw_room
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scans import make_scan_room


def test_the_contact_sheet_has_a_row_a_category_and_no_empty_cell() -> None:
    sheet = contact_sheet(columns=2, size=24)
    assert sheet.shape == (24 * len(CATEGORIES), 48, 3)
    cells = sheet.reshape(len(CATEGORIES), 24, 2, 24, 3).swapaxes(1, 2)
    assert ((cells < PAPER - 20).any(-1).mean((2, 3)) > 0.01).all()
    assert len(np.unique(cells.reshape(len(CATEGORIES) * 2, -1), axis=0)) == 2 * len(CATEGORIES)


def test_an_object_is_drawn_whole_within_its_cell() -> None:
    picture = draw_object(make_object("chair", Draw(0, "drawn")), 60)
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert (edge == PAPER).all()


def test_a_room_is_drawn_without_its_nearer_walls_and_classes_differ_in_colour() -> None:
    draw = Draw(0, "room")
    seen = scan_room(Eye(make_scan_room(draw)), draw, HAND_HELD, triangulated=False)
    picture = draw_room(seen, seen.color, 100)
    assert 0.2 < (picture != PAPER).any(-1).mean() < 0.9
    assert len(np.unique(class_colors(np.arange(-1, 16)), axis=0)) == 17
