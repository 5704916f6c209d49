"""Results as JSON: plain numbers, nothing for what could not be measured, and a file that is whole or not there."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from s4tok_cache.files import write_whole


def plain(value: Any) -> Any:
    """Turn arrays, tuples and paths into what JSON has, and NaN into null."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def write_json(path: Path, facts: Mapping[str, Any]) -> None:
    """Write a result, a line a name, whole or not at all."""
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in plain(facts).items()]
    write_whole(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode(), parents=True)
