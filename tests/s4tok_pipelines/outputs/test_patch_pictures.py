import numpy as np

from s4tok.clouds import PointCloud
from s4tok.rendering.palette import UNKNOWN
from s4tok_pipelines.outputs.patch_pictures import count, group, in_patches, near_centers

RANDOM = np.random.default_rng(0)
CLOUD = PointCloud.of(RANDOM.uniform(size=(640, 3)))
SUPERPOINTS = (CLOUD.xyz[:, 0] > CLOUD.xyz[:, 0].mean()).astype(np.int32)


def test_a_point_is_grey_where_no_patch_holds_it_and_has_its_patchs_colour_elsewhere() -> None:
    grouped = group("s4token", CLOUD, SUPERPOINTS)
    painted = in_patches(grouped, len(CLOUD))
    members = np.unique(grouped.members[0][grouped.is_member[0]].numpy())
    is_grey = (painted == UNKNOWN).all(axis=1)
    assert np.array_equal(np.flatnonzero(~is_grey), members)
    sides = [{tuple(color) for color in painted[(side == SUPERPOINTS) & ~is_grey]} for side in (0, 1)]
    assert sides[0].isdisjoint(sides[1])  # a patch of S4Token ends where its superpoint does


def test_every_centre_is_drawn() -> None:
    grouped = group("knn", CLOUD, SUPERPOINTS)
    dots = near_centers(CLOUD, grouped.xyz[0].numpy())
    assert dots[grouped.centers[0].numpy()].all()


def test_patches_are_pure_where_the_labels_are_the_superpoints() -> None:
    cloud = PointCloud.of(CLOUD.xyz, labels=SUPERPOINTS)
    pure, mixed = (count(group(name, cloud, SUPERPOINTS), cloud, SUPERPOINTS) for name in ("s4token", "ball+rpn"))
    assert pure.purity == 1.0 > mixed.purity
    assert pure.superpoints == pure.points == 1.0
    assert np.isnan(count(group("knn", CLOUD, SUPERPOINTS), CLOUD, SUPERPOINTS).purity)
