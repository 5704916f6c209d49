import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from s4tok.errors import InputError, MissingError, UsageError
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.weights import CARRIED

open_clip = pytest.importorskip("open_clip")

MakeClip = Callable[..., Path]


@pytest.fixture(scope="module")
def folder(make_clip: MakeClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def tiny(folder: Path) -> FrozenClip:
    return FrozenClip.load(str(folder))


def pictures(count: int, size: int, channels: int = 3) -> Tensor:
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(1))


def own_forward(clip: FrozenClip, images: Tensor) -> tuple[Tensor, Tensor]:
    """What open_clip computes itself: the embedding, and the tokens before the projection."""
    mean, std = (torch.tensor(three).view(1, 3, 1, 1) for three in (clip.mean, clip.std))
    visual: Any = clip.model.visual
    visual.output_tokens = True
    with torch.no_grad():
        whole, tokens = visual((images - mean) / std)
    visual.output_tokens = False
    return functional.normalize(whole, dim=-1), functional.normalize(tokens @ visual.proj, dim=-1)


def test_a_random_vit_b_16_sees_what_open_clips_own_forward_sees() -> None:
    clip = FrozenClip.load("ViT-B-16")
    images = pictures(2, 224)
    whole, tokens = own_forward(clip, images)
    seen = clip.encode(images)
    assert (clip.size, clip.width, seen.patches.shape) == (224, 512, (2, 14, 14, 512))
    torch.testing.assert_close(seen.whole, whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.patches.flatten(1, 2), tokens, atol=1e-5, rtol=0)


def test_in_bfloat16_as_on_a_gpu_it_sees_nearly_the_same(tiny: FrozenClip, folder: Path) -> None:
    model = open_clip.create_model(f"local-dir:{folder}", precision="bf16").eval()
    images = pictures(2, 48)
    fine, rough = (each.encode(images) for each in (tiny, replace(tiny, model=model)))
    assert not torch.equal(fine.whole, rough.whole)
    assert (fine.whole * rough.whole).sum(-1).min() > 0.999
    assert (fine.patches * rough.patches).sum(-1).min() > 0.99


def test_every_device_encodes_nearly_the_same(device: str, tiny: FrozenClip, folder: Path) -> None:
    images = pictures(2, 48)
    here, there = tiny.encode(images), FrozenClip.load(str(folder), device=device).encode(images)
    assert (here.whole * there.whole.float().cpu()).sum(-1).min() > 0.999
    assert (here.patches * there.patches.float().cpu()).sum(-1).min() > 0.99
    assert there.whole.device.type == device


def test_patches_lie_where_their_picture_is(tiny: FrozenClip) -> None:
    images = torch.full((2, 3, 48, 48), 0.5)
    images[1, :, 32:, 16:32] = 0.0  # row 2, column 1 of the patches
    dark, grey = tiny.encode(images).patches[[1, 0]]
    change = (dark - grey).norm(dim=-1)
    assert int(change.argmax()) == 2 * 3 + 1


def test_maskclip_takes_the_value_path_of_the_last_layer(tiny: FrozenClip) -> None:
    images = pictures(2, 48)
    visual: Any = tiny.model.visual
    *blocks, last = visual.transformer.resblocks
    with torch.no_grad():
        tokens = visual._embeds(tiny.prepare(images))
        for block in blocks:
            tokens = block(tokens)
        weight, bias = (part.chunk(3)[2] for part in (last.attn.in_proj_weight, last.attn.in_proj_bias))
        tokens = tokens + last.attn.out_proj(functional.linear(last.ln_1(tokens), weight, bias))
        tokens = tokens + last.mlp(last.ln_2(tokens))
        expected = functional.normalize(visual.ln_post(tokens[:, 1:]) @ visual.proj, dim=-1)
    seen = replace(tiny, dense_by="maskclip").encode(images)
    torch.testing.assert_close(seen.patches.flatten(1, 2), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.whole, tiny.encode(images).whole)
    assert (seen.patches - tiny.encode(images).patches).abs().max() > 1e-3


def test_pictures_are_prepared_as_open_clips_own_transform_prepares_them(tiny: FrozenClip) -> None:
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from PIL import Image

    noise = pictures(1, 12)[0].permute(1, 2, 0).repeat_interleave(16, 0).repeat_interleave(16, 1)
    noise = (64 + 128 * noise).byte()  # clear of 0 and 255, where PIL clips between its two passes
    image = Image.fromarray(noise.numpy())
    visual: Any = tiny.model.visual
    expected = image_transform_v2(PreprocessCfg(**visual.preprocess_cfg), is_train=False)(image)
    found = tiny.prepare(noise.permute(2, 0, 1)[None] / 255)[0]
    assert (expected - found).abs().max() < 0.02  # PIL rounds to bytes after each pass: a step of 1/255 in all


def test_a_grey_picture_is_that_picture_in_three_channels(tiny: FrozenClip) -> None:
    grey = pictures(2, 48, channels=1)
    torch.testing.assert_close(tiny.encode(grey).whole, tiny.encode(grey.expand(-1, 3, -1, -1)).whole)


