import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.synthetic.datasets import ToyRoom, ToyRooms, ToyScans


def small(kind: str) -> ToyRoom:
    return ToyScans(sizes=(2, 0, 1), voxel=0.08) if kind == "scans" else ToyRooms(sizes=(1, 0, 1), points=5000)


def digest(dataset: ToyRoom, key: str) -> str:
    cloud = dataset[key]
    assert cloud.color is not None
    assert cloud.labels is not None
    arrays = [cloud.xyz, cloud.offset, cloud.color, cloud.labels]
    frame = next(dataset.frames(key, step=400))
    arrays += [frame.color, frame.depth, frame.camera_to_world]
    return hashlib.blake2b(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scans", "rooms"])
def test_any_workers_in_any_order_make_the_same_rooms(kind: str) -> None:
    dataset = small(kind)
    alone = [digest(dataset, key) for key in dataset.keys]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        others = list(pool.map(digest, [dataset] * len(dataset), reversed(dataset.keys)))
    assert others[::-1] == alone
    assert len(set(alone)) == len(alone)


def test_splits_have_their_sizes() -> None:
    scans, rooms = (open_dataset(name, split="all") for name in ("toy-scans", "toy-rooms"))
    assert (len(scans), len(rooms)) == (95, 50)
    assert scans.scene == rooms.scene == "room"
    assert scans.up == rooms.up == "z"


def test_a_scan_is_a_mesh_in_metres_whose_vertices_are_the_cloud() -> None:
    dataset = small("scans")
    key = dataset.keys[0]
    cloud, mesh = dataset[key], dataset.mesh(key)
    assert mesh is not None
    assert mesh.labels is not None
    assert cloud.labels is not None
    np.testing.assert_allclose(cloud.original_xyz(), mesh.vertices, atol=1e-6)
    assert mesh.faces.max() < len(cloud)
    assert set(cloud.labels.tolist()) <= set(range(-1, len(dataset.classes)))
    extent = np.ptp(mesh.vertices, axis=0)
    assert (extent[:2] > 2.5).all()
    assert 1.5 < extent[2] < 3
    assert abs(mesh.vertices[:, 2].min()) < 0.1
    things, parts = dataset.things(key)
    assert len(things) == len(parts) == len(cloud)
    assert parts.max() >= 1


@pytest.mark.parametrize("dataset", [ToyScans(sizes=(1, 0, 0)), ToyRooms(sizes=(1, 0, 0))], ids=["scans", "rooms"])
def test_frames_look_at_the_cloud_from_within(dataset: ToyScans | ToyRooms) -> None:
    [key] = dataset.keys
    cloud = dataset[key].original_xyz()
    frames = list(dataset.frames(key, step=100))
    assert [frame.name for frame in frames] == ["0", "100", "200", "300"]
    for frame in frames:
        seen = (cloud - frame.camera_to_world[:3, 3]) @ frame.camera_to_world[:3, :3]
        ahead = seen[(seen[:, 2] > 0.2) & (seen[:, 2] < 7.5)]  # the camera's reach is 8 m
        u = ahead[:, 0] / ahead[:, 2] * frame.depth_intrinsics[0, 0] + frame.depth_intrinsics[0, 2]
        v = ahead[:, 1] / ahead[:, 2] * frame.depth_intrinsics[1, 1] + frame.depth_intrinsics[1, 2]
        height, width = frame.depth.shape
        inside = (u > 1) & (u < width - 2) & (v > 1) & (v < height - 2)
        measured = frame.depth[np.round(v[inside]).astype(int), np.round(u[inside]).astype(int)]
        depth = ahead[inside, 2]
        assert inside.sum() > 500
        assert (measured < depth + 0.1).mean() > 0.97  # a point may be hidden; it cannot be in front of what is seen
        assert (np.abs(measured - depth) < 0.05).mean() > 0.4


def test_one_frame_is_the_same_whichever_others_are_made() -> None:
    dataset = ToyScans(sizes=(1, 0, 0))
    [key] = dataset.keys
    some = {frame.name: frame for frame in dataset.frames(key, step=150)}
    others = {frame.name: frame for frame in dataset.frames(key, step=300)}
    np.testing.assert_array_equal(some["300"].depth, others["300"].depth)
    np.testing.assert_array_equal(some["300"].color, others["300"].color)


def test_rooms_of_a_building_keep_its_coordinates_and_have_a_ceiling() -> None:
    dataset = ToyRooms(sizes=(2, 0, 0), points=3000)
    clouds = [dataset[key] for key in dataset.keys]
    assert max(float(np.abs(cloud.offset[:2]).max()) for cloud in clouds) > 5
    for cloud in clouds:
        assert len(cloud) == 3000
        assert cloud.labels is not None
        assert cloud.labels.min() >= 0
        ceiling = cloud.xyz[cloud.labels == 0, 2]
        assert ceiling.mean() > 0.45 * np.ptp(cloud.xyz[:, 2])
