"""Where furniture comes from: the categories' functions, or any other source that has pieces of a kind."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from s4tok.synthetic.objects import Object, make_object
from s4tok.synthetic.randomness import Draw

ATTEMPTS = 40  # at an object that fits, before the last one is taken as it is
Fits = Callable[[Object], bool]
Range = tuple[float, float]
ANY: Range = (0.0, 99.0)  # metres


def anything(thing: Object) -> bool:
    """Take whatever comes."""
    return True


def narrower(width: float, height: float = np.inf) -> Fits:
    """Ask for a piece that is less wide, and less high."""
    return lambda thing: bool(thing.size[0] < width and thing.size[1] < height)


def hangs(thing: Object) -> bool:
    """Tell whether a lamp hangs: its base is what is highest."""
    by_part = [thing.vertices[thing.faces[thing.parts == part]][..., 1].mean() for part in (0, 2)]
    return bool(by_part[1] > by_part[0])


def stands(thing: Object) -> bool:
    """Tell whether a lamp stands."""
    return not hangs(thing)


@dataclass(frozen=True)
class Kind:
    """A kind of furniture: what a room calls it, and where pieces of it may come from."""

    name: str
    label: str = ""  # its class in the dataset, where it has one
    models: tuple[str, ...] = ()  # classes or names of the furniture libraries
    stand_in: str = ""  # the category that is made where there is no model; empty for none
    height: Range = ANY
    width: Range = ANY
    hangs: Range = (0.0, 0.75)  # metres above the floor at which its models hang
    level: float = 0.0  # at which a stand-in hangs
    made: Fits = anything  # what else is asked of a stand-in

    def holds(self, thing: Object) -> bool:
        """Tell whether an object has the size of this kind."""
        width, height, _ = thing.size.tolist()
        return bool(self.height[0] <= height <= self.height[1] and self.width[0] <= width <= self.width[1])


class Furniture(ABC):
    """A source of furniture."""

    @abstractmethod
    def make(self, kind: Kind, draw: Draw, fits: Fits) -> Object | None:
        """Give a piece of a kind, one that fits where there is one; None where the source has none of the kind."""


class Procedural(Furniture):
    """Furniture that the categories' functions make."""

    def make(self, kind: Kind, draw: Draw, fits: Fits) -> Object | None:
        """Make an object of the kind's category, the first of some that fits, or the last of all."""
        if not kind.stand_in:
            return None
        thing = make_object(kind.stand_in, draw.fork(kind.stand_in, 0))
        for attempt in range(1, ATTEMPTS):
            if kind.holds(thing) and kind.made(thing) and fits(thing):
                break
            thing = make_object(kind.stand_in, draw.fork(kind.stand_in, attempt))
        return replace(thing, elevation=kind.level)
