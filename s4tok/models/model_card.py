"""The page of a checkpoint's folder: what it is, for people, under the header by which a model hub files it."""

from collections.abc import Mapping
from typing import Any

from s4tok.counted import in_short

HEADER = """---
library_name: s4tok
tags:
- point-cloud
- 3d
- zero-shot
- clip
---
"""
USE = """```python
import s4tok

checkpoint = s4tok.load("FOLDER")  # or "hf-hub:owner/name"
found = s4tok.segment(points, ["seat", "back", "leg"], checkpoint)  # points: (n, 3)
```

On the command line: `s4tok segment FILE --labels seat,back,leg --checkpoint FOLDER`. Every setting is in `config.json`.
"""


HEAD_USE = """```python
import s4tok

checkpoint = s4tok.load("FOLDER")  # or "hf-hub:owner/name"
found = s4tok.{call}(points, None, checkpoint{more})  # points: (n, 3); labels by a head: {labels}
```

On the command line: `s4tok {call} FILE --checkpoint FOLDER`. Every setting is in `config.json`.
"""
SHOWN = 12  # labels of a head


def model_card(about: Mapping[str, Any]) -> str:
    """Say the first facts of a checkpoint's `config.json`, and how it is used."""
    tokenizer = about["tokenizer"]
    facts = {
        "tokenizer": tokenizer["tokenizer"],
        "sampled as": f"{tokenizer['n_points']} points, {tokenizer['n_tokens']} tokens of {tokenizer['patch_size']}",
        "reads of points": ", ".join(["coordinates", *about.get("point_features", {}).get("kinds", ())]),
        **_reader(about),
        "superpoints of": ", ".join(map(str, about.get("superpoints", ()))) or "not recorded",
        **_learned(about),
        "command": f"`{about['command']}`" if "command" in about else "not recorded",
        "steps": f"{about.get('steps', 'not recorded')}" + (f" of {about['of']}" if "of" in about else ""),
        "s4tok": about.get("s4tok", "not recorded"),
    }
    rows = "".join(f"| {name} | {fact} |\n" for name, fact in facts.items())
    heading = f"# An s4tok checkpoint: {tokenizer['tokenizer']}"
    use = _head_use(about["labels"]) if "labels" in about else USE
    return f"{HEADER}\n{heading}\n\n| | |\n|---|---|\n{rows}\n{use}"


def _learned(about: Mapping[str, Any]) -> Mapping[str, str]:
    """Say whose labels features learned, which are no longer zero-shot there."""
    learned = about.get("learned_labels", {})
    return {"labels learned of": ", ".join(learned)} if learned else {}


def _reader(about: Mapping[str, Any]) -> Mapping[str, str]:
    """Say what reads the tokens."""
    if "backbone" in about:
        return {"transformer": f"{about['backbone']['layers']} layers of {about['backbone']['width']}, its own"}
    clip = about["clip"]
    return {"CLIP": f"{clip.get('name')} (weights {str(clip.get('weights'))[:12]})"}


def _head_use(labels: Mapping[str, Any]) -> str:
    """Say how a fine-tuned checkpoint is used, and what it labels."""
    classes = list(dict.fromkeys(labels["classes"]))
    said = in_short(classes, SHOWN)
    more = f", category={labels['categories'][0]!r}" if labels["categories"] else ""
    return HEAD_USE.format(call="classify" if labels["task"] == "objects" else "segment", labels=said, more=more)
