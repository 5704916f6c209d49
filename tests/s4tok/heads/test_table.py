import pytest

from s4tok.config import HeadConfig
from s4tok.errors import UsageError
from s4tok.heads.segmentation import SegmentationHead
from s4tok.heads.table import HEADS, build_head
from tests.s4tok.heads.reading import clouds


@pytest.mark.parametrize("name", HEADS)
def test_every_head_labels_points_and_clouds(name: str) -> None:
    read, points, superpoints = clouds()
    config = HeadConfig(head=name, head_widths=(8, 8, 8, 8))
    of_points = build_head(config, 8, 5, of_points=True, text_width=6)(read, points, superpoints)
    of_clouds = build_head(config, 8, 7, of_points=False, text_width=6)(read)
    assert (of_points.shape, of_clouds.shape) == ((2, 30, 5), (2, 7))


def test_settings_reach_the_head_and_an_unknown_one_is_refused() -> None:
    head = build_head(HeadConfig(propagation="nearest", dropout=0.25), 8, 5, 2, of_points=True)
    assert isinstance(head, SegmentationHead)
    assert (head.nearest, head.share, head.token.out_features) == (True, 0.25, 1536)
    with pytest.raises(UsageError, match="no head is called 'unet'; there are: full, probe, words"):
        build_head(HeadConfig(head="unet"), 8, 5, of_points=True)
