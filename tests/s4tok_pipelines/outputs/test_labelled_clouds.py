import pytest

from s4tok.errors import UsageError
from s4tok_pipelines.outputs.labelled_clouds import read_formats, stems_of


def test_files_are_named_after_a_cloud_and_no_two_clouds_share_a_name() -> None:
    keys = ("hall/scan.ply", "hall/scan.las", "attic.v2.npy", "room_1", "train-1.5")
    assert stems_of(keys) == {
        "hall/scan.ply": "hall/scan.ply",
        "hall/scan.las": "hall/scan.las",
        "attic.v2.npy": "attic.v2",
        "room_1": "room_1",
        "train-1.5": "train-1.5",
    }


def test_formats_are_read_from_a_list_and_an_unknown_one_is_answered_with_those_there_are() -> None:
    assert read_formats(" ply, npy ,") == ["ply", "npy"]
    with pytest.raises(UsageError, match="ply, npy, txt, scores"):
        read_formats("ply,las")
    with pytest.raises(UsageError, match="names nothing"):
        read_formats(" ,")
