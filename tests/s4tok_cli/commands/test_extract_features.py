import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from s4tok.datasets.open import open_dataset
from tests.octants import cut_into_octants
from tests.running import Run

Answer = Callable[..., tuple[int, dict[str, Any]]]
SMALL = (
    "--preset", "quick", "--n-points", 100, "--n-tokens", 6, "--patch-size", 8, "--batch", 1, "--epochs", 1,
    "--split", "val",
)  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def answer(s4tok: Run, cache: Path) -> Answer:
    """Run a command on two shapes with views and superpoints, and give its exit code and what it tells a script."""
    cut_into_octants(open_dataset("toy-shapes", split="val", limit=2), cache)
    common = ("--split", "val", "--limit", 2, "--cache", cache, "--device", "cpu")
    assert s4tok("render-views", "toy-shapes", *common, "--projection", "classification").returncode == 0

    def command(name: str, *arguments: object) -> tuple[int, dict[str, Any]]:
        done = s4tok(name, "toy-shapes", *arguments, *common, "--json")
        return done.returncode, done.json

    return command


def test_dinov2_is_extracted_and_distilled_and_has_no_words(answer: Answer, cache: Path, tmp_path: Path) -> None:
    tiny = "dinov2:test_vit"  # timm's own, for tests
    code, said = answer("extract-features", "--model", tiny, "--pretrained", "")
    assert (code, said["made"], said["images"]) == (0, 2, 20)
    assert answer("extract-features", "--model", tiny, "--pretrained", "")[1]["present"] == 2
    code, said = answer("pretrain", "--features", tiny, *SMALL, "--out", tmp_path / "run")
    assert (code, said["made"]) == (0, 1)
    code, said = answer("segment", "--checkpoint", tmp_path / "run")
    assert (code, "was distilled from dinov2:test_vit, which has no text encoder" in said["error"]) == (2, True), said
    code, said = answer("segment", "--vision-only", "--clip", tiny, "--pretrained", "")
    assert (code, "dinov2:test_vit has no text encoder" in said["error"]) == (2, True), said
    code, said = answer("extract-features", "--model", tiny, "--pretrained", "", "--preview", tmp_path / "sheets")
    assert (code, "dinov2:test_vit has no text encoder" in said["error"]) == (2, True), said


@pytest.mark.slow
def test_siglip_is_extracted_and_distilled_and_names_points_by_its_own_texts(
    answer: Answer, tmp_path: Path, make_siglip: Callable[[Path], Path]
) -> None:
    (tmp_path / "models").mkdir()
    folder = make_siglip(tmp_path / "models" / "small-siglip")
    code, said = answer("extract-features", "--model", folder)
    assert (code, said["made"]) == (0, 2)
    code, said = answer("segment", "--vision-only", "--clip", folder)
    assert (code, said["clouds"], said["vision_model"]["name"]) == (0, 2, "small-siglip")
    code, said = answer("classify", "--vision-only", "--clip", folder)
    assert (code, said["clouds"]) == (0, 2)
    code, said = answer("pretrain", "--features", folder, *SMALL, "--out", tmp_path / "run")
    assert (code, said["made"]) == (0, 1)
    card = json.loads((tmp_path / "run" / "ckpt" / "last" / "config.json").read_text())
    assert (card["vision_model"]["model"], card["head"]["to"], card["clip"]["name"]) == ("small-siglip", 64, "mini")
    for command in ("segment", "classify"):
        code, said = answer(command, "--checkpoint", tmp_path / "run", "--text-model", folder)
        assert (code, said["clouds"], said["vision_model"]["name"]) == (0, 2, "small-siglip")
        code, said = answer(command, "--checkpoint", tmp_path / "run")
        assert (code, "no vision model is called 'small-siglip'" in said["error"]) == (2, True), said


def test_extract_clip_is_the_same_stage_and_its_caches_are_found_by_either(
    answer: Answer, cache: Path, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    clip = make_clip(tmp_path / "tiny")
    assert answer("extract-clip", "--clip", clip)[1]["made"] == 2
    code, said = answer("extract-features", "--model", clip)
    assert (code, said["made"], said["present"]) == (0, 0, 2)
    (made,) = cache.glob("toy-shapes/val/extract-*")
    assert made.name.startswith("extract-clip-")


def test_names_and_weights_that_are_not_there_are_one_sentence(
    s4tok: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = s4tok("extract-features", "toy-shapes", "--limit", 1, "--model", "dinov2-smal", "--auto", "--json")
    assert (done.returncode, done.json["hint"]) == (2, "did you mean 'dinov2-small'?")
    assert "there are: mini, mini2, siglip-base" in done.json["error"]
    monkeypatch.setattr("s4tok.vision.weights.reachable", lambda: False)
    for model in ("dinov2-small", "siglip-base", "clip:ViT-B-16"):
        done = s4tok("extract-features", "toy-shapes", "--model", model, "--json", HF_HUB_CACHE=str(tmp_path))
        assert (done.returncode, "are not on this machine" in done.json["error"]) == (6, True), done.json
