import numpy as np
import pytest

from s4tok.dependencies import load
from s4tok.geometry.rays import Surface, looking, pinhole_rays
from s4tok.shapes import Array
from s4tok.synthetic.buildings import CLASSES as ROOM_CLASSES
from s4tok.synthetic.buildings import make_building_room
from s4tok.synthetic.capture import HAND_HELD, Eye, photograph, scan_room, thinned
from s4tok.synthetic.categories import CATEGORIES
from s4tok.synthetic.furniture import hangs
from s4tok.synthetic.objects import make_object
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scans import CLASSES as SCAN_CLASSES
from s4tok.synthetic.scans import camera_path, make_scan_room
from s4tok.synthetic.scenes import Scene, place_vertices
from s4tok.synthetic.shells import Plan, Wall
from s4tok.synthetic.solids import box

INTRINSICS = np.array([[100.0, 0, 79.5], [0, 100.0, 59.5], [0, 0, 1]])


def boxes(scene: Scene) -> dict[int, tuple[Array, Array]]:
    corners = scene.vertices[scene.faces]
    return {
        thing: (corners[scene.things == thing].min((0, 1)), corners[scene.things == thing].max((0, 1)))
        for thing in range(len(scene.names))
    }


def nearest(scene: Scene, points: Array) -> Array:
    """Give the face nearest to each point, found by another question to Open3D than the one a sensor asks."""
    open3d = load("open3d")
    tensor, tree = open3d.core.Tensor, open3d.t.geometry.RaycastingScene()
    tree.add_triangles(tensor(scene.vertices.astype(np.float32)), tensor(scene.faces.astype(np.uint32)))
    found = tree.compute_closest_points(tensor(points.astype(np.float32)), nthreads=1)
    faces: Array = found["primitive_ids"].numpy().astype(np.int64)
    return faces


@pytest.mark.parametrize("make", [make_scan_room, make_building_room])
@pytest.mark.parametrize("seed", range(4))
def test_furniture_stands_on_the_floor_within_the_walls_and_not_in_other_furniture(make: object, seed: int) -> None:
    assert callable(make)
    scene: Scene = make(Draw(seed, "room"))
    extents = boxes(scene)
    wall_low = np.min([extents[k][0] for k, name in enumerate(scene.names) if name == "wall"], 0)
    wall_high = np.max([extents[k][1] for k, name in enumerate(scene.names) if name == "wall"], 0)
    big = {
        k: extents[k]
        for k, name in enumerate(scene.names)
        if name in ("bed", "bookshelf", "cabinet", "sofa") and extents[k][0][2] < 0.3
    }
    for number, (low, high) in big.items():
        assert low[2] == pytest.approx(0, abs=1e-5), scene.names[number]
        assert (low[:2] > wall_low[:2]).all()
        assert (high[:2] < wall_high[:2]).all()
        for other, (a, b) in big.items():
            apart = (high[:2] <= a[:2] + 1e-6).any() or (low[:2] >= b[:2] - 1e-6).any()
            assert number == other or apart, (scene.names[number], scene.names[other])


def test_rooms_hold_the_classes_of_their_datasets() -> None:
    met: dict[object, set[int]] = {make_scan_room: set(), make_building_room: set()}
    for seed in range(6):
        for make in (make_scan_room, make_building_room):
            scene = make(Draw(seed, "classes"))
            met[make] |= set(scene.classes.tolist())
            assert (scene.parts[scene.classes == 0] == -1).all()
            assert len(scene.names) == scene.things.max() + 1
    assert len(met[make_scan_room] - {-1}) >= len(SCAN_CLASSES) - 2
    assert len(met[make_building_room]) >= len(ROOM_CLASSES) - 1


def test_a_notched_plan_is_walked_round_with_the_room_on_the_left() -> None:
    plan = Plan(5.0, 4.0, 2.5, (1.5, 1.0))
    walls = plan.walls()
    corners = np.array([wall.start for wall in walls])
    after = np.roll(corners, -1, 0)
    assert (corners[:, 0] * after[:, 1] - after[:, 0] * corners[:, 1]).sum() / 2 == pytest.approx(5 * 4 - 1.5)
    for wall in walls:
        x, y = wall.at(wall.length / 2, 0.1)
        assert plan.holds((x - 0.01, y - 0.01), (x + 0.01, y + 0.01))
    assert not plan.holds((3.0, 2.5), (4.0, 3.5))  # reaches into the corner that is cut off
    assert Wall((0.0, 0.0), (0.0, -3.0)).heading == pytest.approx(-np.pi / 2)


def test_an_object_is_placed_upright_with_its_front_turned() -> None:
    chair = make_object("chair", Draw(0, "placed"))
    still, turned = place_vertices(chair, 0, 0, 0, 0.0), place_vertices(chair, 1, 2, 3, np.pi / 2)
    np.testing.assert_allclose(still[:, 1], -chair.vertices[:, 2])  # the front, +z there, looks to -y here
    np.testing.assert_allclose(still[:, 2], chair.vertices[:, 1])
    np.testing.assert_allclose(turned[:, 0] - 1, chair.vertices[:, 2], atol=1e-12)
    assert np.linalg.det(np.linalg.lstsq(chair.vertices, still, rcond=None)[0]) == pytest.approx(1)


