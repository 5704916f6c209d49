"""How a cache was made: the stage, its parameters, its algorithm's version, and the stamps of what it read."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import cached_property
from typing import Any

from s4tok_cache.errors import CacheCorrupt, CacheUsage


@dataclass(frozen=True)
class Stamp:
    """Everything that changes a stage's bytes, and nothing that does not (workers, shards, device names)."""

    stage: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    algorithm: int = 1  # goes up when the same parameters give other results
    upstream: tuple["Stamp", ...] = ()

    @classmethod
    def of(cls, stage: str, config: object, algorithm: int = 1, upstream: tuple["Stamp", ...] = ()) -> "Stamp":
        """Stamp a stage with its config dataclass."""
        if not is_dataclass(config) or isinstance(config, type):
            raise TypeError(f"{config!r} is not a config")
        return cls(stage, asdict(config), algorithm, upstream)

    @classmethod
    def from_json(cls, text: str) -> "Stamp":
        """Read what `json` wrote."""
        try:
            return cls._of_payload(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise CacheCorrupt(f"a stamp cannot be read: {error}.") from error

    @classmethod
    def _of_payload(cls, payload: dict[str, Any]) -> "Stamp":
        upstream = tuple(cls._of_payload(one) for one in payload["upstream"])
        return cls(str(payload["stage"]), dict(payload["parameters"]), int(payload["algorithm"]), upstream)

    @cached_property
    def json(self) -> str:
        """Give the canonical text: equal stamps have equal text on every machine."""
        try:
            return canonical(self._payload())
        except (TypeError, ValueError) as error:
            raise CacheUsage(f"the parameters of {self.stage} cannot be written as JSON: {error}.") from error

    def _payload(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "parameters": dict(self.parameters),
            "algorithm": self.algorithm,
            "upstream": [stamp._payload() for stamp in self.upstream],
        }

    @cached_property
    def sha256(self) -> str:
        """Hash the canonical text, those of all upstream stages in it."""
        return hashlib.sha256(self.json.encode()).hexdigest()

    @property
    def short(self) -> str:
        """Give as much of the hash as a folder's name carries."""
        return self.sha256[:12]

    @property
    def folder(self) -> str:
        """Name the folder: other parameters, another folder, so one can never be taken for the other."""
        return f"{self.stage}-{self.short}"

    def in_words(self) -> str:
        """Tell people how the result was made: "regularization 0.05, seed 0; from superpoints-3f9c0a51d2be"."""
        parameters = ", ".join(f"{name} {value}" for name, value in _flat(self.parameters).items())
        sources = ", ".join(stamp.folder for stamp in self.upstream)
        return "; ".join(filter(None, (parameters, f"from {sources}" if sources else "")))


def canonical(value: object) -> str:
    """Write JSON in the one form whose hash is taken."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def differences(found: Stamp, wanted: Stamp) -> list[str]:
    """Tell what differs in words, found first: "regularization 0.05, not 0.1"."""
    return list(_differences(found, wanted))


def _differences(found: Stamp, wanted: Stamp) -> Iterator[str]:
    if found.stage != wanted.stage:
        yield f"stage {found.stage}, not {wanted.stage}"
        return
    if found.algorithm != wanted.algorithm:
        yield f"algorithm version {found.algorithm}, not {wanted.algorithm}"
    here, there = _flat(found.parameters), _flat(wanted.parameters)
    for name in sorted(here.keys() | there.keys()):
        if name not in there:
            yield f"{name} {here[name]}, which is not asked for"
        elif name not in here:
            yield f"no {name}, not {there[name]}"
        elif here[name] != there[name]:
            yield f"{name} {here[name]}, not {there[name]}"
    stages = {stamp.stage: stamp for stamp in found.upstream}, {stamp.stage: stamp for stamp in wanted.upstream}
    for stage in sorted(stages[0].keys() | stages[1].keys()):
        if stage not in stages[1]:
            yield f"made from {stage}, which is not asked for"
        elif stage not in stages[0]:
            yield f"not made from {stage}"
        else:
            yield from (f"{stage}: {words}" for words in _differences(stages[0][stage], stages[1][stage]))


def _flat(parameters: Mapping[str, Any], before: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[before + name] = value if isinstance(value, str) else canonical(value)
    return flat
