import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import s4tok
from s4tok.clouds import PointCloud
from s4tok.config import FinetuneConfig, FinetuneRecipe, HeadConfig, Scene, SegmentConfig, TokenizerConfig
from s4tok.datasets import open_dataset
from s4tok.errors import UsageError
from s4tok.inference import upright
from s4tok.models.checkpoint_files import read_card
from s4tok.models.model import Model
from s4tok.synthetic.datasets import ToyRooms
from s4tok_pipelines.inputs.models import ModelNames
from s4tok_pipelines.stages.by_name import classify_by_name, segment_by_name
from s4tok_pipelines.stages.finetune import finetune
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.stages.segment import Files
from s4tok_pipelines.training.run_folder import read_metrics
from tests.s4tok_pipelines.objectives.test_region_distillation import recipe as regions


def recipe(world: Any, **training: Any) -> FinetuneRecipe:
    """Give a small recipe: five steps of four shapes an epoch, nothing pre-trained."""
    return FinetuneRecipe(
        FinetuneConfig(**{"batch": 4, "epochs": 2, "draws": 2, "learning_rate": 3e-3, **training}),
        HeadConfig(head_widths=(16, 16, 16, 8)),
        TokenizerConfig(n_points=150, n_tokens=12, patch_size=8, adapter_widths=(8, 16, 16)),
        checkpoint="none",
        clip=world.clip,
    )


def tuned(world: Any, out: Path, task: Any, **training: Any) -> Any:
    config = recipe(world, **training)
    given = FinetuneRecipe(**{**vars(config), "task": task})
    return finetune(world.train, world.cache, given, validation=[world.val], out=out)