def test_texts_are_the_unit_vectors_of_open_clips_own_text_tower(tiny: FrozenClip, folder: Path) -> None:
    prompts = ["a leg of a chair", "a wing"]
    texts = tiny.text(prompts)
    model: Any = tiny.model
    with torch.no_grad():
        expected = model.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(prompts), normalize=True)
    torch.testing.assert_close(texts, expected)
    torch.testing.assert_close(texts.norm(dim=-1), torch.ones(2))


def test_its_identity_tells_models_and_preprocessings_apart_and_not_folders(
    folder: Path, make_clip: MakeClip, tmp_path: Path
) -> None:
    identity = FrozenClip.load(str(folder)).identity
    assert (identity["mean"], identity["size"]) == ([0.5, 0.4, 0.3], 48)
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / "tiny")
    assert FrozenClip.load(f"local-dir:{moved}").identity == identity
    other = make_clip(tmp_path / "other", interpolation="bilinear")
    changed = FrozenClip.load(str(other)).identity
    assert changed["weights"] == identity["weights"]
    assert changed["interpolation"] != identity["interpolation"]
    assert FrozenClip.load("ViT-S-32-alt", seed=1).sha256 != FrozenClip.load("ViT-S-32-alt").sha256


def test_caches_have_known_it_by_the_same_stamp_from_the_first(tiny: FrozenClip) -> None:
    assert tiny.stamp == {
        "teacher": "clip", "clip": "tiny", "weights": tiny.sha256, "size": 48, "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.25, 0.3], "interpolation": "bicubic", "dense": "last",
    }  # fmt: skip
    assert tiny.width == 24


def test_nothing_can_train_it(tiny: FrozenClip) -> None:
    assert not tiny.model.training
    assert not any(parameter.requires_grad for parameter in tiny.model.parameters())


def test_loading_random_weights_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    FrozenClip.load("ViT-S-32-alt")
    assert torch.equal(torch.random.get_rng_state(), before)


def test_openais_weights_get_openais_gelu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The architecture ViT-B-16 says GELU; a model with the tag `openai` was trained with another."""
    from safetensors.torch import save_file

    from s4tok.vision import weights

    torch.manual_seed(0)
    model = open_clip.create_model("ViT-S-32-alt")
    save_file({name: each.contiguous() for name, each in model.state_dict().items()}, tmp_path / "w.safetensors")
    found = weights.Weights("ViT-S-32-alt", tmp_path / "w.safetensors", {}, quick_gelu=True)
    monkeypatch.setattr("s4tok.vision.open_clip_network.find", lambda name, pretrained: found)
    visual: Any = FrozenClip.load("ViT-S-32-alt", "openai").model.visual
    assert type(visual.transformer.resblocks[0].mlp.gelu).__name__ == "QuickGELU"


Break = Callable[[Path], object]


@pytest.mark.parametrize(
    ("breaking", "says"),
    [
        (lambda folder: (folder / "open_clip_config.json").unlink(), "has no open_clip_config.json"),
        (lambda folder: (folder / "open_clip_model.safetensors").unlink(), "no weights"),
        (lambda folder: (folder / "open_clip_model.safetensors").write_bytes(b"\0" * 100), "cannot be loaded"),
        (lambda folder: (folder / "open_clip_config.json").write_text("{}"), "cannot be loaded"),
    ],
)
def test_a_folder_that_is_no_clip_is_answered_in_one_sentence(
    make_clip: MakeClip, tmp_path: Path, breaking: Break, says: str
) -> None:
    broken = make_clip(tmp_path / "broken")
    breaking(broken)
    with pytest.raises(InputError, match=says) as caught:
        FrozenClip.load(str(broken))
    assert "\n" not in str(caught.value)


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="cannot be loaded as ViT-S-32-alt"):
        FrozenClip.load("ViT-S-32-alt", str(folder / "open_clip_model.safetensors"))


@pytest.mark.parametrize(
    ("name", "pretrained", "says"),
    [
        ("ViT-B-61", "", "no model 'ViT-B-61'"),
        ("ViT-B-16", "opnai", "no weights 'opnai'"),
        ("RN50", "", "no plain vision transformer"),
    ],
)
def test_names_that_do_not_exist_or_do_not_fit_are_usage_errors(
    name: str, pretrained: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s4tok.vision.weights.probe", lambda name, pretrained: None)
    with pytest.raises(UsageError, match=says):
        FrozenClip.load(name, pretrained)


@pytest.mark.parametrize("name", ["mini", "mini2"])
def test_a_mini_clip_that_was_not_shipped_is_missing(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(CARRIED, name, tmp_path / "none")
    with pytest.raises(MissingError, match=f"without the CLIP {name}") as caught:
        FrozenClip.load(name)
    assert "reinstall s4tok" in caught.value.hint


def test_a_mini_clip_is_found_where_its_files_are(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(CARRIED, "mini2", make_clip(tmp_path / "tiny"))
    assert FrozenClip.load("mini2").name == "mini2"
