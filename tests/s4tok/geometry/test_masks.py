import numpy as np

from s4tok.geometry.masks import from_runs, resized, stacked, to_runs, without_small


def test_a_smaller_mask_lies_on_top_of_a_larger_one_whatever_their_order() -> None:
    small, large = np.zeros((2, 4, 6), bool)
    small[1:3, 1:3], large[:, :4] = True, True
    for masks in ([small, large], [large, small]):
        ids = stacked(np.stack(masks))
        mine = 1 + next(number for number, each in enumerate(masks) if each is small)
        np.testing.assert_array_equal(ids == mine, small)
        np.testing.assert_array_equal(ids == 3 - mine, large & ~small)
        np.testing.assert_array_equal(ids == 0, ~large)


def test_three_hundred_masks_keep_three_hundred_ids() -> None:
    masks = np.zeros((300, 20, 30), bool)
    for number in range(300):
        masks[number, number // 15, 2 * (number % 15) : 2 * (number % 15) + 2] = True
    ids = stacked(masks)
    assert ids.dtype == np.int32
    assert ids[299 // 15, 2 * (299 % 15)] == 300  # in 8 bits it would be 44, another mask
    back = from_runs(to_runs(ids), ids.shape)
    np.testing.assert_array_equal(back, ids)
    assert len(np.unique(resized(without_small(back, 2), (40, 60)))) == 300


def test_a_resized_map_has_its_square_where_the_map_had_it_and_no_id_of_its_own() -> None:
    ids = np.full((48, 64), 7, np.int32)
    ids[6:12, 40:56] = 300  # rows from 1/8 to 1/4, columns from 5/8 to 7/8: neither central, nor the same transposed
    for height, width in ((96, 128), (24, 32), (97, 50), (12, 64)):
        found = resized(ids, (height, width))
        assert set(np.unique(found)) == {7, 300}
        rows, columns = ((np.arange(side) + 0.5) / side for side in (height, width))
        inside = ((rows >= 1 / 8) & (rows < 1 / 4))[:, None] & ((columns >= 5 / 8) & (columns < 7 / 8))
        np.testing.assert_array_equal(found == 300, inside)


def test_runs_go_on_from_row_to_row_and_come_back_as_they_were() -> None:
    ids = np.array([[0, 0, 5], [5, 5, 5], [900, 0, 0]], np.int32)
    runs = to_runs(ids)
    assert runs.ids.tolist() == [0, 5, 900, 0]
    assert runs.lengths.tolist() == [2, 4, 1, 2]
    np.testing.assert_array_equal(from_runs(runs, (3, 3)), ids)
    draw = np.random.default_rng(0).integers(-3, 3, (17, 9)).astype(np.int32)
    np.testing.assert_array_equal(from_runs(to_runs(draw), draw.shape), draw)


def test_small_masks_are_taken_away_and_the_others_numbered_without_gaps() -> None:
    ids = np.array([0, 9, 9, 9, 4, 7, 7, 0])
    assert without_small(ids, 2).tolist() == [0, 2, 2, 2, 0, 1, 1, 0]
    assert without_small(np.zeros((2, 2), int), 1).tolist() == [[0, 0], [0, 0]]
