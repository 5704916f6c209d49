import copy
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from open_clip.transformer import VisionTransformer
from torch.nn import functional

from s4tok.backbones.arithmetic import compile_layers, lower, multiply_in_tf32, tf32
from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.config import ClusterConfig, PretrainConfig, Speedups
from s4tok.losses.labels import LabelLoss
from s4tok.models.checkpoint import read_weights
from s4tok.objectives.s4token import S4Token, teacher_momentum
from s4tok.objectives.training_clouds import Batch, TrainingCloud, augment, group
from s4tok.tokenizers import NO_FEATURES, PointFeatures, Tokenizer, build_tokenizer
from tests.waits import Waits, behave_as_on_a_gpu


def training(
    config: PretrainConfig | None = None,
    dtype: torch.dtype | None = None,
    target_width: int | None = None,
    tokenizer: str = "s4token",
    label_loss: LabelLoss | None = None,
    **settings: Any,
) -> S4Token:
    torch.manual_seed(0)
    tower = VisionTransformer(image_size=32, patch_size=8, width=48, layers=2, heads=3, mlp_ratio=2, output_dim=24)
    small = {"n_tokens": 20, "patch_size": 8, "adapter_widths": (16, 32, 32), **settings}
    reader = build_tokenizer(tokenizer, width=48, **small)
    still = replace(config or PretrainConfig(), scale_range=(1.0, 1.0), shift=0.0)
    encoder = FrozenEncoder(tower, dtype=dtype)
    return S4Token(reader, encoder, still, ClusterConfig(4, 5), target_width=target_width, label_loss=label_loss)


def batch(n_clouds: int = 3, n_points: int = 200, seed: int = 0, width: int = 24) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    points = torch.randn(n_clouds, n_points, 3, generator=draw)
    points = functional.normalize(points, dim=2) * (1 + 0.3 * torch.rand(n_clouds, 1, 3, generator=draw))
    superpoints = (points > 0).long() @ torch.tensor([1, 2, 4])
    return Batch(
        points=points,
        superpoints=superpoints,
        is_point=torch.ones(n_clouds, n_points, dtype=torch.bool),
        local_targets=functional.normalize(torch.randn(n_clouds, 9, width, generator=draw), dim=2),
        is_seen=torch.rand(n_clouds, 9, generator=draw) < 0.9,
        global_targets=functional.normalize(torch.randn(n_clouds, width, generator=draw), dim=1),
        seeds=torch.arange(n_clouds),
    )


