from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s4tok_cache import CacheUsage, Fingerprint
from s4tok_cache.entry import array_digest, encode


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_every_key_has_a_name_that_hdf5_takes_and_comes_back(key: str) -> None:
    name = encode(key)
    assert unquote(name) == key
    assert "/" not in name
    assert name.isascii()
    assert name.isprintable()
    assert not name.startswith(".")


def test_a_name_is_readable() -> None:
    assert encode("Area_5/office_1") == "Area_5%2Foffice_1"
    assert encode("scene0000_00") == "scene0000_00"
    assert encode("..") == "%2E."


@pytest.mark.parametrize("key", ["", "x" * 501, "\ud800"])
def test_a_key_that_cannot_be_a_name_is_refused(key: str) -> None:
    with pytest.raises(CacheUsage):
        encode(key)


def test_a_digest_belongs_to_one_place_and_one_shape() -> None:
    array = np.arange(6, dtype=np.int32)
    digests = {
        array_digest("a", "labels", array),
        array_digest("b", "labels", array),
        array_digest("a", "visible", array),
        array_digest("a", "labels", array.reshape(2, 3)),
        array_digest("a", "labels", array.view(np.uint32)),
        array_digest("a", "labels", array[::-1].copy()),
    }
    assert len(digests) == 6


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Fingerprint("elsewhere/a.ply", 10, 5), True),
        (Fingerprint("a.ply", 11, 5), False),
        (Fingerprint("a.ply", 10, 6), False),
        (Fingerprint("a.ply", 10, 6, "abc"), True),  # copied: another time, the same content
        (Fingerprint("a.ply", 10, 5, "abd"), False),
    ],
)
def test_an_input_is_the_same_by_content_where_it_is_known_else_by_size_and_time(
    other: Fingerprint, same: bool
) -> None:
    assert Fingerprint("a.ply", 10, 5, "abc").same(other) is same


@pytest.mark.parametrize("row", [None, [], ["a", 1, 2], ["a", "1", 2, ""], [1, 1, 2, ""], ["a", True, 2, ""]])
def test_a_row_of_other_things_is_no_fingerprint(row: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        Fingerprint.of_row(row)


def test_entries_that_were_read_have_to_be_the_same_however_the_file_is_known() -> None:
    for alone in (Fingerprint("a.ply", 10, 5), Fingerprint("a.ply", 10, 5, "abc")):
        made = alone.with_entries(["one", "two"])
        assert made.same(Fingerprint("b/a.ply", 10, 5).with_entries(["one", "two"]))
        assert not any(made.same(other) or other.same(made) for other in (alone, alone.with_entries(["one", "three"])))
        assert not made.same(Fingerprint("a.ply", 10, 6, "abd").with_entries(["one", "two"]))
        assert made.without_entries() == alone == alone.without_entries()
