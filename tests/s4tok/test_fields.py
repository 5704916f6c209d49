from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest

from s4tok.errors import UsageError
from s4tok.fields import Between, changed, fields_of, read_setting


@dataclass(frozen=True)
class Inner:
    """What lies within."""

    weight: Annotated[float, Between(0, 1)] = 0.5
    """Weight of Eq. 6, as in App. A.1. The paper has none."""
    order: Literal["up", "down"] = "up"
    undocumented: int = 3
    sides: Annotated[tuple[float, float], Between(0, rising=True)] = (0.0, 1.0)
    """Both
    sides."""


@dataclass(frozen=True)
class More(Inner):
    """What is added."""

    kinds: tuple[Literal["a", "b"], ...] = ()
    name: str | None = "x"
    free: float = 1.0
    is_on: bool = False
    calibrate: Literal["none", "mean"] | None = None
    unknown: float | Literal["auto"] | None = None


@dataclass(frozen=True)
class Outer:
    """What lies around."""

    inner: More = field(default_factory=More)
    count: Annotated[int, Between(1)] = 2
    """How many."""


def test_a_field_is_documented_by_the_first_sentence_below_it() -> None:
    about = {name: each.about for name, each in fields_of(More).items()}
    assert about["weight"] == "Weight of Eq. 6, as in App. A.1."
    assert about["sides"] == "Both sides."
    assert about["undocumented"] == ""
    assert list(fields_of(Outer)) == ["count"]  # a configuration within is no value


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("inner.weight=0.25", "inner.weight", 0.25),
        ("inner.order = down", "inner.order", "down"),
        ("inner.sides=1,2.5", "inner.sides", (1.0, 2.5)),
        ("inner.kinds=b,a,b", "inner.kinds", ("a", "b")),
        ("inner.kinds=", "inner.kinds", ()),
        ("inner.name=none", "inner.name", None),
        ("inner.name=", "inner.name", ""),
        ("inner.calibrate=none", "inner.calibrate", "none"),
        ("inner.name=a=b", "inner.name", "a=b"),
        ("inner.is_on=true", "inner.is_on", True),
        ("inner.unknown=auto", "inner.unknown", "auto"),
        ("inner.unknown=0.2", "inner.unknown", 0.2),
        ("inner.unknown=none", "inner.unknown", None),
        ("count=7", "count", 7),
    ],
)
def test_a_setting_is_read_by_the_type_of_its_field_and_takes_its_place(text: str, name: str, value: Any) -> None:
    assert read_setting(Outer, text) == (name, value)
    found = changed(Outer(), {name: value})
    within: Any = found
    for part in name.split("."):
        within = getattr(within, part)
    assert within == value
    assert changed(found, {name: value}) == found
    assert changed(Outer(), {}) == Outer()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("inner.weight=2", "inner.weight takes a number of at least 0, at most 1, and was given '2'."),
        ("inner.weight=much", "inner.weight takes a number"),
        ("inner.weight=nan", "inner.weight takes a number"),
        ("inner.free=nan", "inner.free takes a number"),
        ("inner.free=-inf", "inner.free takes a number"),
        ("inner.order=left", "inner.order takes up or down, and was given 'left'."),
        ("inner.sides=2,1", "inner.sides takes 2 numbers joined by commas, the lower first"),
        ("inner.sides=1", "inner.sides takes 2 numbers"),
        ("inner.kinds=a,c", "inner.kinds takes some of a, b, joined by commas"),
        ("inner.is_on=maybe", "inner.is_on takes true or false"),
        ("inner.unknown=maybe", "inner.unknown takes a number or auto, and was given 'maybe'."),
        ("count=0", "count takes a whole number of at least 1"),
        ("count=1.5", "count takes a whole number"),
        ("cuont=1", "no setting is called 'cuont'."),
        ("inner=1", "no setting is called 'inner'."),
        ("count", "--set takes NAME=VALUE, and was given 'count'."),
    ],
)
def test_what_is_no_value_of_a_field_is_refused_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        read_setting(Outer, text)
    assert str(error.value).startswith(says)


def test_every_field_of_a_recipe_is_documented() -> None:
    from s4tok.config import ClusterConfig, EncoderConfig, PretrainConfig, PropagationConfig, RunConfig, TokenizerConfig

    for kind in (RunConfig, PretrainConfig, TokenizerConfig, EncoderConfig, ClusterConfig, PropagationConfig):
        bare = [name for name, each in fields_of(kind).items() if not each.about and name != "seed"]
        assert not bare, kind