def test_lamps_that_hang_are_told_from_lamps_that_stand() -> None:
    answers = {hangs(make_object("lamp", Draw(0, "lamp", number))) for number in range(30)}
    assert answers == {True, False}


def test_a_pixel_of_a_pinhole_is_where_its_ray_goes() -> None:
    rays = pinhole_rays(120, 160, INTRINSICS)
    u = INTRINSICS[0, 0] * rays[7, 31, 0] + INTRINSICS[0, 2]
    v = INTRINSICS[1, 1] * rays[7, 31, 1] + INTRINSICS[1, 2]
    assert (u, v) == pytest.approx((31, 7))


def test_a_camera_looks_along_z_with_x_to_the_right_and_y_down() -> None:
    pose = looking(np.array([0.0, 0, 1]), np.array([5.0, 0, 1]), np.array([0.0, 0, 1]))
    np.testing.assert_allclose(pose[:3, :3].T @ [1, 0, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(pose[:3, :3].T @ [0, 0, 1], [0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(pose[:3, :3].T @ [0, -1, 0], [1, 0, 0], atol=1e-12)
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)


def test_rays_meet_what_is_in_their_way() -> None:
    solid = box((2, 2, 2), (5, 0, 0))
    hits = Surface(solid.vertices, solid.faces).cast(np.zeros(3), np.array([[1.0, 0, 0], [0, 1, 0], [2, 0.1, 0]]))
    np.testing.assert_array_equal(hits.is_hit, [True, False, True])
    np.testing.assert_allclose(hits.distance, [4, np.inf, 2], atol=1e-6)
    assert hits.face[1] == -1


@pytest.fixture(scope="module")
def eye() -> Eye:
    return Eye(make_scan_room(Draw(3, "eye")))


def test_scanned_points_lie_within_noise_of_the_surface_they_are_labelled_by(eye: Eye) -> None:
    seen = scan_room(eye, Draw(0), HAND_HELD, triangulated=True)
    some = Draw(1).generator.choice(len(seen.xyz), 4000, replace=False)
    face = nearest(eye.scene, seen.xyz[some])
    off = np.abs(((seen.xyz[some] - eye.anchors[face]) * eye.normals[face]).sum(1))
    assert np.quantile(off, 0.99) < 0.03
    assert 0.0005 < np.median(off) < 0.006  # a millimetre or so: there is noise
    assert (eye.scene.classes[face] == seen.classes[some]).mean() > 0.97


def test_a_scan_is_partial_and_of_uneven_density(eye: Eye) -> None:
    seen = thinned(scan_room(eye, Draw(0), HAND_HELD, triangulated=True), 0.03)
    met = np.unique(seen.things)
    assert len(met) >= 0.8 * len(eye.scene.names)
    surface_area = (
        np.linalg.norm(np.cross(*np.diff(eye.scene.vertices[eye.scene.faces], axis=1).transpose(1, 0, 2)), axis=1) / 2
    )
    inside = [k for k, name in enumerate(eye.scene.names) if name in CATEGORIES and k in met]
    density = [(seen.things == k).sum() / surface_area[eye.scene.things == k].sum() for k in inside]
    assert max(density) > 2 * min(density)


def test_thinning_keeps_one_point_a_voxel_and_only_triangles_of_three_points(eye: Eye) -> None:
    whole = scan_room(eye, Draw(0), HAND_HELD, triangulated=True)
    thin = thinned(whole, 0.1)
    cells = np.unique(np.floor(whole.xyz / 0.1).astype(int), axis=0)
    assert len(thin.xyz) == len(cells)
    assert len(np.unique(np.floor(thin.xyz / 0.1).astype(int), axis=0)) == len(cells)
    assert (np.diff(np.sort(thin.faces, axis=1), axis=1) > 0).all()
    assert thin.faces.max() < len(thin.xyz)
    assert len(np.unique(np.sort(thin.faces, axis=1), axis=0)) == len(thin.faces)


def test_a_depth_image_and_the_room_agree(eye: Eye) -> None:
    pose = camera_path(Draw(2), eye.scene, 40)[10]
    color, depth = photograph(eye, Draw(0), pose, (120, 160), INTRINSICS)
    rays = pinhole_rays(120, 160, INTRINSICS)
    seen = depth > 0
    points = (rays * depth[..., None])[seen] @ pose[:3, :3].T + pose[:3, 3]
    face = nearest(eye.scene, points)
    off = np.abs(((points - eye.anchors[face]) * eye.normals[face]).sum(1))
    assert np.quantile(off, 0.98) < 0.02
    assert seen.mean() > 0.8
    np.testing.assert_allclose(depth * 1000, np.round(depth * 1000), atol=1e-3)  # whole millimetres, as in a PNG
    assert color[seen].mean() > 30
