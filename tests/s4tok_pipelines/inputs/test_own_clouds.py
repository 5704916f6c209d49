from pathlib import Path

import numpy as np

from s4tok.clouds import Placement, PointCloud
from s4tok.datasets.open import open_dataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.synthetic.datasets import ToyShapes
from s4tok_pipelines.inputs.own_clouds import bring_upright, parted
from s4tok_pipelines.outputs.assumed import taken_for
from tests.notes import Notes


def folder(root: Path) -> Path:
    """A chair that is 474 long, a hall in metres, and a letter."""
    shapes = ToyShapes("val")
    chair = shapes[shapes.keys[6]].xyz
    np.save(root / "a-chair.npy", chair * 474 / np.ptp(chair, axis=0).max())
    hall = np.random.default_rng(0).uniform(0, [5, 4, 2.5], (3000, 3))
    hall[:1500, 2] = hall[1500:2250, 0] = hall[2250:, 1] = 0
    np.save(root / "b-hall.npy", hall)
    (root / "c-letter.ply").write_text("to nobody")
    return root


def test_objects_and_rooms_of_a_folder_are_told_apart_file_by_file(tmp_path: Path) -> None:
    opened = open_dataset(folder(tmp_path))
    objects, rooms = parted(opened)
    assert (objects.scene, objects.keys) == ("object", ("a-chair.npy", "c-letter.ply"))
    assert (rooms.scene, rooms.keys) == ("room", ("b-hall.npy",))
    assert len(opened) == 3
    assert objects["a-chair.npy"].placement == Placement("y", None, "object")
    assert rooms["b-hall.npy"].placement == Placement("z", "m", "room")
    (all_objects,) = parted(opened, scene="object")  # as with --category
    assert all(abs(all_objects[key].extent - 1) < 2e-5 for key in all_objects.keys[:2])
    (said,) = parted(open_dataset(tmp_path, scene="room"), scene="object")
    assert said.scene == "room"


def test_a_dataset_stays_whole() -> None:
    shapes = ToyShapes("val")
    assert parted(shapes) == [shapes]
    assert taken_for(shapes) == {"scene": "object", "up": "y"}


def test_an_axis_that_was_tried_is_kept_and_makes_another_cloud(tmp_path: Path) -> None:
    cube = np.random.default_rng(0).random((500, 3))  # no way up is likelier than another
    np.save(tmp_path / "cube.npy", cube)
    (clouds,) = parted(open_dataset(tmp_path / "cube.npy"), scene="object")
    assert isinstance(clouds, OwnFiles)
    before = clouds.origin("cube.npy").path
    wanted = "x" if taken_for(clouds)["up"] != "x" else "y"

    def score(cloud: PointCloud) -> float:
        assert cloud.placement is not None
        return float(cloud.placement.up == wanted)

    bring_upright(clouds, score)
    assert taken_for(clouds) == {"scene": "object", "up": wanted, "unit": None}
    assert clouds["cube.npy"].placement == Placement(wanted, None, "object")  # type: ignore[arg-type]
    assert clouds.origin("cube.npy").path != before


def test_what_lies_on_its_head_is_told(tmp_path: Path) -> None:
    shapes = ToyShapes("val")
    chair = shapes[shapes.keys[6]].xyz
    np.save(tmp_path / "chair.npy", chair)
    np.save(tmp_path / "fallen.npy", chair * [1, -1, -1])
    notes = Notes()
    parted(open_dataset(tmp_path), report=notes)
    assert notes.said == ["fallen.npy looks upside down, its y pointing down; it is not turned round"]
