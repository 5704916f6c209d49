"""SAM with random weights of a small size: what it is asked, and what becomes of what it says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from s4tok.config import SamMaskConfig
from s4tok.errors import InputError, MissingError
from s4tok.shapes import Array
from s4tok.vision.sam import Crop, Sam, box_of, crops, is_cut_off
from s4tok.vision.vision_model import DepthImage

ALL = SamMaskConfig(points=4, predicted_iou=0.0, stability=0.0, smallest=1)


def frame(height: int = 96, width: int = 128) -> DepthImage:
    color = np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)
    return DepthImage(color, np.ones((height, width), np.float32), np.eye(3))


class Says:
    """Stands for the library: says of each picture whichever masks it is given, and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.sizes, self.asked = answer, list[tuple[int, int]](), list[dict[str, Any]]()

    def __call__(self, picture: Image.Image, **asked: Any) -> dict[str, Any]:
        self.sizes.append(picture.size)
        self.asked.append(asked)
        return {"masks": self.answer(np.asarray(picture))}


def bright(picture: Array) -> Sequence[Array]:
    """Find the bright square of a picture, wherever it is."""
    mask = picture[..., 0] > 200
    return [mask] if mask.any() else []


def test_the_whole_image_is_asked_by_32_points_a_side_and_four_crops_by_16() -> None:
    says = Says(lambda picture: [])
    found = Sam(says, "sam", "-").masks(frame(480, 640))
    assert not found.any()
    assert says.sizes[0] == (640, 480)
    assert len(says.sizes) == 5
    assert set(says.sizes[1:]) <= {(401, 321), (401, 322), (402, 321), (402, 322)}
    assert [each["points_per_crop"] for each in says.asked] == [32, 16, 16, 16, 16]
    assert {(each["pred_iou_thresh"], each["stability_score_thresh"]) for each in says.asked} == {(0.86, 0.92)}


def test_a_bright_square_is_one_mask_at_its_own_pixels_though_crops_find_it_too() -> None:
    image = frame()
    image.color[:] = 10
    image.color[40:55, 20:40] = 255
    found = Sam(Says(bright), "sam", "-").masks(image)
    assert found.max() == 1
    assert np.array_equal(found > 0, image.color[..., 0] > 200)


def test_what_a_crop_cuts_off_is_taken_from_the_whole_image_alone() -> None:
    image = frame()
    image.color[:] = 10
    image.color[30:70, 30:100] = 255  # goes through the edges of all crops
    found = Sam(Says(bright), "sam", "-").masks(image)
    assert np.array_equal(found, (image.color[..., 0] > 200).astype(np.int32))


def test_more_masks_than_a_byte_can_count_keep_their_ids() -> None:
    def tiles(picture: Array) -> list[Array]:
        made = []
        for row in range(0, picture.shape[0], 4):
            for column in range(0, picture.shape[1], 4):
                mask = np.zeros(picture.shape[:2], bool)
                mask[row : row + 4, column : column + 4] = True
                made.append(mask)
        return made

    config = SamMaskConfig(smallest=16, crop_layers=0)
    found = Sam(Says(tiles), "sam", "-", config).masks(frame(80, 80))
    assert found.dtype == np.int32
    assert len(np.unique(found)) == 400


def test_crops_overlap_cover_the_image_and_lie_within_it() -> None:
    for height, width in ((480, 640), (97, 33)):
        covered = np.zeros((height, width), int)
        found = crops(height, width, SamMaskConfig(crop_layers=2))
        assert [crop.layer for crop in found] == [0] + [1] * 4 + [2] * 16
        for crop in found[1:5]:
            covered[crop.top : crop.bottom, crop.left : crop.right] += 1
        assert covered.min() == 1
        assert covered.max() == 4


def test_a_mask_ends_where_its_box_says_and_is_cut_off_at_inner_edges_alone() -> None:
    mask = np.zeros((100, 200), bool)
    mask[0:30, 60:100] = True
    assert box_of(mask) == [60, 0, 100, 30]
    assert is_cut_off([60, 0, 100, 30], Crop(0, 0, 110, 60, 1), 100, 200)
    assert not is_cut_off([30, 0, 60, 30], Crop(0, 0, 110, 60, 1), 100, 200)  # ends at the image's own upper edge


def test_it_runs_with_random_weights_of_a_small_size_and_the_same_each_time(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "output_channels": 32,
              "global_attn_indexes": [0], "image_size": 64, "patch_size": 16, "mlp_dim": 16,
              "num_pos_feats": 16}  # fmt: skip
    decoder = {"hidden_size": 32, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 16}
    prompt = {"hidden_size": 32, "image_size": 64, "patch_size": 16}
    config = transformers.SamConfig(vision_config=vision, mask_decoder_config=decoder, prompt_encoder_config=prompt)
    transformers.set_seed(0)
    transformers.SamModel(config).save_pretrained(tmp_path)
    size = {"longest_edge": 64}
    transformers.SamImageProcessor(size=size, pad_size={"height": 64, "width": 64}).save_pretrained(tmp_path)
    model = Sam.load("sam", str(tmp_path))
    loose = Sam(model.generator, model.name, model.sha256, ALL)
    found = loose.masks(frame())
    assert found.shape == (96, 128)
    assert np.array_equal(found, loose.masks(frame()))
    assert not model.masks(frame()).any() or model.masks(frame()).max() >= 1  # strict: what is left is masks or nothing
    assert model.identity["masks"] == "sam"
    assert len(model.identity["weights"]) == 64
    assert model.identity["points"] == 32


def test_without_transformers_or_weights_it_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingError, match="transformers, which has SAM, is not here") as error:
        Sam.load("sam")
    assert "s4tok[sam]" in str(error.value.hint)
    monkeypatch.setattr("s4tok.vision.sam.import_module", lambda name: None)
    with pytest.raises(InputError, match=r"holds no SAM as its hub has it: no config\.json"):
        Sam.load("sam", str(tmp_path))
    monkeypatch.setattr("s4tok.vision.hub.reachable", lambda: False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(MissingError, match="sam-vit-huge is not on this machine"):
        Sam.load("sam")
