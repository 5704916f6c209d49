import pickle
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.reader import EmptySplit, FileDataset
from s4tok.datasets.sh3d import SH3D, SH3DParts
from s4tok.datasets.table import DATASETS
from s4tok.errors import UsageError
from tests.furniture import wardrobes
from tests.s4tok.datasets.formats.test_deb import deb_of

NAME = "wardrobe1"  # Scopia has one, a wardrobe with a door, says the list


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """Lay three libraries out, one of each split."""
    for library, names in (("BlendSwap-CC-0", ("a", "wardrobeWithSlidingDoors")), ("KatorLegaz", ("b",))):
        wardrobes(tmp_path / f"{library}.sh3f", *names)
    wardrobes(tmp_path / "Scopia.sh3f", NAME, "unknown")
    return tmp_path


def test_splits_are_whole_libraries(libraries: Path) -> None:
    keys = {split: list(open_dataset(libraries, split=split).keys) for split in SH3D.splits}
    assert keys == {
        "train": ["BlendSwap-CC-0/a", "BlendSwap-CC-0/wardrobeWithSlidingDoors"],
        "val": ["KatorLegaz/b"],
        "test": ["Scopia/unknown", f"Scopia/{NAME}"],
    }
    (libraries / "KatorLegaz.sh3f").unlink()
    with pytest.raises(EmptySplit):
        open_dataset(libraries, split="val")


def test_a_model_is_a_mesh_and_points_drawn_from_it_at_its_size_with_its_colours(libraries: Path) -> None:
    dataset = open_dataset(libraries, split="test")
    mesh, cloud = dataset.mesh(f"Scopia/{NAME}"), dataset[f"Scopia/{NAME}"]
    assert mesh is not None
    assert dataset.up == "y"
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), [1, 2, 0.5])
    np.testing.assert_allclose(np.ptp(cloud.original_xyz(), axis=0), [1, 2, 0.5], atol=0.01)
    assert cloud.color is not None
    assert {tuple(color) for color in cloud.color.round(3).tolist()} == {(0.5, 0.25, 0.0), (1.0, 1.0, 1.0)}
    assert cloud.labels is None
    assert cloud.normals is not None


def test_the_hand_made_list_tells_classes_and_a_model_it_does_not_know_has_none(libraries: Path) -> None:
    dataset = open_dataset(libraries, split="test")
    category = dataset.category(f"Scopia/{NAME}")
    assert category is not None
    assert dataset.categories[category] == "wardrobe"
    assert dataset.category("Scopia/unknown") is None


def test_those_with_parts_have_them_as_labels(libraries: Path) -> None:
    assert isinstance(open_dataset(libraries), SH3D)
    dataset = open_dataset(libraries, dataset="sh3d-parts")
    assert list(dataset.keys) == ["BlendSwap-CC-0/wardrobeWithSlidingDoors"]
    labels = dataset[dataset.keys[0]].labels
    assert labels is not None
    names = {dataset.classes[each] for each in np.unique(labels)}
    assert names == {"door", "body"}
    category = dataset.category(dataset.keys[0])
    assert category is not None
    assert set(np.unique(labels)) <= set(dataset.parts[dataset.categories[category]])
    assert [name for name, ids in dataset.parts.items() for _ in ids][int(labels[0])] == "wardrobe"


def test_a_library_and_a_package_are_sources_by_themselves_and_give_the_same_clouds(libraries: Path) -> None:
    packed_files = sorted(libraries.glob("*.sh3f"))
    package = deb_of(libraries / "sweethome3d-furniture_1_all.deb", *packed_files)
    key = f"Scopia/{NAME}"
    clouds = [open_dataset(source, split="test")[key].xyz for source in (libraries, libraries / "Scopia.sh3f", package)]
    np.testing.assert_array_equal(clouds[0], clouds[1])
    np.testing.assert_array_equal(clouds[0], clouds[2])
    packed = open_dataset(package, split="test")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(packed))[key].xyz, clouds[0])
    assert packed.origin(key).size == open_dataset(libraries, split="test").origin(key).size > 100
    with pytest.raises(UsageError, match="is read as own-files"):
        open_dataset(libraries / "Scopia.sh3f", dataset="scannet")


def test_a_model_that_is_damaged_is_found_by_the_check(libraries: Path) -> None:
    wardrobes(libraries / "Scopia.sh3f", "broken", obj="v 0 0 zero\nf 1 1 1\n")
    dataset = open_dataset(libraries, split="test")
    assert isinstance(dataset, FileDataset)
    finding = dataset.cloud_finding("Scopia/broken")
    assert finding is not None
    assert finding.path.endswith("Scopia.sh3f/x/broken/broken.obj")
    assert (finding.line, finding.sentence) == (1, "'zero' is not a number.")


@pytest.mark.parametrize(("name", "reader"), [("sh3d", SH3D), ("sh3d-parts", SH3DParts)])
def test_real_libraries_have_the_official_counts(name: str, reader: type[SH3D], furniture: Path) -> None:
    for split in reader.splits:
        assert len(open_dataset(furniture, split=split, dataset=name)) == reader.official[split]
    assert DATASETS[name].load() is reader


@pytest.mark.parametrize(
    ("key", "size", "front"),
    [
        ("Scopia/bed1", (1.705, 1.108, 2.165), "low"),  # the head end is at the back
        ("BlendSwap-CC-0/oakChair", (0.491, 1.178, 0.612), "low"),
        ("KatorLegaz/full-bookcase", (0.898, 2.21, 0.347), ""),
    ],
)
def test_real_models_stand_upright_at_their_size_and_look_along_z(
    key: str, size: tuple[float, float, float], front: str, furniture: Path
) -> None:
    dataset = open_dataset(furniture, split="all", dataset="sh3d")
    mesh, points = dataset.mesh(key), dataset[key].original_xyz()
    assert mesh is not None
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), size, atol=1e-6)
    if front == "low":  # what is high is behind
        assert points[points[:, 1] > 0.75 * size[1], 2].mean() < -0.2 * size[2]


def test_the_credits_that_ship_are_those_of_the_real_catalogues(furniture: Path) -> None:
    dataset = open_dataset(furniture, split="all", dataset="sh3d")
    shipped = files("s4tok.datasets.sh3d").joinpath("credits.tsv").read_text(encoding="utf-8").splitlines()
    assert shipped[1:] == ["\t".join(credit) for credit in dataset.credits()]
    assert all(credit.author for credit in dataset.credits())