@pytest.fixture(scope="module")
def parts(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "parts"
    outcome = tuned(world, out, "parts")
    best = max(row["miou_i"] for row in validations(out)[1:])  # the untrained one is no checkpoint
    assert outcome.figures["validation"] == pytest.approx(best, abs=1e-6)
    return out


def validations(out: Path) -> list[dict[str, Any]]:
    return [row for row in read_metrics(out / "metrics.jsonl") if row["kind"] == "validation"]


def names(world: Any, out: Path, **more: Any) -> ModelNames:
    return ModelNames(str(out), world.clip, **more)


def test_a_run_has_its_folder_its_curves_and_a_card_that_says_what_it_labels(world: Any, parts: Path) -> None:
    assert {path.name for path in parts.iterdir()} >= {"config.toml", "metrics.jsonl", "log.txt", "curves.png", "ckpt"}
    card = read_card(parts / "ckpt" / "best")
    assert card["labels"]["classes"] == list(world.train.classes)
    assert (card["begun_with"], card["dataset"]["clouds"]) == ({"name": "none"}, 22)
    files = {path.name for path in (parts / "ckpt" / "last").iterdir()}
    assert files == {"model.safetensors", "config.json", "README.md", "training.safetensors", "training.json"}
    assert "labels by a head:" in (parts / "ckpt" / "best" / "README.md").read_text()
    assert [row["step"] for row in validations(parts)] == [0, 5, 10]


def test_figures_are_those_of_a_count_of_the_labels_that_were_written(world: Any, parts: Path, tmp_path: Path) -> None:
    config = SegmentConfig(draws=5)
    found = segment_by_name(world.val, world.cache, names(world, parts), config, files=Files(tmp_path, ["npy"]))
    facts, by_object, n_right, n_points = found.facts(), [], 0, 0
    for key in world.val.keys:
        answers, truth = np.load(tmp_path / f"{key}.labels.npy"), world.val[key].labels
        mine = list(world.val.parts[world.val.categories[world.val.category(key)]])
        answers = np.array(mine)[answers]
        pairs = [(truth == part, answers == part) for part in mine]
        ious = [(a & b).sum() / (a | b).sum() if (a | b).any() else 1.0 for a, b in pairs]
        by_object.append(float(np.mean(ious)))
        n_right, n_points = n_right + int((answers == truth).sum()), n_points + len(truth)
    assert facts["miou_i"] == pytest.approx(np.mean(by_object))
    assert facts["accuracy"] == pytest.approx(n_right / n_points)
    assert facts["prompts"] is None
    again = json.loads((tmp_path / "result.json").read_text())
    assert again["checkpoint"]["card"]["labels"]["task"] == "parts"


def test_a_head_that_words_began_is_resumed_loaded_and_used(world: Any, tmp_path: Path) -> None:
    config = recipe(world)
    config = replace(config, task="parts", head=replace(config.head, head_start="words"))
    out = tmp_path / "run"
    finetune(world.train, world.cache, config, validation=[world.val], out=out)
    card = read_card(out / "ckpt" / "best")
    assert card["labels"]["head"]["head_start"] == "words"
    assert card["labels"]["text_width"] > 0
    assert 'head_start = "words"' in (out / "config.toml").read_text()
    rows = len(validations(out))
    finetune(world.train, world.cache, config, validation=[world.val], out=out, resume=True)
    assert len(validations(out)) == rows  # it was done
    found = segment_by_name(world.val, world.cache, names(world, out), SegmentConfig(draws=2))
    assert found.facts()["miou_i"] > 0


def test_a_tokenizer_that_learned_to_lie_near_words_is_asked_for_any(world: Any, tmp_path: Path) -> None:
    config = recipe(world)
    config = replace(config, task="parts", head=replace(config.head, head="words"))
    out = tmp_path / "run"
    finetune(world.train, world.cache, config, validation=[world.val], out=out)
    card = read_card(out / "ckpt" / "best")
    assert "labels" not in card
    assert card["learned_labels"] == {world.train.name: list(dict.fromkeys(world.train.classes))}
    found = segment_by_name(world.val, world.cache, names(world, out), SegmentConfig(draws=2))
    rows = validations(out)
    assert found.facts()["miou_i"] == pytest.approx(max(row["miou_i"] for row in rows[1:]), abs=0.2)
    other = segment_by_name(world.val, world.cache, names(world, out), labels=["a leg", "something else"])
    assert set(other.points) == {"a leg", "something else"}


def test_zero_shot_leaves_the_head_aside(world: Any, parts: Path) -> None:
    config = SegmentConfig(draws=5)
    by_head = segment_by_name(world.val, world.cache, names(world, parts), config)
    by_prompts = segment_by_name(world.val, world.cache, names(world, parts, zero_shot=True), config)
    assert by_prompts.about["prompts"] is not None
    assert by_head.points != by_prompts.points


def test_a_label_or_category_it_was_not_tuned_for_is_refused_with_its_list(world: Any, parts: Path) -> None:
    with pytest.raises(UsageError, match=r"does not know 'sofa leg'; it knows: .*seat"):
        segment_by_name(world.val, world.cache, names(world, parts), labels=["sofa leg"], category="chair")
    with pytest.raises(UsageError, match="parts of objects whose category is known"):
        segment_by_name(world.val, world.cache, names(world, parts), labels=["seat"])
    with pytest.raises(UsageError, match="fine-tuned for parts, which is for s4tok segment"):
        classify_by_name(world.val, world.cache, names(world, parts))
    with pytest.raises(UsageError, match="--calibrate is for zero-shot labels"):
        segment_by_name(world.val, world.cache, names(world, parts), SegmentConfig(calibrate="mean"))


def test_python_labels_by_its_head_all_it_knows_or_what_is_asked_for(world: Any, parts: Path, tmp_path: Path) -> None:
    loaded, cloud = s4tok.load(parts, clip=world.clip), world.val[world.val.keys[0]]
    assert set(loaded.labels) == set(world.train.classes)
    found = s4tok.segment(cloud.xyz, None, loaded, category="chair", up="y", scene="object")
    assert set(found.names) == {"seat", "back", "leg", "armrest"}
    np.testing.assert_allclose(found.scores.sum(1), 1, atol=1e-4)
    two = s4tok.segment(cloud.xyz, "seat,back", loaded, category="chair", up="y", scene="object")
    assert two.names == ("seat", "back")
    np.testing.assert_allclose(two.scores, found.scores[:, [found.names.index(name) for name in two.names]], atol=1e-5)
    with pytest.raises(UsageError, match="labels by prompts, and there are no labels"):
        s4tok.segment(cloud.xyz, None, s4tok.load(parts, clip=world.clip, zero_shot=True))
    s4tok.load(parts, clip=world.clip, zero_shot=True).save_pretrained(tmp_path)  # which has no head any more
    again = s4tok.load(tmp_path, clip=world.clip)
    assert again.trained_model.labeller is None
    assert again.trained_model.card["learned_labels"] == {world.train.name: list(dict.fromkeys(world.train.classes))}
    with pytest.raises(UsageError, match="was fine-tuned for parts"):
        s4tok.classify(cloud.xyz, None, loaded)


def test_a_head_tries_the_axes_that_the_shape_of_an_own_cloud_leaves_in_doubt(
    world: Any, parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s4tok.geometry.placement.DOUBT", 1e-30)  # every axis is
    tried = list[str]()
    nearness = upright.nearness_of_points

    def watched(encoder: Any, words: Any) -> Any:
        score = nearness(encoder, words)

        def told(cloud: PointCloud) -> float:
            assert cloud.placement is not None
            tried.append(cloud.placement.up)
            return score(cloud)

        return told

    monkeypatch.setattr("s4tok.inference.calls.nearness_of_points", watched)
    monkeypatch.setattr("s4tok_pipelines.stages.by_name.nearness_of_points", watched)
    xyz = world.val[world.val.keys[0]].xyz
    found = s4tok.segment(xyz, None, s4tok.load(parts, clip=world.clip), category="chair")
    assert set(tried) == {"x", "y", "z"}
    tried.clear()
    np.savetxt(tmp_path / "chair.xyz", xyz)
    said = segment_by_name(open_dataset(tmp_path / "chair.xyz"), world.cache, names(world, parts), category="chair")
    assert set(tried) == {"x", "y", "z"}
    assert {found.up, said.about["up"]} <= {"x", "y", "z"}


def test_objects_are_classified_by_their_head(world: Any, tmp_path: Path) -> None:
    tuned(world, tmp_path / "run", "objects", balance=True, labels_fraction=0.5)
    found = classify_by_name(world.val, world.cache, names(world, tmp_path / "run"))
    right = [answers[0][0] == world.val.categories[world.val.category(key)] for key, answers in found.answers.items()]
    assert found.facts()["accuracy"] == pytest.approx(np.mean(right))
    loaded = s4tok.load(tmp_path / "run", clip=world.clip)
    one = s4tok.classify(world.val[world.val.keys[0]].xyz, None, loaded, up="y")
    assert one.names == tuple(world.train.categories)
    assert float(one.scores.sum()) == pytest.approx(1, abs=1e-4)
    with pytest.raises(UsageError, match="fine-tuned for objects, which is for s4tok classify"):
        segment_by_name(world.val, world.cache, names(world, tmp_path / "run"))


def test_a_tuned_checkpoint_is_tuned_on_with_a_new_head_and_a_frozen_tokenizer(
    world: Any, parts: Path, tmp_path: Path
) -> None:
    config = recipe(world, train="head", epochs=1)
    given = FinetuneRecipe(**{**vars(config), "task": "objects", "checkpoint": str(parts)})
    finetune(world.train, world.cache, given, validation=[world.val], out=tmp_path / "run")
    before, after = s4tok.load(parts, clip=world.clip), s4tok.load(tmp_path / "run", clip=world.clip)
    old, new = before.model.tokenizer.state_dict(), after.model.tokenizer.state_dict()
    assert all(torch.equal(tensor, new[name]) for name, tensor in old.items())


def test_few_shots_are_in_the_configuration_and_the_same_for_every_tokenizer(world: Any, tmp_path: Path) -> None:
    found = []
    for name in ("knn", "s4token"):
        config = recipe(world, shots=1, epochs=1, repeats=2)
        tokenizer = TokenizerConfig(**{**vars(config.tokenizer), "tokenizer": name})
        out = tmp_path / name
        given = FinetuneRecipe(**{**vars(config), "tokenizer": tokenizer})
        finetune(world.train, world.cache, given, validation=[world.val], out=out)
        text = (out / "config.toml").read_text()
        found.append(next(line for line in text.splitlines() if line.startswith("keys = ")))
        assert "shots = 1" in text
        assert "clouds = 15\nentries = 30" in text
    assert found[0] == found[1]


def test_another_recipe_is_no_resumption(world: Any, parts: Path) -> None:
    with pytest.raises(UsageError, match="epochs"):
        tuned(world, parts, "parts", epochs=3)
    with pytest.raises(UsageError, match="already holds a run with this configuration"):
        tuned(world, parts, "parts")


def test_a_head_is_put_over_a_plain_transformer_that_distilled_regions_or_was_drawn(world: Any, tmp_path: Path) -> None:
    pretrain(world.train, world.cache, regions(world, epochs=1), out=tmp_path / "stage1")
    config = recipe(world, train="all")
    begun = replace(config, checkpoint=str(tmp_path / "stage1"), clip=None, group_as="knn")
    drawn = replace(config, transformer="plain", clip=None, tokenizer=regions(world).tokenizer,
                    backbone=regions(world).backbone)  # fmt: skip
    for name, each in (("begun", begun), ("drawn", drawn)):
        out = tmp_path / name
        finetune(world.train, world.cache, replace(each, task="parts"), validation=[world.val], out=out)
        rows = [row for row in read_metrics(out / "metrics.jsonl") if row["kind"] == "step"]
        assert rows[-1]["total"] < rows[0]["total"]
        card = read_card(out / "ckpt" / "best")
        assert (card["backbone"]["width"], card["tokenizer"]["tokenizer"]) == (
            24,
            {"begun": "knn", "drawn": "region"}[name],
        )
        found = segment_by_name(world.val, world.cache, ModelNames(str(out)), SegmentConfig(draws=5)).facts()
        assert (found["vision_model"], found["prompts"]) == (None, None)
        assert found["miou_i"] == pytest.approx(found["miou_i"])
    loaded, cloud = s4tok.load(tmp_path / "begun"), world.val[world.val.keys[0]]
    said = s4tok.segment(cloud.xyz, None, loaded, category="chair", up="y", scene="object")
    assert set(said.names) == {"seat", "back", "leg", "armrest"}
    before, after = s4tok.load(tmp_path / "stage1").model, loaded.model
    assert not any(torch.equal(*pair) for pair in zip(before.parameters(), after.parameters(), strict=True))
    with pytest.raises(UsageError, match="was trained without a CLIP"):
        finetune(world.train, world.cache, replace(begun, clip=world.clip), out=tmp_path / "odd")
    with pytest.raises(UsageError, match="it has no texts to label by"):
        segment_by_name(world.val, world.cache, ModelNames(str(tmp_path / "stage1")), SegmentConfig(draws=5))


@pytest.mark.slow
def test_figures_of_rooms_are_those_of_a_count_of_the_labels_that_were_written(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, val = (ToyRooms(split, sizes=(2, 1, 0)) for split in ("train", "val"))
    config, cache, files = recipe(world, epochs=1, window=4.0, windows=2), tmp_path / "cache", tmp_path / "labels"
    read = list[Scene]()
    of_scene = Model.of_scene

    def noted(model: Model, scene: Scene) -> Model:
        read.append(scene)
        return of_scene(model, scene)

    monkeypatch.setattr(Model, "of_scene", noted)
    finetune(train, cache, replace(config, task="scenes"), validation=[val], out=tmp_path / "run", auto=True)
    assert set(read) == {"room"}
    found = segment_by_name(
        val, cache, names(world, tmp_path / "run"), SegmentConfig(draws=5), files=Files(files, ["npy"]), auto=True
    ).facts()
    truth = np.concatenate([val[key].labels for key in val.keys])
    answers = np.concatenate([np.load(files / f"{key}.labels.npy") for key in val.keys])
    answers = answers[truth >= 0]
    truth = truth[truth >= 0]
    ious = {}
    for number, name in enumerate(val.classes):
        mine, called = truth == number, answers == number
        if (mine | called).any():
            ious[name] = (mine & called).sum() / (mine | called).sum()
    assert found["miou"] == pytest.approx(np.mean(list(ious.values())))
    assert found["accuracy"] == pytest.approx((truth == answers).mean())
    counts = {name: (truth == number).sum() for number, name in enumerate(val.classes) if (truth == number).any()}
    rare = sorted(counts, key=lambda name: counts[name])[: -(-len(counts) // 3)]
    assert found["rare_classes"] == rare
    assert found["rare_miou"] == pytest.approx(np.mean([ious[name] for name in rare]))
