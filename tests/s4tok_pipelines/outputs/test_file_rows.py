import numpy as np

from s4tok_pipelines.outputs.file_rows import in_file_rows, out_of_file_rows

PRESENT = np.array([True, False, False, True, True])


def test_values_go_where_their_points_are_and_come_back() -> None:
    labels = np.array([4, 0, 7], np.int32)
    rows = in_file_rows(labels, PRESENT)
    assert rows.tolist() == [4, -1, -1, 0, 7]
    assert rows.dtype == np.int32
    assert out_of_file_rows(rows, PRESENT).tolist() == [4, 0, 7]
    assert out_of_file_rows(labels, PRESENT).tolist() == [4, 0, 7]
    scores = in_file_rows(np.ones((3, 2), np.float16), PRESENT, np.nan)
    assert np.isnan(scores[:, 0]).tolist() == (~PRESENT).tolist()


def test_without_holes_values_are_rows() -> None:
    labels = np.array([4, 0, 7])
    assert in_file_rows(labels, None) is labels
    assert out_of_file_rows(labels, None) is labels
