import itertools
from functools import cache

import numpy as np
import pytest

from s4tok.datasets.scannet_labels import CLASSES
from s4tok.shapes import Array
from s4tok.synthetic.furniture import Procedural
from s4tok.synthetic.homes import ROOMS, make_home_room
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scenes import Scene
from s4tok.synthetic.supports import crossings

SHELL = {"wall", "floor", "ceiling", "door", "window", "curtain", "picture", "rug", "mirror"}
HUNG = {"ceiling lamp", "wall lamp", "hanging cupboard", "range hood", "towel", "television", "shower curtain"}
SEEDS = range(3)


@cache
def make(kind: str, seed: int) -> Scene:
    return make_home_room(kind, Draw(seed, kind), Procedural())


def extents(scene: Scene) -> dict[int, tuple[Array, Array]]:
    """Give the box of each thing that is no part of the building."""
    corners = scene.vertices[scene.faces]
    return {
        thing: (corners[scene.things == thing].min((0, 1)), corners[scene.things == thing].max((0, 1)))
        for thing, name in enumerate(scene.names)
        if name not in SHELL
    }


@pytest.mark.parametrize("kind", ROOMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_things_stand_on_the_floor_or_on_something_within_the_walls(kind: str, seed: int) -> None:
    scene = make(kind, seed)
    floor = extents_of_floor(scene)
    corners = scene.vertices[scene.faces]
    for thing, (low, high) in extents(scene).items():
        name = scene.names[thing]
        assert (low[:2] > floor[0] - 1e-6).all(), name
        assert (high[:2] < floor[1] + 1e-6).all(), name
        if name in HUNG or low[2] < 1e-5:
            continue
        mine = scene.vertices[np.unique(scene.faces[scene.things == thing])]
        foot = mine[mine[:, 2] < low[2] + 0.02][:, :2].mean(0)
        below = crossings(corners[scene.things != thing][..., [0, 2, 1]], float(foot[0]), float(foot[1]))
        assert np.abs(below - low[2]).min() < 0.02, name


def extents_of_floor(scene: Scene) -> tuple[Array, Array]:
    inner = 0.15  # the floor reaches under the walls
    points = scene.vertices[scene.faces[scene.things == scene.names.index("floor")]]
    return points.min((0, 1))[:2] + inner, points.max((0, 1))[:2] - inner


@pytest.mark.parametrize("kind", ROOMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_stands_on_the_floor_hardly_meets(kind: str, seed: int) -> None:
    scene = make(kind, seed)
    standing = {thing: box for thing, box in extents(scene).items() if box[0][2] < 1e-5}
    for (one, (low, high)), (other, (a, b)) in itertools.combinations(standing.items(), 2):
        shared = np.maximum(np.minimum(high, b) - np.maximum(low, a), 0)[:2].prod()
        smaller = min((high - low)[:2].prod(), (b - a)[:2].prod())
        seats = "chair" in (scene.names[one], scene.names[other])  # they are pushed under tables
        assert shared <= (0.35 if seats else 0.05) * smaller, (scene.names[one], scene.names[other])


@pytest.mark.parametrize("seed", SEEDS)
def test_cupboards_hang_before_no_window_and_no_door(seed: int) -> None:
    scene = make("kitchen", seed)
    corners = scene.vertices[scene.faces]
    holes = [thing for thing, name in enumerate(scene.names) if name == "window"]
    for thing, (low, high) in extents(scene).items():
        for hole in holes if scene.names[thing] == "hanging cupboard" else ():
            a, b = corners[scene.things == hole].min((0, 1)), corners[scene.things == hole].max((0, 1))
            assert (np.minimum(high, b) - np.maximum(low, a)).min() <= 0.05


@pytest.mark.slow
def test_every_class_of_scannet_is_met_and_rooms_have_what_they_are_for() -> None:
    met: set[int] = set()
    wanted = {
        "living room": "sofa", "bedroom": "bed", "study": "desk", "dining room": "table", "kitchen": "counter",
        "bathroom": "toilet",
    }  # fmt: skip
    for kind in ROOMS:
        scenes = [make(kind, seed) for seed in range(5)]
        assert sum(wanted[kind] in scene.names for scene in scenes) >= 4, kind
        met |= {label for scene in scenes for label in np.unique(scene.classes).tolist()}
    assert met == {-1, *range(len(CLASSES))}


def test_a_room_is_the_same_again_and_lit() -> None:
    one, other = make("study", 1), make_home_room("study", Draw(1, "study"), Procedural())
    for name in ("vertices", "faces", "classes", "things", "colors", "free"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.lighting == other.lighting
    assert one.lighting is not None
    assert one.lighting.lights
