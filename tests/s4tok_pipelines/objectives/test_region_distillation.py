from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from s4tok.config import BackboneConfig, RegionConfig, RunConfig, TokenizerConfig
from s4tok.inference.loading import load
from s4tok.models.point_encoder_files import load_encoder
from s4tok_pipelines.inputs.region_groups import STAGE
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.training.run_folder import read_metrics


def recipe(world: Any, objective: str = "region_distillation", **training: Any) -> RunConfig:
    """Octants of toy shapes stand for regions: the objective does not know the difference."""
    config: RunConfig = world.config(**{"mask_ratio": 0.5, **training})
    return replace(
        config,
        objective=objective,
        tokenizer=TokenizerConfig("region", n_points=150, n_tokens=8, patch_size=16, adapter_widths=(8, 16, 16)),
        backbone=BackboneConfig(width=24, layers=1, heads=2),
        regions=RegionConfig(groups=4),
    )


def test_a_run_learns_and_its_checkpoint_gives_features_of_points(world: Any, tmp_path: Path) -> None:
    config = recipe(world, epochs=4)
    outcome = pretrain(world.train, world.cache, config, validation=[world.val], out=tmp_path / "run")
    rows = [row for row in read_metrics(tmp_path / "run" / "metrics.jsonl") if row["kind"] == "validation"]
    assert rows[-1]["total"] < rows[0]["total"]
    assert len(rows[0]["group_l1"]) == len(rows[0]["group_regions"]) == 4
    assert outcome.figures["total"] == pytest.approx(min(row["total"] for row in rows), abs=1e-5)
    loaded = load_encoder(tmp_path / "run")
    assert loaded.card["objective"] == "region_distillation"
    assert loaded.card["vision_model"]["model"]
    points = torch.from_numpy(world.val[world.val.keys[0]].xyz)[None]
    regions = (points > 0).long() @ torch.tensor([4, 2, 1])
    found = loaded.encoder(points, regions)
    assert loaded.encoder.of_points(found, points, regions).shape == (1, 600, 24)
    assert load(tmp_path / "run").model.tokenizer.width == 24


def test_groups_are_found_once_for_all_runs_of_one_training_set(world: Any, tmp_path: Path) -> None:
    def folders() -> set[str]:
        return {path.name for path in (world.cache / "toy-shapes" / "train").glob(f"{STAGE}-*")}

    for seed in (0, 1):
        pretrain(world.train, world.cache, recipe(world, epochs=1, seed=seed), out=tmp_path / f"{seed}")
    before = folders()
    assert before
    other = replace(recipe(world, epochs=1), regions=RegionConfig(groups=3))
    pretrain(world.train, world.cache, other, out=tmp_path / "other")
    assert len(folders()) == len(before) + 1


def test_weights_of_groups_are_part_of_what_a_run_was_made_with(world: Any, tmp_path: Path) -> None:
    from s4tok.errors import UsageError

    pretrain(world.train, world.cache, recipe(world, epochs=1), out=tmp_path)
    other = replace(recipe(world, epochs=1), regions=RegionConfig(groups=4, balance="none"))
    with pytest.raises(UsageError, match="balance paper, not none"):
        pretrain(world.train, world.cache, other, out=tmp_path, resume=True)


def test_presets_have_the_sizes_that_the_poster_and_bridge3ds_release_name() -> None:
    one, two, toy = (RunConfig.of(preset) for preset in ("sam-stage1", "sam-stage2", "sam-stage2-toy"))
    assert (one.objective, two.objective, toy.objective) == ("region_distillation", "masked_regions", "masked_regions")
    assert (one.tokenizer.n_points, one.tokenizer.n_tokens, one.tokenizer.patch_size) == (20_000, 256, 128)
    assert (one.backbone.layers, one.backbone.width, one.backbone.heads) == (3, 256, 4)
    assert (one.training.epochs, one.training.batch, two.training.mask_ratio) == (120, 64, 0.75)
    assert {each.clouds for each in (one, two, toy)} == {"frames"}
    assert {each.superpoints for each in (one, two, toy)} == {"masks"}
    assert (one.regions.balance, one.regions.groups, two.regions.teaching) == ("paper", 20, "frozen")