def train(
    model: S4Token, given: Batch, steps: int, rate: float = 2e-3, is_in_tf32: bool = False
) -> dict[str, torch.Tensor]:
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, rate)
    for step in range(steps):
        optimizer.zero_grad()
        losses: dict[str, torch.Tensor] = model(given)
        with tf32(is_in_tf32):
            losses["total"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        model.update_teacher(step / steps)
    final: dict[str, torch.Tensor] = model(given)
    return final


def test_twenty_steps_leave_every_tensor_of_clip_bit_for_bit_and_move_everything_else() -> None:
    model = training()
    before = copy.deepcopy(model.state_dict())
    train(model, batch(), 20)
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert not [name for name in moved if name.startswith("encoder.")]
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert trained <= moved
    assert {name.split(".")[0] for name in trained} == {"tokenizer", "decoder"}


@pytest.mark.parametrize("config", [PretrainConfig(), PretrainConfig(loss="distill", distill_pass="full")])
def test_every_device_computes_the_same_losses_and_nearly_the_same_gradients(
    device: str, config: PretrainConfig
) -> None:
    here, there = training(config), training(config).to(device)
    expected, found = here(batch()), there(batch().to(device))
    for name in here.columns:
        torch.testing.assert_close(found[name].cpu(), expected[name], rtol=1e-3, atol=1e-4)
    for losses in (expected, found):
        losses["total"].backward()
    for mine, theirs in zip(here.tokenizer.parameters(), there.tokenizer.parameters(), strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        assert (theirs.grad.cpu() - mine.grad).norm() <= 1e-2 * mine.grad.norm() + 1e-6


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("s4token", PretrainConfig()),
        ("s4token", PretrainConfig(distill_pass="both")),
        ("s4token", PretrainConfig(loss="assign")),
        ("s4token", PretrainConfig(loss="distill", distill_pass="full")),
        ("s4token+context", PretrainConfig(loss="distill", distill_pass="full")),
        ("knn+rpn", PretrainConfig()),
    ],
)
def test_a_step_makes_the_processor_wait_for_a_gpu_twice(
    name: str, config: PretrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sizes of windows or balls, and how many members and centres there are; points without a centre among them."""
    model, given = training(config, tokenizer=name), batch()
    given.superpoints[:, :2] = 8  # too few to get a centre each
    given = given._replace(
        local_targets=functional.pad(given.local_targets, (0, 0, 0, 1)), is_seen=functional.pad(given.is_seen, (0, 1))
    )
    expected = model(given)["total"]
    behave_as_on_a_gpu(monkeypatch)
    with Waits() as waits:
        found = model(given)["total"]
        found.backward()
    assert len(waits.seen) <= 2, waits.seen
    assert torch.equal(found, expected)


def test_a_step_in_the_mixed_precision_of_a_gpu_has_nearly_the_losses_of_float32(device: str) -> None:
    model = training().to(device)
    exact = model(batch().to(device))
    model.encoder.visual.to(torch.bfloat16)  # as a GPU holds it
    lower(model, device)
    rough = model(batch().to(device))
    rough["total"].backward()
    for name in ("local", "global"):
        assert abs(float(rough[name]) - float(exact[name])) < 0.05 * abs(float(exact[name])) + 0.01
    assert all(torch.isfinite(weight.grad).all() for weight in model.parameters() if weight.grad is not None)


@pytest.mark.gpu
@pytest.mark.parametrize("speedups", [Speedups(), Speedups(tf32=True), Speedups(compile=True, tf32=True)])
def test_a_gpu_trains_as_a_cpu_does(speedups: Speedups) -> None:
    cpu, gpu = training(), training().to("cuda")
    if speedups.compile:
        compile_layers(gpu)
    lower(gpu, "cuda")
    if speedups.tf32:
        multiply_in_tf32(gpu)
    at_the_end = float(train(cpu, batch(), 60)["total"])
    found = train(gpu, batch().to("cuda"), 60, is_in_tf32=speedups.tf32)
    assert float(found["total"]) == pytest.approx(at_the_end, rel=0.1)
    for (name, one), other in zip(cpu.named_parameters(), gpu.parameters(), strict=True):
        assert float(other.norm()) == pytest.approx(float(one.norm()), rel=0.3, abs=0.3), name


@pytest.mark.parametrize("width", [10, 40])
def test_targets_of_another_width_have_a_head_that_is_trained_exported_and_resumed(width: int, tmp_path: Path) -> None:
    assert training().head is training(target_width=24).head is None
    assert training(PretrainConfig(loss="assign"), target_width=width).head is None  # nothing would train it
    model = training(target_width=width)
    assert model.head is not None
    before, start = model.head.weight.clone(), model(batch(width=width))
    assert float(train(model, batch(width=width), 20)["local"]) < float(start["local"]) - 0.05
    assert not torch.equal(model.head.weight, before)
    assert model.mean_features.shape == model.mean_targets.shape == (2, width)
    model.export(tmp_path, {"clip": {"name": "tiny", "weights": "0"}})
    stored = read_weights(tmp_path)
    assert stored.head is not None
    torch.testing.assert_close(stored.head.weight, model.head.weight)
    again = training(target_width=width)
    again.load_trainable_state(model.trainable_state(), tmp_path)
    assert again.head is not None
    assert torch.equal(again.head.weight, model.head.weight)


def test_a_linear_head_begins_as_the_identity_and_is_trained() -> None:
    plain, model = training(), training(PretrainConfig(head="linear"))
    start = model(batch())
    torch.testing.assert_close(start["total"], plain(batch())["total"])
    assert model.head is not None
    train(model, batch(), 20)
    assert (model.head.weight - torch.eye(24)).abs().max() > 1e-3
    assert training(PretrainConfig(head="linear", loss="assign")).head is None


def test_labels_are_learned_beside_2d_features_and_no_checkpoint_keeps_their_texts() -> None:
    config = PretrainConfig(loss="distill", distill_pass="full", label_weight=0.5)
    texts = functional.normalize(torch.randn(4, 24, generator=torch.Generator().manual_seed(0)), dim=1)
    model, plain = training(config, label_loss=LabelLoss(texts, torch.zeros(4, dtype=torch.long))), training(config)
    given = batch()
    assert float(model(given)["labels"]) == 0  # none has a label
    given = given._replace(labels=torch.arange(9).expand(3, -1)[..., None] % 4)
    start, without = model(given), plain(given)
    torch.testing.assert_close(start["total"], without["total"] + 0.5 * start["labels"])
    assert "labels" not in without
    assert set(model.trainable_state()) == set(plain.trainable_state())
    assert float(train(model, given, 30)["labels"]) < 0.7 * float(start["labels"])


def test_labels_are_asked_for_in_batches_without_any_too_since_processes_sum_them_up_together() -> None:
    config = PretrainConfig(loss="distill", distill_pass="both", label_weight=0.5)
    labels = LabelLoss(functional.normalize(torch.randn(4, 24), dim=1), torch.zeros(4, dtype=torch.long))
    asked = list[torch.Tensor]()
    labels.register_forward_hook(lambda _module, _given, found: asked.append(found))
    model = training(config, label_loss=labels)
    model(batch())["total"].backward()
    assert [float(each) for each in asked] == [0, 0]  # once for each pass


@pytest.mark.parametrize("loss", ["assign", "distill"])
def test_a_limited_attention_is_trained_with_in_every_pass(loss: Any) -> None:
    config = PretrainConfig(loss=loss, distill_pass="both")
    found = []
    for attend in (0.0, 1e6, 0.5):
        model = training(config)
        model.attend = attend
        found.append(model(batch())["total"])
    assert not torch.allclose(found[0], found[1])  # tokens no longer attend to the class token
    assert not torch.allclose(found[1], found[2])


def test_means_are_those_of_points_with_a_target_in_objects_and_in_rooms_apart() -> None:
    model = training(PretrainConfig(loss="distill", distill_pass="full"))
    given = batch()._replace(is_room=torch.tensor([False, True, True]))
    model(given)
    for scene, clouds in ((0, [0]), (1, [1, 2])):
        rows = [(cloud, int(label)) for cloud in clouds for label in given.superpoints[cloud]]
        seen = [given.local_targets[row] for row in rows if given.is_seen[row]]
        torch.testing.assert_close(model.mean_targets[scene], torch.stack(seen).mean(0))
    assert model.mean_features.any(1).all()
    before = model.mean_targets.clone()
    other = batch(seed=1)
    model(other)  # objects alone
    assert torch.equal(model.mean_targets[1], before[1])
    rows = [(cloud, int(label)) for cloud in range(3) for label in other.superpoints[cloud]]
    now = torch.stack([other.local_targets[row] for row in rows if other.is_seen[row]]).mean(0)
    torch.testing.assert_close(model.mean_targets[0], before[0] + 0.02 * (now - before[0]))
    model.eval()(batch(seed=2))
    assert torch.equal(model.mean_targets[1], before[1])


@pytest.mark.parametrize("loss", ["distill", "total"])
def test_what_rooms_have_of_their_own_is_trained_by_rooms_alone(loss: Any) -> None:
    model = training(PretrainConfig(loss=loss), by_scene=True)
    rooms = model.tokenizer.adapter.rooms
    assert rooms is not None
    for is_room in (torch.zeros(3, dtype=torch.bool), torch.tensor([False, True, False])):
        model.zero_grad()
        model(batch()._replace(is_room=is_room))["total"].backward()
        for weight in rooms.parameters():
            assert weight.grad is not None
            assert bool(weight.grad.any()) == bool(is_room.any())


def test_the_teacher_follows_its_formula_exactly() -> None:
    model = training(PretrainConfig(teacher_momentum=0.9))
    before = [weight.clone() for weight in model.teacher.parameters()]
    with torch.no_grad():
        for weight in model.tokenizer.parameters():
            weight.add_(torch.randn_like(weight))
        model.tokenizer.adapter.mix_norm.running_mean.fill_(5)  # type: ignore[union-attr]
    model.update_teacher(0.25)
    momentum = 1 - 0.1 * (1 + math.cos(math.pi / 4)) / 2
    for old, mine, student in zip(before, model.teacher.parameters(), model.tokenizer.parameters(), strict=True):
        assert torch.equal(mine, (old * momentum).add(student, alpha=1 - momentum))
    kept = dict(model.teacher.named_buffers())["adapter.mix_norm.running_mean"]
    assert (kept == 5).all()


def test_momentum_rises_from_its_start_to_one() -> None:
    assert teacher_momentum(0.996, 0.0) == pytest.approx(0.996)
    assert teacher_momentum(0.996, 0.5) == pytest.approx(0.998)
    assert teacher_momentum(0.996, 1.0) == teacher_momentum(0.996, 1.2) == 1


def test_the_total_is_the_weighted_sum_and_each_loss_can_be_had_alone() -> None:
    config = PretrainConfig(local_weight=0.3, global_weight=0.9, difference_weight=0.7)
    total = training(config)(batch())
    torch.testing.assert_close(
        total["total"], total["assign"] + 0.3 * total["local"] + 0.9 * total["global"] + 0.7 * total["difference"]
    )
    alone = {loss: training(replace(config, loss=loss))(batch()) for loss in ("assign", "distill")}
    torch.testing.assert_close(alone["assign"]["total"], total["assign"])
    torch.testing.assert_close(alone["distill"]["total"], total["total"] - total["assign"])
    assert total["assign"] > 0
    torch.testing.assert_close(total["masked"], torch.tensor(0.6))


def test_training_is_the_same_again_and_each_cloud_counts_alike_wherever_it_stands() -> None:
    once, again = (train(training(), batch(), 4)["total"] for _ in range(2))
    assert torch.equal(once, again)
    given = batch()
    turned = Batch(*(None if field is None else field.flip(0) for field in given))  # type: ignore[arg-type]
    torch.testing.assert_close(training()(turned)["total"], training()(given)["total"])


def test_validation_gives_the_mean_of_steps_and_groups_each_batch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = training().eval()
    sizes, given = (3, 2), [batch(3), batch(2, seed=1)]
    with torch.no_grad():
        steps = [model.step(each) for each in given]
        fill = torch.stack([group(model.tokenizer, each).fill_histogram() for each in given]).sum(0)
        grouped: list[int] = []
        plain = Tokenizer.group

        def counted(tokenizer: Tokenizer, points: torch.Tensor, *of: Any, **more: Any) -> Any:
            grouped.append(len(points))
            return plain(tokenizer, points, *of, **more)

        monkeypatch.setattr(Tokenizer, "group", counted)
        found = model.validate(zip(sizes, given, strict=True))
    assert grouped == [3, 2]
    for name in model.columns:
        mean = sum(size * step[name].item() for size, step in zip(sizes, steps, strict=True)) / 5
        assert found[name] == pytest.approx(mean)
    assert found["patch_fill"] == fill.tolist()


def learn_by_heart() -> tuple[float, float]:
    model, given = training(PretrainConfig(loss="distill")), batch(8)
    return model(given)["local"].item(), train(model, given, 150, rate=6e-3)["local"].item()


@pytest.mark.slow
def test_eight_clouds_are_learned_by_heart(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """A random tower stands for the mini CLIP, bent spheres for toy shapes, and every target is a random vector.

    In a process of its own, as a user's: with every shape checked the 150 steps take ten times as long.
    """
    done = python(__file__)
    before, after = map(float, done.stdout.split())
    assert before > 0.5
    assert after < 0.05


def test_a_full_pass_distils_from_what_the_student_says_unmasked() -> None:
    masked, full = (training(PretrainConfig(loss="distill", distill_pass=way)) for way in ("masked", "full"))
    all_seen = training(PretrainConfig(loss="distill", mask_ratio=0.0))
    torch.testing.assert_close(full(batch())["local"], all_seen(batch())["local"])
    assert (masked(batch())["local"] - full(batch())["local"]).abs() > 1e-4


def awkward(kind: str) -> Batch:
    given = batch()
    if kind == "empty superpoints":
        return given._replace(superpoints=given.superpoints.clamp_max(2))
    if kind == "one point each":
        is_point = torch.zeros_like(given.is_point)
        is_point[:, 0] = True
        return given._replace(is_point=is_point)
    if kind == "identical points":
        return given._replace(points=torch.ones_like(given.points))
    if kind == "nothing seen":
        return given._replace(is_seen=torch.zeros_like(given.is_seen))
    if kind == "a small cloud in a batch":
        is_point = given.is_point.clone()
        is_point[1, 9:] = False
        return given._replace(is_point=is_point, points=given.points.masked_fill(~is_point[..., None], torch.nan))
    return given


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
@pytest.mark.parametrize(
    ("kind", "mask_ratio"),
    [
        ("empty superpoints", 0.6),
        ("one point each", 0.6),
        ("identical points", 0.6),
        ("nothing seen", 0.6),
        ("a small cloud in a batch", 0.6),
        ("all masked", 1.0),
        ("none masked", 0.0),
    ],
)
def test_awkward_batches_give_numbers_and_gradients(kind: str, mask_ratio: float, dtype: torch.dtype | None) -> None:
    model = training(PretrainConfig(mask_ratio=mask_ratio), dtype)
    losses = model(awkward(kind))
    losses["total"].backward()
    assert all(field.isfinite().all() for field in losses.values())
    for name, weight in model.named_parameters():
        assert weight.grad is None or weight.grad.isfinite().all(), name
    assert model.tokenizer.adapter.token.weight.grad is not None


def test_autocast_to_bfloat16_agrees_with_float32() -> None:
    full = training()(batch())
    with torch.autocast("cpu", torch.bfloat16):
        half = training()(batch())
    torch.testing.assert_close(half["total"].float(), full["total"], rtol=0.02, atol=0.02)


def test_augmentation_stretches_and_shifts_within_its_range_by_the_clouds_seed() -> None:
    points = torch.tensor([[[0.0, 0, 0], [1, 1, 1]]]).expand(500, -1, -1)
    config, given = PretrainConfig(), batch(500, 2)._replace(points=points)
    moved = augment(given, config, NO_FEATURES).points
    shift, scale = moved[:, 0], moved[:, 1] - moved[:, 0]
    assert shift.abs().max() <= 0.2
    assert shift.min() < -0.19
    assert 2 / 3 <= scale.min() + 1e-6 < 0.68
    assert 1.49 < scale.max() - 1e-6 <= 3 / 2
    alone = batch(1, 2)._replace(points=points[:1], seeds=torch.tensor([7]))
    assert torch.equal(augment(alone, config, NO_FEATURES).points[0], moved[7])


def test_stretched_normals_stay_at_right_angles_to_their_surface_and_colours_as_they_are() -> None:
    read = PointFeatures(("rgb", "normals"))
    along, across = torch.randn(2, 3, 200, 3)  # of a surface at each point
    normals = functional.normalize(torch.linalg.cross(along, across), dim=2)
    normals[:, ::7] = 0  # not known
    is_known = normals.any(2, keepdim=True).float()
    features = torch.cat([torch.rand(3, 200, 3), torch.ones(3, 200, 1), normals, is_known], dim=2)
    config, given = PretrainConfig(), batch()
    moved = augment(given._replace(features=features), config, read).features
    assert moved is not None
    for tangent in (along, across):
        ends = [augment(given._replace(points=points), config, read).points for points in (tangent, 0 * tangent)]
        stretched = functional.normalize(ends[0] - ends[1], dim=2)
        assert (stretched * moved[..., 4:7]).sum(2).abs().max() < 1e-4
    torch.testing.assert_close(moved[..., 4:7].norm(dim=2), is_known[..., 0])
    assert torch.equal(moved[..., :4], features[..., :4])
    assert torch.equal(moved[..., 7:], is_known)
    assert (moved - features).abs().max() > 0.05


def test_clouds_with_and_without_features_make_one_batch_and_train() -> None:
    torch.manual_seed(0)
    read = PointFeatures(("rgb",), mean=(0.5, 0.5, 0.4), deviation=(0.3, 0.2, 0.1))
    plain = training()
    tokenizer = Tokenizer(plain.tokenizer.config, width=48, point_features=read)
    model = S4Token(tokenizer, plain.encoder, plain.config, plain.clusters)
    color = [np.concatenate([np.random.default_rng(0).random((50, 3)), np.ones((50, 1))], 1), np.zeros((70, 4))]
    entries = [
        TrainingCloud(
            np.random.default_rng(number).normal(size=(len(of), 3)).astype(np.float32), np.arange(len(of)) // 10,
            np.eye(8, 24)[: len(of) // 10], np.zeros(24, np.float32), "object", number, of.astype(np.float32),
        )
        for number, of in enumerate(color)
    ]  # fmt: skip
    given = model.collate(entries)
    assert given.features is not None
    assert (given.features[0, :50, 3] == 1).all()
    assert not given.features[0, 50:].any()
    assert not given.features[1].any()
    train(model, given, 2)
    losses = model.eval()(given)
    assert all(value.isfinite() for value in losses.values())
    other = given._replace(features=1 - given.features)
    assert not torch.equal(model(other)["total"], losses["total"])
    assert model.collate([each._replace(features=None) for each in entries]).features is None


if __name__ == "__main__":
    sys.stdout.write("{} {}".format(*learn_by_heart()))
