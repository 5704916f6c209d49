"""What a new head begins with: zero-shot labelling by the names of the classes, or nothing."""

from dataclasses import replace

import torch

from s4tok.config import NO_CHECKPOINT, FinetuneRecipe
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import MissingError, UsageError
from s4tok.heads.words import BegunWithWords
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.labeller import Labeller, Labels
from s4tok.models.text_space import text_model
from s4tok.zero_shot.class_texts import ClassTexts, class_texts
from s4tok.zero_shot.prompts import load_prompts, set_for
from s4tok.zero_shot.unknown_words import tell_unknown
from s4tok_pipelines.report import Report


def begun_head(
    recipe: FinetuneRecipe, checkpoint: TrainedModel, labels: Labels, clouds: CloudDataset, device: str, report: Report
) -> Labeller:
    """Build a head by the recipe's seed; its configuration says which start it had.

    Raises:
        UsageError: Where words are asked for, and the checkpoint has no texts or knows no name of a class.
    """
    if recipe.head.head == "words" and recipe.training.train == "head":
        raise UsageError("--head words learns nothing by itself.", "--train tokenizer,head.")
    texts, model = _texts(recipe, checkpoint, labels, clouds, device, report), checkpoint.model
    config = replace(recipe.head, head_start="nothing" if texts is None else "words")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        text_width = 0 if texts is None else texts.vectors.shape[1]
        labeller = Labeller.build(labels, config, model.tokenizer.width, text_width)
    if texts is not None:
        assert isinstance(labeller.head, BegunWithWords)
        labeller.head.begin(model.projection(), texts.vectors)
    return labeller


def _texts(
    recipe: FinetuneRecipe, checkpoint: TrainedModel, labels: Labels, clouds: CloudDataset, device: str, report: Report
) -> ClassTexts | None:
    wanted = "words" if recipe.head.head == "words" else recipe.head.head_start
    if wanted == "nothing" or (wanted == "auto" and not _lies_near_texts(checkpoint)):
        return None
    try:
        model = text_model(checkpoint, device=device)
        found = class_texts(labels, clouds.scene, model, load_prompts(set_for(model.name)))
        if found is None:
            raise UsageError(f"{model.name} knows no name of a class of {clouds.name}.", "--head-start nothing.")
    except (UsageError, MissingError) as error:  # no texts, or their weights are not here
        if wanted == "words":
            raise
        report.note(f"the head begins with nothing, since {error}")
        return None
    for said in tell_unknown(found.unknown, model):
        report.note(f"{said}: it begins as the mean of the other classes")
    return found


def _lies_near_texts(checkpoint: TrainedModel) -> bool:
    """Say whether features were distilled from a model that may have texts, or learned to lie near these."""
    card = checkpoint.card
    was_trained = checkpoint.name != NO_CHECKPOINT and card.get("training", {}).get("loss") != "assign"
    return was_trained and checkpoint.model.clip is not None and "labels" not in card
