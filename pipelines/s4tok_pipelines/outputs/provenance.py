"""What an answer in words depends on, so that it can be had again."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from s4tok import __version__
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.models.checkpoint import TrainedModel
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.prompts import Prompts
from s4tok_pipelines.report import Report


def provenance(
    clouds: CloudDataset, vision: VisionModel | None, checkpoint: TrainedModel | None, prompts: Prompts | None
) -> dict[str, Any]:
    """Name the clouds, the models and the sentences, each so that another one has another name."""
    by = None
    if checkpoint is not None:
        by = {"name": checkpoint.name, "weights": checkpoint.sha256, "card": dict(checkpoint.card)}
    return {
        "s4tok": __version__,
        "dataset": clouds.name,
        "split": clouds.split,
        "files": _files(clouds) if isinstance(clouds, OwnFiles) else None,
        **taken_for(clouds),
        "checkpoint": by,
        "vision_model": None if vision is None else {"name": vision.name, **vision.identity},
        "prompts": None if prompts is None else prompts.identity,  # a fine-tuned head needs neither
    }


def taken_for(clouds: CloudDataset) -> dict[str, Any]:
    """Say what own files were taken for: a word where it is the same for all, else one for each file."""
    if not isinstance(clouds, OwnFiles):
        return {"scene": clouds.scene, "up": clouds.up}
    places = {key: clouds.guesses[key].placement for key in clouds.keys if key in clouds.guesses}
    found: dict[str, Any] = {"scene": clouds.scene}
    for name in ("up", "unit"):
        words = {key: getattr(place, name) for key, place in places.items()}
        found[name] = words if len(set(words.values())) != 1 else next(iter(words.values()))
    return found


def tell_assumed(clouds: CloudDataset, report: Report) -> None:
    """Tell what own files were taken for where no labels are tried: which way is up shows in shape and format alone."""
    if isinstance(clouds, OwnFiles) and clouds.guesses:
        how = "" if clouds.said.up else ", told by shape and format alone"
        report.note(f"{len(clouds)} cloud{'s' * (len(clouds) != 1)} {assumed(taken_for(clouds), len(clouds))}{how}")


def assumed(about: Mapping[str, Any], n_clouds: int) -> str:
    """Write what own files were taken for in words, with the options that overrule it."""
    scene = f"{about['scene']}s" if n_clouds != 1 else "an object" if about["scene"] == "object" else "a room"
    unit = f"in {_listed(about['unit'])} (--unit)" if about["unit"] else "of any unit"
    return f"taken for {scene} (--room, --object) {unit} with {_listed(about['up'])} up (--up)"


def _listed(words: Any) -> str:
    """Write a word that holds for all files, or how many files have which."""
    if not isinstance(words, Mapping):
        return str(words)
    return ", ".join(f"{word} ({count})" for word, count in Counter(words.values()).most_common())


def _files(clouds: OwnFiles) -> str:
    """Name the user's files, the first few of many."""
    return ", ".join(clouds.keys[:3]) + (", ..." if len(clouds.keys) > 3 else "")
