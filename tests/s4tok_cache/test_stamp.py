from dataclasses import dataclass

import numpy as np
import pytest

from s4tok_cache import CacheCorrupt, CacheUsage, Stamp, differences


@dataclass(frozen=True)
class Config:
    regularization: float = 0.05
    scales: tuple[float, float] = (1.0, 2.0)


def test_the_order_of_parameters_does_not_change_the_folder() -> None:
    assert Stamp("cut", {"a": 1, "b": {"c": 2, "d": 3}}).folder == Stamp("cut", {"b": {"d": 3, "c": 2}, "a": 1}).folder


@pytest.mark.parametrize(
    "other",
    [
        Stamp("cut", {"a": 2}, 1, (Stamp("draw"),)),
        Stamp("cut", {"a": 1}, 2, (Stamp("draw"),)),
        Stamp("cut", {"a": 1}, 1, (Stamp("draw", {"size": 9}),)),
        Stamp("cut", {"a": 1}, 1, (Stamp("draw", {}, 2),)),
        Stamp("cut", {"a": 1}, 1),
        Stamp("cut", {"a": 1.0}, 1, (Stamp("draw"),)),
        Stamp("carve", {"a": 1}, 1, (Stamp("draw"),)),
    ],
)
def test_whatever_changes_the_result_changes_the_folder_and_is_told_in_words(other: Stamp) -> None:
    stamp = Stamp("cut", {"a": 1}, 1, (Stamp("draw"),))
    assert other.folder != stamp.folder
    assert other.short != stamp.short
    assert len(differences(other, stamp)) == 1


def test_the_hash_is_the_one_worked_out_by_hand() -> None:
    stamp = Stamp.of("cut", Config())
    text = '{"algorithm":1,"parameters":{"regularization":0.05,"scales":[1.0,2.0]},"stage":"cut","upstream":[]}'
    assert stamp.json == text
    assert stamp.folder == "cut-c6c9d1ef1705"  # as sha256sum says of that text


def test_differences_are_told_found_first() -> None:
    found = Stamp("features", {"clip": {"name": "B-16"}, "old": True}, 1, (Stamp("cut", {"regularization": 0.05}),))
    wanted = Stamp("features", {"clip": {"name": "L-14"}, "new": None}, 3, (Stamp("cut", {"regularization": 0.1}),))
    assert differences(found, wanted) == [
        "algorithm version 1, not 3",
        "clip.name B-16, not L-14",
        "no new, not null",
        "old true, which is not asked for",
        "cut: regularization 0.05, not 0.1",
    ]
    assert differences(found, found) == []


def test_a_stamp_comes_back_from_its_text() -> None:
    stamp = Stamp("features", {"clip": "B-16", "sizes": [1, 2]}, 3, (Stamp("cut", {"regularization": 0.1}),))
    again = Stamp.from_json(stamp.json)
    assert again.json == stamp.json
    assert again.in_words() == f"clip B-16, sizes [1,2]; from {stamp.upstream[0].folder}"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stage":1}', "null", "[" * 100_000])
def test_a_broken_text_is_no_stamp(text: str) -> None:
    with pytest.raises(CacheCorrupt, match="a stamp cannot be read"):
        Stamp.from_json(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32(1), object(), {1, 2}])
def test_a_parameter_without_one_text_is_refused(value: object) -> None:
    with pytest.raises(CacheUsage, match="the parameters of cut cannot be written as JSON"):
        _ = Stamp("cut", {"a": value}).sha256
