from typing import Any

import numpy as np
import pytest

from s4tok_cache import CacheMismatch, Layout
from s4tok_cache.layouts import Value
from s4tok_pipelines import layouts
from s4tok_pipelines.layouts import CLIP_FEATURES, SUPERPOINTS

NumPyArray = np.ndarray[Any, np.dtype[Any]]
FEATURES: dict[str, NumPyArray] = {
    "superpoints": np.zeros((4, 8), np.float16),
    "visible": np.zeros(4, np.int32),
    "views": np.zeros((10, 8), np.float16),
}


def test_each_layout_has_its_own_name_and_each_array_says_what_it_means() -> None:
    every = [layout for layout in vars(layouts).values() if isinstance(layout, Layout)]
    assert len({layout.name for layout in every}) == len(every) > 4
    for layout in every:
        for array in layout.arrays.values():
            assert np.dtype(array.dtype).kind in "iuf"
            assert array.meaning


def test_what_is_declared_is_taken() -> None:
    CLIP_FEATURES.check("a", FEATURES, {})
    SUPERPOINTS.check("a", {"labels": np.zeros(7, np.int32)}, {"n_superpoints": 1})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"visible": np.zeros(5, np.int32)},
            r"visible must be int32 \(s\), and it is int32 \(5,\) where s = 4 by super",
        ),
        ({"views": np.zeros((10, 9), np.float16)}, r"views must be float16 \(v d\).*where s = 4.*d = 8 by superpoints"),
        ({"views": np.zeros((10, 8), np.float32)}, r"views must be float16 \(v d\), and it is float32"),
        ({"visible": np.zeros((4, 1), np.int32)}, r"it is int32 \(4, 1\)"),
        ({"visible": np.zeros(4, ">i4")}, r"it is >i4 \(4,\)"),
        ({"more": np.zeros(4)}, "hold superpoints, views, visible, and these are more, superpoints, views, visible"),
    ],
)
def test_what_is_laid_out_otherwise_is_refused(change: dict[str, NumPyArray], sentence: str) -> None:
    with pytest.raises(CacheMismatch, match=f"^cloud 7: .*{sentence}"):
        CLIP_FEATURES.check("cloud 7", {**FEATURES, **change}, {})


@pytest.mark.parametrize("value", ["3", 3.0, True, np.int64(3), 2**63])
def test_an_attribute_of_another_kind_is_refused(value: Value) -> None:
    with pytest.raises(CacheMismatch, match="n_superpoints must be int"):
        SUPERPOINTS.check("a", {"labels": np.zeros(7, np.int32)}, {"n_superpoints": value})


@pytest.mark.parametrize("value", ["a\0b", "x" * 20_000])
def test_a_text_that_would_not_come_back_is_refused(value: str) -> None:
    layout = Layout("notes", 1, {}, "note", {"text": str})
    with pytest.raises(CacheMismatch, match="text must be str"):
        layout.check("a", {}, {"text": value})


def test_missing_and_surplus_attributes_are_refused() -> None:
    labels = {"labels": np.zeros(7, np.int32)}
    with pytest.raises(CacheMismatch, match="have the attributes n_superpoints, and these are nothing"):
        SUPERPOINTS.check("a", labels, {})
    with pytest.raises(CacheMismatch, match="these are n_superpoints, seed"):
        SUPERPOINTS.check("a", labels, {"n_superpoints": 1, "seed": 1})


def test_an_array_larger_than_a_reader_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s4tok_cache.layouts.LARGEST_ARRAY", 27)
    with pytest.raises(CacheMismatch, match="has 28 bytes, and the cache holds at most 27"):
        SUPERPOINTS.check("a", {"labels": np.zeros(7, np.int32)}, {"n_superpoints": 1})
