"""A user's own files before anything is computed: what each is taken for, objects and rooms apart."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.errors import InputError
from s4tok.geometry.placement import Said
from s4tok_pipelines.report import Report, silent


def parted(
    clouds: CloudDataset, *, scale: float = Said.scale, scene: Scene | None = None, report: Report = silent
) -> Sequence[CloudDataset]:
    """Part own files into objects and rooms, each a dataset; any other dataset stays whole.

    Args:
        clouds: Any dataset; it is left as it was.
        scale: What clouds are multiplied by, beside what the user says of them.
        scene: What all files are, unless the user says otherwise.
        report: Who listens.
    """
    if not isinstance(clouds, OwnFiles):
        return [clouds]
    clouds = copy(clouds)
    clouds.guesses = {}
    clouds.said = replace(clouds.said, scale=clouds.said.scale * scale, scene=clouds.said.scene or scene)
    objects, rooms, unread = list[str](), list[str](), list[str]()
    for key in report.steps(clouds.keys, "Reading files"):
        try:
            guess = clouds.guess(key)
        except InputError:
            unread.append(key)  # told when it is its turn
            continue
        (rooms if guess.placement.scene == "room" else objects).append(key)
        if guess.downward is not None:
            report.note(f"{key} looks upside down, its {guess.downward} pointing down; it is not turned round")
    (objects if objects or not rooms else rooms).extend(unread)
    parts = [_part(clouds, "object", objects), _part(clouds, "room", rooms)]
    return [part for part in parts if part.keys]


def bring_upright(clouds: OwnFiles, score: Callable[[PointCloud], float]) -> None:
    """Try the axes that the shape of a file leaves in doubt, and keep the one with which it scores best."""
    from s4tok.inference.upright import settled  # PyTorch, which cutting does without

    for key in clouds.keys:
        guess = clouds.guesses.get(key)
        source = clouds[key].source if guess is not None and len(guess.doubtful()) > 1 else None
        if guess is not None and source is not None:
            clouds.guesses[key] = settled(guess, source, score)


def _part(clouds: OwnFiles, scene: Scene, keys: Sequence[str]) -> OwnFiles:
    part = copy(clouds)
    part.scene, part.keys = scene, tuple(sorted(keys))
    return part
