import pytest

from s4tok.errors import UsageError
from s4tok_pipelines.outputs.formats import FORMATS, read_formats
from s4tok_pipelines.outputs.labelled_clouds import WRITERS


def test_formats_are_read_from_a_list_and_an_unknown_one_is_answered_with_those_there_are() -> None:
    assert read_formats(" ply, npy ,") == ["ply", "npy"]
    with pytest.raises(UsageError, match="ply, npy, txt, scores"):
        read_formats("ply,las")
    with pytest.raises(UsageError, match="names nothing"):
        read_formats(" ,")


def test_each_format_has_a_writer() -> None:
    assert (*WRITERS, "mesh") == FORMATS
