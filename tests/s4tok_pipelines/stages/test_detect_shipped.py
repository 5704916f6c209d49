import json
from pathlib import Path

from s4tok.config import DEFAULT_DETECTOR, DETECTOR_FOLDER, DetectConfig
from s4tok.models.detector_files import load_detector
from s4tok.synthetic.datasets import ToyScans
from s4tok_pipelines.stages.by_name import detect_by_name


def test_the_detector_is_the_one_on_its_card_and_small() -> None:
    card = (DETECTOR_FOLDER / "README.md").read_text(encoding="utf-8")
    loaded = load_detector(DETECTOR_FOLDER)
    assert (loaded.name, loaded.sha256[:12] in card) == (DEFAULT_DETECTOR, True)
    assert (DETECTOR_FOLDER / "model.safetensors").stat().st_size < 8e6
    about = json.loads((DETECTOR_FOLDER / "config.json").read_text(encoding="utf-8"))
    assert "/" not in about["command"]
    for name in about["detector"]["classes"]:
        assert name in " ".join(card.split())


def test_it_finds_most_things_of_a_room_that_it_has_not_seen(tmp_path: Path) -> None:
    clouds = ToyScans("val", sizes=(0, 1, 0))
    found = detect_by_name(clouds, tmp_path, DEFAULT_DETECTOR, DetectConfig(seeds=1))
    assert found.figures["ap25"].mean > 0.4
