from pathlib import Path

import pytest

from s4tok.config import FinetuneRecipe, Preset, VisionConfig
from s4tok_pipelines.stages.row_training import Trainer
from s4tok_pipelines.tables.figures import FIGURE_SPECS
from s4tok_pipelines.tables.names import FIGURES, NAMES, TABLE_2
from s4tok_pipelines.tables.spec import Spec
from s4tok_pipelines.tables.table import SPECS
from s4tok_pipelines.tables.worlds import ROLES

ALL_SPECS = pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))


def test_every_name_is_a_table_or_a_figure() -> None:
    assert {*NAMES} - {TABLE_2} == {*SPECS, *FIGURE_SPECS}
    assert tuple(FIGURE_SPECS) == FIGURES


@ALL_SPECS
def test_rows_are_told_apart_and_figures_of_the_paper_have_a_column(spec: Spec) -> None:
    names = [method.name for method in spec.methods]
    assert len(names) == len({*names})
    columns = {(asked.role, figure) for asked in spec.asked for figure in asked.figures}
    for method in spec.methods:
        assert set(method.paper) <= columns, method.name
        assert all(0 < value < 1 for value in method.paper.values())
        assert {*columns} & {*method.paper} or not method.lacks


@ALL_SPECS
@pytest.mark.parametrize("preset", ["toy", "paper"])
def test_every_recipe_can_be_followed(spec: Spec, preset: Preset) -> None:
    trainer = Trainer(Path(), Path(), VisionConfig("mini"), preset)
    for method in (*spec.methods, *spec.before):
        for recipe in [*([method.recipe] if method.recipe else []), *method.own.values()]:
            assert recipe.role in ROLES
            assert not recipe.begin or spec.find(recipe.begin).recipe or recipe.begin.startswith("s4token")
            config = trainer.config(recipe, "begun" if recipe.begin else "", 3)
            assert config.training.seed == 3
            begun = getattr(config, "checkpoint", None) or getattr(config, "teacher", None)
            assert (begun == "begun") == bool(recipe.begin)


def test_stage_two_of_the_poster_has_the_tokens_of_its_teacher() -> None:
    spec, trainer = SPECS["sam-ablation"], Trainer(Path(), Path(), VisionConfig("mini"), "toy")
    configs = {each.name: trainer.config(each.recipe, "", 0) for each in spec.before if each.recipe}
    for each in spec.before:
        if each.recipe and each.recipe.begin:
            assert configs[each.name].tokenizer == configs[each.recipe.begin].tokenizer


@pytest.mark.parametrize("preset", ["toy", "paper"])
def test_detectors_of_the_ablation_are_trained_for_90_passes_and_others_for_their_presets(preset: Preset) -> None:
    trainer = Trainer(Path(), Path(), VisionConfig("mini"), preset)
    for name, passes in (("sam-ablation", 90), ("sam-detection", 300 if preset == "toy" else 1080)):
        config = trainer.config(SPECS[name].methods[0].own["scannet-boxes"], "", 0)
        assert isinstance(config, FinetuneRecipe)
        assert config.training.epochs * config.training.repeats == passes


def test_the_head_alone_learns_in_two_rows_of_the_ablation() -> None:
    trainer = Trainer(Path(), Path(), VisionConfig("mini"), "toy")
    trained = {}
    for row in SPECS["sam-ablation"].methods:
        config = trainer.config(row.own["scannet"], "", 0)
        assert isinstance(config, FinetuneRecipe)
        trained[row.name] = config.training.train
    assert [name for name, train in trained.items() if train == "head"] == ["sam-plain-head", "sam-all-head"]
    assert set(trained.values()) == {"all", "head"}


def test_printed_figures_are_those_of_the_paper() -> None:
    """A few that were read again in the paper, from each end of its tables."""
    paper = {name: {method.name: method.paper for method in spec.methods} for name, spec in SPECS.items()}
    assert paper["table1"]["table1-s4token"] == {("parts", "miou_c"): 0.840, ("parts", "miou_i"): 0.859}
    assert paper["table4"]["s4token-scans"]["s3dis", "macc"] == 0.574
    assert paper["table5"]["s4token"]["pb-t50-rs", "accuracy"] == 0.449
    assert paper["table6"]["table6-assign"]["parts", "miou_c"] == 0.428
    assert paper["table7"]["table7-clusters-32"]["parts", "miou_i"] == 0.721
    assert paper["tableA"]["tableA-block-4096"]["s3dis", "miou"] == 0.726
    assert paper["sam-detection"]["sam-guided"]["scannet-boxes", "ap50"] == 0.484
    assert paper["sam-ablation"]["sam-plain"]["s3dis", "miou"] == 0.611
    assert paper["sam-ablation"]["sam-both-at-once"]["scannet-boxes", "ap50"] == 0.463
    assert SPECS["table3"].categories["s4token"]["table"] == 0.804
