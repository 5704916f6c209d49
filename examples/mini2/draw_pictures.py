"""Draw the pictures mini2 is trained on and checked by into a folder, a file for each thing or place.

Training: the models of sh3d's training libraries, made shapes, and rooms of toy-scans, toy-rooms, home-scans and
home-rooms. Validation: sh3d's validation models that have a class, and shapes of toy-shapes' validation split. What is
there is passed over, so a run that was stopped is started again.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pictures import Named, Pictures, of_model, of_room, of_shape

from s4tok.datasets.reader import FolderLayout
from s4tok.errors import MissingError
from s4tok.synthetic.buildings import photo_tour, whereabouts
from s4tok.synthetic.categories import CATEGORIES, FIXTURES
from s4tok.synthetic.datasets import ToyRoom, ToyRooms, ToyScans
from s4tok.synthetic.home_datasets import HomeRooms, HomeScans
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scans import camera_path

FILM, STEP = 400, 20  # frames of a room, and which of them are taken
Job = tuple[str, Callable[[], Pictures]]  # the file's name without its ending, and what is in it
N_VIEWS = 10  # of what is checked
GREY = 0.2  # share of the models whose shaded pictures have no colours


def main(arguments: list[str] | None = None) -> None:
    """Draw all that is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--sh3d", type=Path, required=True, help="folder of the furniture libraries")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pictures")
    parser.add_argument("--models", type=int, help="take the first models only")
    parser.add_argument("--model-views", type=int, default=24, help="views of a model")
    parser.add_argument("--shapes", type=int, default=1080, help="shapes, of 27 categories in turn")
    parser.add_argument("--shape-views", type=int, default=8, help="views of a shape")
    parser.add_argument("--rooms", type=int, default=60, help="rooms of each of the four kinds")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    layout = Named.recognises(chosen.sh3d)
    if layout is None:
        raise MissingError(f"{chosen.sh3d} has no furniture libraries.", "s4tok data fetch sh3d")
    for group in (_models(chosen, layout), _shapes(chosen), _rooms(chosen, layout), _checked(chosen, layout)):
        _draw(list(group), chosen.out)


def _draw(jobs: list[Job], out: Path) -> None:
    """Draw what a group lacks, and say how long the rest takes."""
    todo = [(name, make) for name, make in jobs if not (out / f"{name}.npz").is_file()]
    started = told = time.monotonic()
    for number, (name, make) in enumerate(todo, start=1):
        make().write(out / f"{name}.npz")
        if number == min(5, len(todo)) or time.monotonic() - told > 60:
            told = time.monotonic()
            left = (told - started) / number * (len(todo) - number) / 60
            print(f"{name}: {number} of {len(todo)}, about {left:.0f} minutes left of this group", flush=True)


def _models(chosen: argparse.Namespace, layout: FolderLayout) -> Iterator[Job]:
    models = Named("sh3d", layout, "train")
    for key in models.keys[: chosen.models]:
        yield (
            f"train/model-{key.replace('/', '-')}",
            lambda key=key: of_model(models, key, chosen.model_views, Draw(chosen.seed, "mini2", key), GREY),  # type: ignore[misc]
        )


def _shapes(chosen: argparse.Namespace) -> Iterator[Job]:
    names = (*CATEGORIES, *FIXTURES)
    for number in range(chosen.shapes):
        name, draw = names[number % len(names)], Draw(chosen.seed, "mini2", "shape", number)
        yield f"train/shape-{number:05d}", lambda name=name, draw=draw: of_shape(name, chosen.shape_views, draw)  # type: ignore[misc]


def _rooms(chosen: argparse.Namespace, layout: FolderLayout) -> Iterator[Job]:
    sizes = (chosen.rooms, 0, 0)
    rooms: list[ToyRoom] = [
        ToyScans("train", sizes=sizes), ToyRooms("train", sizes=sizes),
        HomeScans("train", furniture=layout, sizes=sizes), HomeRooms("train", furniture=layout, sizes=sizes),
    ]  # fmt: skip
    for kind in rooms:
        for key in kind.keys:
            yield f"train/{kind.name}-{key}", lambda kind=kind, key=key: _of_room(kind, key)  # type: ignore[misc]


def _of_room(kind: ToyRoom, key: str) -> Pictures:
    draw = kind.draw(key)
    if isinstance(kind, ToyRooms):
        whereabouts(draw)
        scene = kind.room(key, draw)
        poses = photo_tour(scene, FILM)
    else:
        scene = kind.room(key, draw)
        poses = camera_path(kind.draw(f"{key}/film"), scene, FILM)
    return of_room(scene, poses[::STEP], kind.draw(f"{key}/mini2"))


def _checked(chosen: argparse.Namespace, layout: FolderLayout) -> Iterator[Job]:
    models = Named("sh3d", layout, "val")
    for key in models.keys:
        if models.category(key) is not None:
            draw = Draw(chosen.seed, "mini2", key)
            yield (
                f"val/model-{key.replace('/', '-')}",
                lambda key=key, draw=draw: of_model(models, key, N_VIEWS, draw, 0.0),  # type: ignore[misc]
            )
    names = tuple(CATEGORIES)
    for number in range(4 * len(names)):
        name, draw = names[number % len(names)], Draw(chosen.seed, "mini2", "val", number)
        yield f"val/shape-{number:05d}", lambda name=name, draw=draw: of_shape(name, N_VIEWS, draw)  # type: ignore[misc]


if __name__ == "__main__":
    main()
