"""Cameras in a room's free space and above it, and around a thing."""

from dataclasses import replace

import numpy as np

from s4tok.config import VirtualConfig
from s4tok.rendering.virtual_cameras import virtual_cameras
from s4tok.shapes import Array

CONFIG = VirtualConfig()
RNG = np.random.default_rng(0)


def sheet(low: list[float], high: list[float], count: int) -> Array:
    return RNG.uniform(low, high, (count, 3))


def room() -> Array:
    """Six metres by four, 2.5 m high, y up, a cupboard in one half and a low table in the other."""
    walls = [
        sheet([0, 0, 0], [6, 0, 4], 6000), sheet([0, 2.5, 0], [6, 2.5, 4], 6000), sheet([0, 0, 0], [6, 2.5, 0], 4000),
        sheet([0, 0, 4], [6, 2.5, 4], 4000), sheet([0, 0, 0], [0, 2.5, 4], 3000), sheet([6, 0, 0], [6, 2.5, 4], 3000),
    ]  # fmt: skip
    return np.concatenate([*walls, sheet([0, 0, 0], [2.5, 2, 4], 6000), sheet([4, 0, 1], [5, 0.3, 2], 1000)])


def test_cameras_stand_in_free_space_at_eye_height_and_above() -> None:
    cameras = virtual_cameras(room(), "room", replace(CONFIG, above=6))
    eyes = np.array([each.pose[:3, 3] for each in cameras])
    inside = np.array([np.isinf(each.lid) for each in cameras])
    assert ((eyes[:, 0] > 3) & (eyes[:, 0] < 6) & (eyes[:, 2] > 0) & (eyes[:, 2] < 4)).all()
    np.testing.assert_allclose(eyes[inside, 1], 1.5, atol=0.05)
    assert (eyes[~inside, 1] > 2.5).all()
    assert all(2 < each.lid < 2.5 for each in cameras if not np.isinf(each.lid))
    assert inside.sum() / (~inside).sum() == CONFIG.around * len(CONFIG.pitches) / 6


def test_poses_turn_and_keep_the_horizon_level_and_look_down_ahead_and_up() -> None:
    slopes = set[int]()
    for camera in virtual_cameras(room(), "room", CONFIG):
        turn = camera.pose[:3, :3]
        slopes.add(round(np.degrees(np.arcsin(-turn[1, 2]))))
        np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=1e-12)
        assert np.linalg.det(turn) > 0
        assert abs(turn[1, 0]) < 1e-12  # to the right is level
    assert slopes == set(CONFIG.pitches)


def test_a_long_room_has_several_places_that_lie_apart() -> None:
    long = room() * [4, 1, 1]
    eyes = {tuple(each.pose[[0, 2], 3].round(6)) for each in virtual_cameras(long, "room", CONFIG)}
    assert 2 <= len(eyes) <= CONFIG.places
    first, *others = (np.array(each) for each in eyes)
    assert all(np.linalg.norm(each - first) > 1 for each in others)


def test_a_thing_and_a_room_without_free_space_are_seen_from_around() -> None:
    block = RNG.uniform(-1, 1, (20_000, 3))
    for scene in ("object", "room"):
        cameras = virtual_cameras(block, scene, CONFIG)
        assert len(cameras) == 2 * CONFIG.around
        for camera in cameras:
            assert np.linalg.norm(camera.pose[:3, 3]) > np.sqrt(3)
            np.testing.assert_allclose(
                camera.pose[:3, 2], -camera.pose[:3, 3] / np.linalg.norm(camera.pose[:3, 3]), atol=0.01
            )
