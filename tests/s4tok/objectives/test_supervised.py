import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from s4tok.config import FinetuneConfig, HeadConfig
from s4tok.metrics.labels import label_scores
from s4tok.models.checkpoint import TrainedModel, load_trained, own_encoder
from s4tok.models.labeller import Labeller, Labels
from s4tok.models.model import Model
from s4tok.objectives.supervised import LabelledBatch, LabelledCloud, Supervised, augmented, class_weights, figures
from s4tok.optim.optimizers import build_optimizer
from s4tok.superpoints.quality import majority
from s4tok.tokenizers import NO_FEATURES

PARTS = Labels("parts", ("seat", "back", "top", "leg"), ("chair", "table"), {"chair": (0, 1), "table": (2, 3)})
SCENES = Labels("scenes", ("wall", "floor", "chair", "never"))
OBJECTS = Labels("objects", ("chair", "table", "lamp"))
STILL = {"scale_range": (1.0, 1.0), "shift": 0.0}


def made(
    checkpoint: TrainedModel, labels: Labels = PARTS, weights: Any = None, dropout: float = 0.2, **settings: Any
) -> Supervised:
    config = FinetuneConfig(**{**STILL, **settings})
    model = Model(copy.deepcopy(checkpoint.model.tokenizer), checkpoint.model.clip)
    if config.train == "all":
        assert model.clip is not None
        model = Model(model.tokenizer, model.clip, encoder=own_encoder(model.clip))
    torch.manual_seed(0)
    labeller = Labeller.build(labels, HeadConfig(head_widths=(16, 16, 16, 8), dropout=dropout), 32)
    return Supervised(checkpoint._replace(model=model), labeller, config, weights)


def entries(labels: Labels, n_clouds: int = 4) -> list[LabelledCloud]:
    draw, found = np.random.default_rng(0), []
    for number in range(n_clouds):
        points = draw.normal(size=(90 - 10 * number, 3)).astype(np.float32)
        superpoints = np.unique((points > 0) @ [1, 2, 4], return_inverse=True)[1]
        category, upper = number % 2, (points[:, 1] > 0).astype(np.int64)
        of_points = upper + 2 * category if labels.task == "parts" else upper
        of_points[::7] = -1
        found.append(LabelledCloud(points, superpoints, of_points, category, 50 + number))
    return found


def batch(labels: Labels = PARTS, n_clouds: int = 4) -> LabelledBatch:
    return Supervised.collate(None, entries(labels, n_clouds))  # type: ignore[arg-type]


def train(model: Supervised, given: LabelledBatch, steps: int) -> dict[str, torch.Tensor]:
    optimizer = build_optimizer(model, FinetuneConfig(learning_rate=3e-3), model.rate_of)
    for _ in range(steps):
        optimizer.zero_grad()
        model(given)["total"].backward()
        optimizer.step()
    return model(given)  # type: ignore[no-any-return]


@pytest.mark.parametrize("what", ["head", "tokenizer,head", "all"])
@pytest.mark.parametrize("labels", [PARTS, OBJECTS], ids=["parts", "objects"])
def test_what_is_not_trained_stays_what_it_is_to_the_bit_and_all_else_moves(
    checkpoint: TrainedModel, what: Any, labels: Labels
) -> None:
    model, clip_model = made(checkpoint, labels, train=what), checkpoint.model.clip
    assert clip_model is not None
    clip = copy.deepcopy(clip_model.model.state_dict())
    before = copy.deepcopy(model.state_dict())
    train(model, batch(labels), 3)
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert trained <= moved
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert {name for name in moved - trained if not name.endswith(statistics)} == set()
    rooms = {"head": {"head"}, "tokenizer,head": {"head", "tokenizer"}, "all": {"head", "tokenizer", "encoder"}}
    assert {name.removeprefix("model.").split(".")[0] for name in moved} == rooms[what]
    now = clip_model.model.state_dict()
    assert all(torch.equal(now[name], tensor) for name, tensor in clip.items())


def test_the_loss_is_the_cross_entropy_of_labelled_points_by_hand(checkpoint: TrainedModel) -> None:
    weights, smoothing = torch.tensor([1.0, 2.0, 3.0, 4.0]), 0.1
    model = made(checkpoint, weights=weights, smoothing=smoothing).eval()
    given = batch()
    logits, truth = model.logits(given)
    assert len(truth) == int((given.labels >= 0).sum())
    logs = logits.log_softmax(1)
    own = -logs[torch.arange(len(truth)), truth] * weights[truth]
    every = -(logs * weights).sum(1)
    by_hand = ((1 - smoothing) * own + smoothing / 4 * every).sum() / weights[truth].sum()
    torch.testing.assert_close(model(given)["total"], by_hand)
    torch.testing.assert_close(by_hand, functional.cross_entropy(logits, truth, weights, label_smoothing=smoothing))
    right = (logits.argmax(1) == truth).float().mean()
    torch.testing.assert_close(model(given)["accuracy"], right)


@pytest.mark.parametrize("labels", [PARTS, SCENES, OBJECTS], ids=["parts", "scenes", "objects"])
def test_a_batch_without_a_label_costs_nothing_and_moves_no_weight(checkpoint: TrainedModel, labels: Labels) -> None:
    model = made(checkpoint, labels)
    given = batch(labels)
    bare = given._replace(labels=torch.full_like(given.labels, -1))
    if labels is OBJECTS:
        bare = bare._replace(categories=torch.full_like(given.categories, -1))
    found = model(bare)
    assert found["total"].item() == found["accuracy"].item() == 0
    found["total"].backward()
    assert all(weight.grad is None or not weight.grad.any() for weight in model.parameters())


