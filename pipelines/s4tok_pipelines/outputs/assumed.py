"""What a user's own files were taken for: objects or rooms, their unit, and the axis that points up."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from s4tok.counted import in_short
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.geometry.placement import Said
from s4tok_pipelines.report import Report


def names_of(clouds: CloudDataset) -> str | None:
    """Name a user's files, of those that were read the first few; nothing for a dataset."""
    if not isinstance(clouds, OwnFiles):
        return None
    return in_short(_read(clouds) or clouds.keys)


def called(clouds: CloudDataset) -> str:
    """Call clouds by their files' names, or by the dataset's."""
    return names_of(clouds) or clouds.name


def taken_for(clouds: CloudDataset) -> dict[str, Any]:
    """Say what own files were taken for: a word where it is the same for all, else one for each file."""
    if not isinstance(clouds, OwnFiles):
        return {"scene": clouds.scene, "up": clouds.up}
    places = {key: clouds.guesses[key].placement for key in _read(clouds)}
    found: dict[str, Any] = {"scene": clouds.scene}
    for name in ("up", "unit"):
        words = {key: getattr(place, name) for key, place in places.items()}
        found[name] = words if len(set(words.values())) != 1 else next(iter(words.values()))
    if clouds.scene == "room" and clouds.said.scale != Said.scale:
        found["scale"] = clouds.said.scale
    return found


def assumed(about: Mapping[str, Any], n_clouds: int, *, has_scenes: bool = True) -> str:
    """Say it in words, each with the option that overrules it; none for the scene where a command takes one kind."""
    scenes = {"object": ("an object", "objects", "--room"), "room": ("a room", "rooms", "--object")}
    one, many, other = scenes[about["scene"]]
    scene = f"{one if n_clouds == 1 else many}{f' (else {other})' if has_scenes else ''}"
    scale = about.get("scale", Said.scale)
    after = "" if scale == Said.scale else f" after --scale {scale:g}"
    unit = f"in {_listed(about['unit'])}{after} (else --unit)" if about["unit"] else "of any unit"
    return f"{about['files']}: taken for {scene} {unit}, {_listed(about['up'])} up (else --up)"


def tell_assumed(clouds: CloudDataset, report: Report, *, has_scenes: bool = True) -> None:
    """Tell what own files were taken for where no labels are tried: which way is up shows in shape and format alone."""
    if isinstance(clouds, OwnFiles) and clouds.guesses:
        how = "" if clouds.said.up else ", told by shape and format alone"
        about = {"files": names_of(clouds), **taken_for(clouds)}
        report.note(f"{assumed(about, len(_read(clouds)), has_scenes=has_scenes)}{how}")


def _read(clouds: OwnFiles) -> list[str]:
    return [key for key in clouds.keys if key in clouds.guesses]


def _listed(words: Any) -> str:
    """Write a word that holds for all files, or how many files have which."""
    if not isinstance(words, Mapping):
        return str(words)
    return ", ".join(f"{word} ({count})" for word, count in Counter(words.values()).most_common())
