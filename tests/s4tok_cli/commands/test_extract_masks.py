import json
from typing import Any

import pytest

SCANS = ("toy-scans", "--split", "train", "--limit", "1", "--frame-step", "200", "--cache", "c")


@pytest.mark.slow
def test_from_nothing_to_features_of_regions_in_three_commands(s4tok: Any) -> None:
    made = s4tok("extract-masks", *SCANS)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("2 frames cut into masks: ")
    frames = ("toy-scans", "--split", "train", "--limit", "2", "--frame-step", "200", "--cache", "c")
    cut = json.loads(s4tok("superpoints", *frames, "--clouds", "frames", "--method", "masks", "--json").stdout)
    assert (cut["made"], cut["failed"]) == (2, 0)
    assert cut["share_covered"] > 0.8
    seen = s4tok(
        "extract-features", *frames, "--clouds", "frames", "--model", "mini", "--superpoints", "masks", "--json"
    )
    assert json.loads(seen.stdout)["made"] == 2, seen.stderr
    whole = json.loads(s4tok("superpoints", *SCANS, "--preset", "masks", "--json").stdout)
    assert (whole["made"], whole["failed"]) == (1, 0)


def test_regions_ask_for_masks_first(s4tok: Any) -> None:
    done = s4tok("superpoints", *SCANS, "--method", "masks")
    assert done.returncode == 4
    wanted = (
        "hint: run `s4tok extract-masks toy-scans --limit 1 --split train --cache c --model graph --frame-step 200`"
    )
    assert wanted in done.stderr


def test_objects_have_no_frames_to_cut(s4tok: Any) -> None:
    done = s4tok("extract-masks", "toy-shapes", "--limit", 1)
    assert done.returncode == 2
    assert "toy-shapes has no posed RGB-D frames" in done.stderr
