"""Make the room of README's first picture: `python examples/rooms/make_studio.py` (needs `s4tok data fetch sh3d`).

A room to cook, live and sleep in, furnished from the library of sh3d that no checkpoint was trained on, as the depth
camera of home-scans brings it home. Seeds are tried from 0; the first room that has all of WORDS is kept, whatever a
checkpoint makes of it. Writes `studio.ply` and the credits of its models, the same bytes each time.
"""

import argparse
from pathlib import Path

import numpy as np

from s4tok.config import WorldConfig
from s4tok.datasets.dataset import Credit
from s4tok.datasets.open import open_dataset
from s4tok.synthetic.capture import DEPTH_CAMERA, Capture, Eye, scan_room, thinned
from s4tok.synthetic.furnishing import Floor
from s4tok.synthetic.furniture import Furniture
from s4tok.synthetic.home import Home
from s4tok.synthetic.home_datasets import HomeScans
from s4tok.synthetic.kinds import CLASSES_OF_HOMES
from s4tok.synthetic.kitchens import furnish_kitchen
from s4tok.synthetic.materials import tint
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.room_light import light_room
from s4tok.synthetic.scenes import Builder, Scene
from s4tok.synthetic.shells import Opening, Plan, build_shell, hang_curtain, lid

SPLIT = "test"
WORDS = ("wall", "floor", "sofa", "coffee table", "bed", "curtain", "refrigerator")
FEWEST = 500  # points of each
SEEDS = 100


def main() -> None:
    """Find the room, and write it beside this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder of sh3d")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    chosen = parser.parse_args()
    rooms = open_dataset("home-scans", split=SPLIT, root=chosen.data)
    assert isinstance(rooms, HomeScans)
    if rooms.furniture is None:
        raise SystemExit(f"there is no sh3d under {chosen.data}: s4tok data fetch sh3d")
    seed, seen = first_room(rooms.furniture_of(f"{SPLIT}-"))
    (chosen.out / "studio.ply").write_bytes(ply(seen))
    credits = {each.key: each for each in open_dataset("sh3d", split=SPLIT, root=chosen.data).credits()}
    shown = {seen.scene.sources[thing] for thing in np.unique(seen.things)} - {""}
    rows = [Credit._fields, *(credits[key] for key in sorted(shown))]
    (chosen.out / "studio.credits.tsv").write_text("\n".join(map("\t".join, rows)) + "\n", encoding="utf-8")
    print(f"seed {seed}: {len(seen.xyz):,} points, {len(shown)} models")


def first_room(furniture: Furniture) -> tuple[int, Capture]:
    """Give the first seed whose room has enough points of every word, and the room."""
    for seed in range(SEEDS):
        draw = Draw(seed, "studio")
        scanned = scan_room(Eye(studio(draw, furniture)), draw, DEPTH_CAMERA, triangulated=False)
        seen = thinned(scanned, WorldConfig.scan_voxel)
        names = np.array(seen.names)[seen.things]
        if all(np.count_nonzero(names == word) >= FEWEST for word in WORDS):
            return seed, seen
    raise SystemExit(f"none of {SEEDS} rooms has all of: {', '.join(WORDS)}")


def studio(draw: Draw, furniture: Furniture) -> Scene:
    """Build, furnish and light a room to cook, live and sleep in."""
    plan = Plan(draw.between(4.8, 5.6), draw.between(5.0, 6.0), draw.between(2.4, 2.8), (0.0, 0.0))
    builder = Builder(dict(CLASSES_OF_HOMES))
    walls = build_shell(builder, draw, plan, windows=2, doors=1)
    builder.add_solid("ceiling", lid(plan), tint("white", draw))
    floor = Floor(builder, draw, plan, walls, furniture)
    for wall, openings in walls:
        for window in [each for each in openings if each.kind == "window"]:
            hang_curtain(builder, draw, wall, window)
            openings.append(Opening("curtain", window.start - 0.12, window.end + 0.12, 0.0, window.top + 0.15))
    furnish(Home(floor))
    builder.lighting = light_room(builder, draw, plan, walls)
    return builder.scene(floor.free_places(5, clear=0.3))


def furnish(home: Home) -> None:
    """Stand a kitchen, a bed, a sofa with its table and what else there is room for."""
    furnish_kitchen(home)
    bed, sofa = home.stand_surely("bed"), home.stand_surely("sofa")
    if bed:
        for side in (-1, 1):
            home.beside("bedside table", bed, side)
    table = home.before("coffee table", sofa, home.draw.between(0.35, 0.5)) if sofa else None
    if table:
        home.put_on(table, "table things", 2)
    for name in ("wardrobe", "bookshelf", "plant", "floor lamp", "armchair"):
        home.stand(name)


def ply(seen: Capture) -> bytes:
    """Write points in metres and their colours."""
    vertices = np.empty(len(seen.xyz), [("xyz", "<f4", 3), ("rgb", "u1", 3)])
    vertices["xyz"], vertices["rgb"] = seen.xyz, seen.color
    numbers, colors = ("x", "y", "z"), ("red", "green", "blue")
    properties = [f"property float {name}" for name in numbers] + [f"property uchar {name}" for name in colors]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}", *properties, "end_header"]
    return ("\n".join(header) + "\n").encode() + vertices.tobytes()


if __name__ == "__main__":
    main()
