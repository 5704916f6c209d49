"""The whole of pre-training on a few shapes: a tokenizer in front of the mini CLIP learns to say what CLIP saw."""

import numpy as np
import pytest
import torch

from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.config import ClusterConfig, PretrainConfig, SuperpointConfig, TokenizerConfig, ViewConfig
from s4tok.objectives.s4token import S4Token
from s4tok.objectives.training_clouds import Batch
from s4tok.rendering.object_views import object_views
from s4tok.superpoints import partition
from s4tok.superpoints.samples import Sample, sample
from s4tok.synthetic.datasets import ToyShapes
from s4tok.tokenizers import Tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.lifting import lift

N_POINTS, STEPS, RATE = 512, 300, 6e-3


def seen_shape(
    shapes: ToyShapes, key: str, clip: FrozenClip
) -> tuple[Sample, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sample a shape, and give what CLIP sees of its superpoints, which of them it sees, and what it sees of all."""
    cloud = shapes[key]
    cut = partition(cloud, SuperpointConfig(smallest=80))
    taken = sample(cloud.xyz, cut, N_POINTS, seed=0)
    drawn = object_views(cloud, shapes.up, ViewConfig(size=clip.size, projection="classification"))
    found = clip.encode(torch.from_numpy(drawn.images.astype(np.float32)).permute(0, 3, 1, 2))
    pixels = torch.from_numpy(drawn.pixels[:, taken.index].astype(np.int64))
    labels = torch.from_numpy(taken.superpoints.astype(np.int64))
    lifted = lift(found.patches, pixels, pixels[..., 0] >= 0, labels, int(labels.max()) + 1, clip.size)
    return taken, lifted.feature(), lifted.pairs > 0, found.whole.mean(0)


@pytest.mark.slow
def test_eight_shapes_are_learnt_by_heart(mini_clip: FrozenClip) -> None:
    shapes = ToyShapes("train", points=4096)
    seen = [seen_shape(shapes, key, mini_clip) for key in shapes.keys[:8]]
    most = max(len(local) for _, local, _, _ in seen)
    batch = Batch(
        points=torch.stack([torch.from_numpy(taken.points) for taken, *_ in seen]),
        superpoints=torch.stack([torch.from_numpy(taken.superpoints.astype(np.int64)) for taken, *_ in seen]),
        is_point=torch.ones(8, N_POINTS, dtype=torch.bool),
        local_targets=torch.stack(
            [torch.nn.functional.pad(local, (0, 0, 0, most - len(local))) for _, local, *_ in seen]
        ),
        is_seen=torch.stack([torch.nn.functional.pad(has, (0, most - len(has))) for _, _, has, _ in seen]),
        global_targets=torch.stack([whole for *_, whole in seen]),
        seeds=torch.arange(8),
    )
    torch.manual_seed(0)
    tokenizer = Tokenizer(TokenizerConfig(n_tokens=32, patch_size=16, adapter_widths=(64, 128, 256)), width=192)
    config = PretrainConfig(
        loss="distill", distill_pass="full", local_weight=1.0, global_weight=0.1, scale_range=(1.0, 1.0), shift=0.0
    )
    model = S4Token(tokenizer, FrozenEncoder(mini_clip.model.visual), config, ClusterConfig())  # type: ignore[arg-type]
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0, betas=(0.9, 0.98))
    first = last = float("inf")
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 20) * (1 - step / STEPS)
        losses = model(batch)
        optimizer.zero_grad()
        losses["total"].backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        last = float(losses["local"])
        first = last if step == 0 else first
        if last < 0.05:
            break
    print(f"local loss {first:.3f} -> {last:.3f} in {step + 1} steps")
    assert first > 0.3
    assert last < 0.05
