import copy
import math
from pathlib import Path
from typing import Literal

import pytest
import torch

from s4tok.config import RegionConfig
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.point_encoder_files import load_encoder
from s4tok.objectives.masked_regions import MaskedRegions
from s4tok.objectives.masking import split_tokens
from s4tok.objectives.training_clouds import group
from s4tok.tokenizers.whole import mean_of_tokens
from tests.s4tok.objectives.test_region_distillation import STILL, batch, encoder, train
from tests.s4tok.objectives.test_region_distillation import model as distillation


def teacher() -> PointEncoder:
    torch.manual_seed(9)
    made = encoder()
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return made


def model(teaching: Literal["frozen", "ema", "none"] = "frozen", distil: bool = False) -> MaskedRegions:
    together = distillation() if distil else None
    student, config = encoder() if together is None else together.encoder, RegionConfig(turn=0.0, teaching=teaching)
    return MaskedRegions(student, teacher() if teaching == "frozen" else None, STILL, config, together)


def test_the_losses_are_what_they_say_of_masked_tokens_and_of_the_whole() -> None:
    objective, given = model().eval(), batch()
    figures = objective.step(given)
    patches = group(objective.encoder.tokenizer, given)
    assert objective.teacher is not None
    assert objective.instance is not None
    targets = objective.teacher.of_patches(patches)
    split = split_tokens(patches.is_token, 0.5, given.seeds)
    assert split.is_masked.sum(1).tolist() == [4, 4, 4]
    seen = objective.encoder.of_patches(patches.take(split.visible, split.is_visible))
    places = objective.encoder.tokenizer.encode(patches.take(split.masked, split.is_masked).positions)
    predicted = objective.decoder(places, seen, split.is_visible)
    wanted = torch.stack([targets[cloud, split.masked[cloud]] for cloud in range(3)])
    torch.testing.assert_close(figures["masked_tokens"], (predicted - wanted).square().mean())
    whole = objective.instance(mean_of_tokens(seen, split.is_visible))
    torch.testing.assert_close(figures["instance"], (whole - targets.mean(1)).square().mean())
    torch.testing.assert_close(figures["total"], figures["masked_tokens"] + figures["instance"])
    assert float(figures["masked"]) == 0.5
    assert float(figures["region"]) == 0


def test_a_frozen_teacher_keeps_every_bit_and_the_student_learns_what_it_says() -> None:
    objective, given = model(), batch()
    before = {name: tensor.clone() for name, tensor in objective.state_dict().items()}
    losses = train(objective, given)
    objective.after_step(0.5)
    assert losses[-1] < 0.3 * losses[0]
    for name, tensor in objective.state_dict().items():
        same = torch.equal(tensor, before[name])
        assert same == name.startswith("teacher."), name


def test_what_a_masked_token_holds_changes_no_prediction() -> None:
    """The student must not see what it predicts."""
    objective, given = model().eval(), batch()
    patches = group(objective.encoder.tokenizer, given)
    split = split_tokens(patches.is_token, 0.5, given.seeds)
    other = patches._replace(offsets=patches.offsets.clone())
    for cloud in range(3):
        other.offsets[cloud, split.masked[cloud]] = 77.0
    one, two = (objective._student(given, each) for each in (patches, other))
    torch.testing.assert_close(one.predicted, two.predicted, rtol=0, atol=0)
    torch.testing.assert_close(one.seen, two.seen, rtol=0, atol=0)


def test_without_a_teacher_the_points_of_masked_patches_are_predicted() -> None:
    objective, given = model("none"), batch()
    losses = train(objective, given)
    assert losses[-1] < 0.7 * losses[0]
    figures = objective.step(given)
    assert float(figures["instance"]) == float(figures["target_spread"]) == 0
    objective.after_step(0.5)


def test_a_moving_teacher_is_the_students_average_and_part_of_the_checkpoint() -> None:
    objective, given = model("ema"), batch()
    train(objective, given, steps=3)
    assert objective.teacher is not None
    before = copy.deepcopy(objective.teacher.state_dict())
    objective.after_step(0.0)
    name = "backbone.norm.weight"
    wanted = 0.996 * before[name] + 0.004 * objective.encoder.state_dict()[name]
    torch.testing.assert_close(objective.teacher.state_dict()[name], wanted)
    assert any(each.startswith("teacher.") for each in objective.trainable_state())
    assert objective.selection({"total": 1.0}) == -math.inf
    frozen = model()
    assert not any(each.startswith("teacher.") for each in frozen.trainable_state())
    assert frozen.selection({"total": 1.0}) == 1.0


def test_both_losses_at_once_train_one_encoder() -> None:
    objective = model("ema", distil=True)
    assert objective.distillation is not None
    assert objective.distillation.encoder is objective.encoder
    figures = objective(batch())
    parts = figures["masked_tokens"] + figures["instance"] + figures["region"]
    torch.testing.assert_close(figures["total"].detach(), parts)
    assert float(figures["region"]) > 0
    figures["total"].backward()
    assert all(weight.grad is not None for weight in objective.parameters() if weight.requires_grad)


@pytest.mark.parametrize("distil", [False, True])
def test_the_student_is_what_is_exported(tmp_path: Path, distil: bool) -> None:
    objective = model("ema", distil=distil).eval()
    objective.export(tmp_path, {})
    back, given = load_encoder(tmp_path), batch()
    one, other = (
        each(given.points, given.superpoints, seeds=given.seeds) for each in (objective.encoder, back.encoder)
    )
    torch.testing.assert_close(one.tokens, other.tokens)  # without gradients attention takes a quicker way
    assert (back.projection is not None) == distil


def test_a_checkpoint_goes_on_where_it_was() -> None:
    one, other = model(), model()
    train(one, batch(), steps=2)
    other.load_trainable_state(one.trainable_state(), Path())
    assert all(torch.equal(each, other.state_dict()[name]) for name, each in one.state_dict().items())
