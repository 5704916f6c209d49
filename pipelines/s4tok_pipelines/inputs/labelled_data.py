"""Labelled clouds to train or validate on, in memory where they fit; which of them, where labels are few."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from s4tok.objectives.supervised import NO_LABEL, LabelledCloud
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float, Int
from s4tok_cache import CacheReader
from s4tok_pipelines.inputs.training_data import memory_for_data
from s4tok_pipelines.report import Report, silent


class _Place(NamedTuple):
    """Which cloud an entry is, which window of it, and the how many-th time it is in the list."""

    cloud: str
    window: int
    again: int


@dataclass
class LabelledData:
    """Samples of labelled clouds, or of windows of them, by number: `keys` names them."""

    samples: CacheReader
    listed: Sequence[str]  # clouds; one may come several times
    categories: Mapping[str, int]  # of each cloud; -1 for none
    draws: int
    windows: int
    seed: int
    _held: dict[str, Mapping[str, Array]] = field(default_factory=dict)

    @cached_property
    def clouds(self) -> list[str]:
        """Name the clouds, each once."""
        return list(dict.fromkeys(self.listed))

    @cached_property
    def _places(self) -> list[_Place]:
        seen, found = Counter[str](), []
        for cloud in self.listed:
            found += [_Place(cloud, window, seen[cloud]) for window in range(self.windows)]
            seen[cloud] += 1
        return found

    @property
    def keys(self) -> list[str]:
        """Name what is trained on."""
        return self._keys

    @cached_property
    def _keys(self) -> list[str]:
        return [
            f"{cloud}{f'#{window}' * (self.windows > 1)}{f'~{again}' * (again > 0)}"
            for cloud, window, again in self._places
        ]

    def hold(self, report: Report = silent) -> bool:
        """Read everything into memory, if it fits, and say whether it does."""
        most = memory_for_data()
        for place, cloud in enumerate(report.steps(self.clouds, "Reading clouds")):
            arrays = self._read(cloud)
            if not place and sum(array.nbytes for array in arrays.values()) * len(self.clouds) > most:
                return False
            self._held[cloud] = arrays
        return True

    def entries(self, numbers: Sequence[int], epoch: int | str) -> list[LabelledCloud]:
        """Give clouds in the sample whose turn it is, each with randomness of its key and the epoch."""
        return [self._entry(number, epoch) for number in numbers]

    def point_features_of(self, cloud: str) -> Float[Array, "q n c"]:
        """Read what is known of the points of one cloud's samples."""
        return self.samples.read(cloud, ("features",))["features"]

    def counts(self, n_classes: int) -> Int[Array, " c"]:
        """Count the labelled points of each class in the first sample of everything, or the clouds of each category."""
        total = np.zeros(n_classes, np.int64)
        for number, place in enumerate(self._places):
            if place.again:
                continue
            entry = self._entry(number, 0)
            labels = entry.labels if "labels" in self.samples.layout.arrays else np.array([entry.category])
            labels = labels[labels != NO_LABEL]
            total += np.bincount(labels, minlength=n_classes)
        return total

    def facts(self) -> dict[str, object]:
        """Say what is trained on in a run's configuration: how many clouds, and which."""
        keys = f"{seed_of(len(self.clouds), *sorted(self.clouds)):016x}"
        return {
            "clouds": len(self.clouds),
            "entries": len(self.keys),
            "keys": keys,
            "samples": self.samples.stamp.folder,
        }

    def _entry(self, number: int, epoch: int | str) -> LabelledCloud:
        cloud, window, again = self._places[number]
        arrays = self._held.get(cloud) or self._read(cloud)
        draw = 0 if isinstance(epoch, str) else (epoch + again) % self.draws
        row = window * self.draws + draw
        is_shown = arrays["superpoints"][row] >= 0
        superpoints = arrays["superpoints"][row][is_shown].astype(np.int64)
        labels = np.full(len(superpoints), NO_LABEL)
        if "labels" in arrays:
            labels = arrays["labels"][row][is_shown].astype(np.int64)
        known = arrays["features"][row][is_shown].astype(np.float32) if "features" in arrays else None
        seed = seed_of(self.seed, epoch, self.keys[number])
        points = arrays["points"][row][is_shown]
        return LabelledCloud(points, superpoints, labels, self.categories.get(cloud, NO_LABEL), seed, known)

    def _read(self, cloud: str) -> Mapping[str, Array]:
        unused = ("original", "sizes")
        return {name: array for name, array in self.samples.read(cloud).arrays.items() if name not in unused}


def few(
    keys: Sequence[str], categories: Mapping[str, int], seed: int, shots: int | None, fraction: float | None
) -> list[str]:
    """Choose so many clouds of each category, or so large a share of them and one at least, by their names alone.

    More shots are the fewer and others; the choice depends on the seed and on nothing that is trained. Clouds without
    category are one of their own.
    """
    if shots is None and fraction is None:
        return list(keys)
    found = list[str]()
    for mine in _by_category(keys, categories).values():
        order = sorted(mine, key=lambda key: seed_of(seed, "labelled", key))
        most = len(order) if shots is None else shots
        share = len(order) if fraction is None else max(math.floor(fraction * len(order) + 0.5), 1)
        found += order[: min(most, share)]
    return sorted(found)


def balanced(keys: Sequence[str], categories: Mapping[str, int]) -> list[str]:
    """Repeat the clouds of rare categories until each has as many entries as the most frequent."""
    groups = _by_category(keys, categories)
    most = max(map(len, groups.values()))
    return sorted(mine[number % len(mine)] for mine in groups.values() for number in range(most))


def _by_category(keys: Sequence[str], categories: Mapping[str, int]) -> dict[int, list[str]]:
    groups: dict[int, list[str]] = defaultdict(list)
    for key in keys:
        groups[categories.get(key, NO_LABEL)].append(key)
    return dict(sorted(groups.items()))
