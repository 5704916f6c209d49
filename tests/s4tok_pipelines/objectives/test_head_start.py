from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional

from s4tok.config import FinetuneRecipe
from s4tok.errors import MissingError, UsageError
from s4tok.heads.words import BegunWithWords
from s4tok.inference.loading import load
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.labeller import Labeller, Labels
from s4tok.models.labelling_model import LabellingModel
from s4tok.synthetic.datasets import ToyShapes
from s4tok.zero_shot.classifier import cosines
from s4tok.zero_shot.prompts import load_prompts
from s4tok.zero_shot.vocabulary import label_vectors
from s4tok_pipelines.objectives import head_start
from s4tok_pipelines.objectives.head_start import begun_head
from s4tok_pipelines.objectives.supervised import begin_with
from tests.notes import Notes

CLOUDS = ToyShapes("val", sizes=(0, 15, 0))
LABELS = Labels.of_clouds(CLOUDS, "parts")


@pytest.fixture(scope="module")
def checkpoint() -> TrainedModel:
    return load("s4token+context").trained_model


def head_of(checkpoint: TrainedModel, start: Any, labels: Labels = LABELS, report: Any = None) -> Labeller:
    recipe = FinetuneRecipe.of("toy")
    recipe = replace(recipe, head=replace(recipe.head, head_start=start))
    return begun_head(recipe, checkpoint, labels, CLOUDS, "cpu", report or Notes())


@pytest.mark.parametrize("start", ["auto", "words"])
def test_before_a_step_the_head_labels_as_zero_shot_does(checkpoint: TrainedModel, start: str) -> None:
    labeller = head_of(checkpoint, start)
    assert labeller.config.head_start == "words"
    key = CLOUDS.keys[3]
    cloud, number = CLOUDS[key], CLOUDS.category(key)
    assert number is not None
    points = torch.from_numpy(cloud.xyz[None, :500].copy()).float()
    superpoints, places = (points[..., 0] > 0).long(), list(CLOUDS.parts[CLOUDS.categories[number]])
    by_head = LabellingModel(checkpoint.model, labeller, number).eval()
    labeller.head.eval()
    with torch.no_grad():
        probabilities = by_head.of_points(by_head(points, superpoints), points, superpoints)[0, :, places]
        found = checkpoint.model(points, superpoints)
        features = checkpoint.model.of_points(found, points, superpoints)[0]
    assert checkpoint.model.clip is not None
    texts = label_vectors(
        [CLOUDS.classes[each] for each in places], checkpoint.model.clip, load_prompts("mini"),
        category=CLOUDS.categories[number],
    )  # fmt: skip
    torch.testing.assert_close(probabilities, functional.softmax(20 * cosines(features, texts), dim=1))


def test_its_card_builds_it_again_and_a_card_of_before_begins_with_nothing(checkpoint: TrainedModel) -> None:
    labeller, width = head_of(checkpoint, "words"), checkpoint.model.tokenizer.width
    again = Labeller.of_card(labeller.facts(), width)
    again.head.load_state_dict(labeller.head.state_dict())
    assert isinstance(again.head, BegunWithWords)
    facts = head_of(checkpoint, "nothing").facts()
    del facts["head"]["head_start"]
    assert not isinstance(Labeller.of_card(facts, width).head, BegunWithWords)


def test_a_head_of_words_alone_is_begun_with_them_and_needs_something_to_learn(checkpoint: TrainedModel) -> None:
    recipe = FinetuneRecipe.of("tableA-parts")
    recipe = replace(recipe, head=replace(recipe.head, head="words"))
    assert begun_head(recipe, checkpoint, LABELS, CLOUDS, "cpu", Notes()).config.head_start == "words"
    recipe = replace(recipe, training=replace(recipe.training, train="head"))
    with pytest.raises(UsageError, match="--head words learns nothing by itself"):
        begun_head(recipe, checkpoint, LABELS, CLOUDS, "cpu", Notes())


def test_auto_begins_with_nothing_where_features_do_not_lie_near_texts(checkpoint: TrainedModel) -> None:
    untrained = begin_with(replace(FinetuneRecipe.of("toy"), checkpoint="none", clip="mini"), "cpu")
    tuned = checkpoint._replace(card={**checkpoint.card, "labels": {}})
    assigned = checkpoint._replace(card={**checkpoint.card, "training": {"loss": "assign"}})
    near_words = checkpoint._replace(card={**checkpoint.card, "objective": "parts", "learned_labels": {}})
    assert head_of(near_words, "auto").config.head_start == "words"  # of --head words, which stays near texts
    for each in (untrained, tuned, assigned):
        assert head_of(each, "auto").config.head_start == "nothing"
        assert head_of(each, "words").config.head_start == "words"  # if it is asked for


def test_auto_does_without_texts_whose_weights_are_not_here(
    checkpoint: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_: Any, **more: Any) -> None:
        raise MissingError("its weights are not here.")

    monkeypatch.setattr(head_start, "text_model", absent)
    assert head_of(checkpoint, "auto").config.head_start == "nothing"
    with pytest.raises(MissingError):
        head_of(checkpoint, "words")


def test_words_that_are_not_known_are_told_or_refused(checkpoint: TrainedModel) -> None:
    odd, report = Labels("scenes", ("xqzvord", "brimmelz")), Notes()
    assert head_of(checkpoint, "auto", odd, report).config.head_start == "nothing"
    assert report.said == ["the head begins with nothing, since mini knows no name of a class of toy-shapes."]
    with pytest.raises(UsageError, match="mini knows no name of a class"):
        head_of(checkpoint, "words", odd)
    report = Notes()
    head_of(checkpoint, "auto", Labels("scenes", ("wall", "xqzvord")), report)
    assert len(report.said) == 1
    assert report.said[0].startswith('"xqzvord" is not a word mini knows')