@pytest.mark.parametrize("labels", [PARTS, SCENES, OBJECTS], ids=["parts", "scenes", "objects"])
def test_a_few_clouds_are_learned(checkpoint: TrainedModel, labels: Labels) -> None:
    model = made(checkpoint, labels, dropout=0.0)
    given = batch(labels)
    assert float(train(model, given, 120)["accuracy"]) > 0.9
    model.eval()
    with torch.no_grad():
        measured = model.validate([(2, batch(labels, 2)), (4, given)])
    assert model.selection(measured) == 1 - measured[model.validates[0]] < 0.5


def test_validation_sums_counts_and_gives_an_object_its_categorys_parts_alone(checkpoint: TrainedModel) -> None:
    model = made(checkpoint, SCENES).eval()
    given = batch(SCENES)
    with torch.no_grad():
        found = model.validate([(4, given)])
        logits, truth = model.logits(given)
    counts = np.zeros((4, 5), int)
    np.add.at(counts, (truth.numpy(), logits.argmax(1).numpy()), 1)
    assert found["miou"] == label_scores(counts).miou
    parts = made(checkpoint).eval()
    torch.nn.init.zeros_(parts.head.classes.weight)  # type: ignore[union-attr, arg-type]
    parts.head.classes.bias.data = torch.tensor([0.0, 1.0, 5.0, 0.0])  # type: ignore[union-attr]
    with torch.no_grad():
        measured = parts.validate([(4, batch())])  # chairs are all "back", tables all "top"
    labels = [each.labels for each in entries(PARTS)]
    shares = [(one == [1, 2][n % 2]).sum() / (one >= 0).sum() for n, one in enumerate(labels)]
    assert measured["miou_i"] == pytest.approx(np.mean(shares) / 2)
    best = []
    for each in entries(PARTS):  # octants lie above the middle or below, as parts do
        answers, known = majority(each.superpoints, each.labels), each.labels >= 0
        ious = [((answers == p) & (each.labels == p)).sum() / ((answers == p) | (each.labels == p))[known].sum()
                for p in PARTS.parts[PARTS.categories[each.category]]]  # fmt: skip
        best.append(np.mean(ious))
    assert measured["oracle"] == pytest.approx(np.mean(best)) == 1


def test_the_loss_of_held_out_clouds_is_one_mean_whatever_batches_they_come_in(checkpoint: TrainedModel) -> None:
    model = made(checkpoint, weights=torch.tensor([1.0, 9.0, 1.0, 1.0])).eval()
    apart = [(1, model.collate([each])) for each in entries(PARTS)]
    with torch.no_grad():
        found, together = model.validate(apart), model.validate([(4, batch())])
    assert found["total"] == pytest.approx(together["total"], rel=1e-5)


def test_figures_of_clouds_without_labels_are_no_number_and_the_latest_is_taken(checkpoint: TrainedModel) -> None:
    nothing = figures(PARTS, [np.zeros((4, 3), int)], [0])
    assert math.isnan(nothing["miou_i"])
    assert made(checkpoint).selection(nothing) == -math.inf


def test_rare_classes_weigh_by_the_cube_root_and_absent_ones_one() -> None:
    torch.testing.assert_close(class_weights(np.array([800, 100, 0])), torch.tensor([1.0, 2.0, 1.0]))


def test_layers_have_rates_of_their_own(checkpoint: TrainedModel) -> None:
    model = made(checkpoint, train="all", tokenizer_rate=0.5, encoder_rate=0.1)
    optimizer = build_optimizer(model, FinetuneConfig(learning_rate=1.0), model.rate_of)
    names = {id(weight): name for name, weight in model.named_parameters()}
    rates = {names[id(weight)].split(".")[1 if "model." in names[id(weight)][:6] else 0]: group["lr"]
             for group in optimizer.param_groups for weight in group["params"]}  # fmt: skip
    assert rates == {"tokenizer": 0.5, "encoder": 0.1, "head": 1.0}


def test_augmentation_moves_points_and_no_label(checkpoint: TrainedModel) -> None:
    given = batch()
    config = FinetuneConfig(rotate=180.0, flip=0.5, jitter=0.01)
    found = augmented(given, config, NO_FEATURES)
    assert not torch.equal(found.points, given.points)
    assert found._replace(points=given.points) == given or all(
        torch.equal(a, b) for a, b in zip(found[1:6], given[1:6], strict=True)
    )


@pytest.mark.parametrize("what", ["head", "tokenizer,head", "all"])
def test_a_checkpoint_is_loaded_as_it_was_exported(checkpoint: TrainedModel, what: Any, tmp_path: Path) -> None:
    model = made(checkpoint, train=what)
    train(model, batch(), 2)
    model.export(tmp_path, checkpoint.card)
    again = load_trained(tmp_path, checkpoint.model.clip)
    assert again.labeller is not None
    assert again.labeller.labels == PARTS
    model.eval()
    given = batch()
    read = again.model.read(given.points, given.superpoints, is_point=given.is_point, seeds=given.seeds)
    logits = again.labeller.head(
        read, given.points, given.superpoints, is_point=given.is_point, categories=given.categories
    )
    torch.testing.assert_close(logits[given.labels >= 0], model.logits(given)[0])
    assert again.sha256 != checkpoint.sha256


def test_what_was_trained_is_resumed(checkpoint: TrainedModel, tmp_path: Path) -> None:
    model, again = made(checkpoint), made(checkpoint)
    train(model, batch(), 2)
    kept = model.trainable_state()
    assert not any("visual" in name for name in kept)
    again.load_trainable_state(kept, tmp_path)
    assert all(torch.equal(tensor, kept[name]) for name, tensor in again.trainable_state().items())
