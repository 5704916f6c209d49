"""A checkpoint that pre-training begins with, in place of a new tokenizer."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from s4tok.config import RunConfig
from s4tok.errors import UsageError
from s4tok.models.checkpoint import has_own_encoder, load_trained
from s4tok.objectives.s4token import SCENES, S4Token
from s4tok.vision.frozen_clip import FrozenClip


class BegunWith(NamedTuple):
    """What training began with, for the run's folder and the checkpoint's card."""

    named: dict[str, str]  # its name, and a hash of its weights
    card: Mapping[str, Any]


@torch.no_grad()
def take_over(model: S4Token, config: RunConfig, clip: FrozenClip, device: str) -> BegunWith:
    """Take over a checkpoint's tokenizer, what takes its features to the targets, and their means; name it.

    A head for labels is left behind.

    Raises:
        UsageError: For one whose transformer was trained too, or whose weights are not of the recipe's form.
    """
    assert config.checkpoint is not None
    found = load_trained(config.checkpoint, clip, device)
    if has_own_encoder(found.model):
        raise UsageError(
            f"{config.checkpoint} was trained with its transformer, and pretrain leaves CLIP's as it is.",
            "begin with another checkpoint.",
        )
    theirs, heads = found.model.tokenizer, (model.head, found.model.head)
    if theirs.point_features.kinds != tuple(config.point_features):
        raise UsageError(
            f"{config.checkpoint} reads {', '.join(theirs.point_features.kinds) or 'neither colour nor normal'} of "
            f"points, and the recipe {', '.join(config.point_features) or 'neither'}.",
            "leave out --point-features.",
        )
    try:
        for tokenizer in (model.tokenizer, model.teacher):
            tokenizer.load_state_dict(theirs.state_dict())
        if heads[0] is None or heads[1] is None:
            if heads != (None, None):
                raise ValueError("one of them has a head")
        else:
            heads[0].load_state_dict(heads[1].state_dict())
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"the weights of {config.checkpoint} are of another form than the recipe's: "
            f"{' '.join(str(error).split()).rstrip('.')}.",
            "leave out --features, --head and options of the tokenizer; the checkpoint's are taken.",
        ) from error
    model.tokenizer.point_features = theirs.point_features
    for row, scene in enumerate(SCENES):
        if scene in found.means:
            model.mean_features[row], model.mean_targets[row] = found.means[scene]
    return BegunWith({"name": found.name, "weights": found.sha256}, found.card)
