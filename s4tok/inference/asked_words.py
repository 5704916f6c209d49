"""What a Python user's clouds may be called: words that were asked for, a head's, or built-in ones."""

import logging
from collections.abc import Sequence

import numpy as np

from s4tok.config import Scene, SegmentConfig
from s4tok.errors import UsageError
from s4tok.inference.head_words import head_words
from s4tok.inference.loading import Checkpoint
from s4tok.zero_shot.open_words import candidate_words, is_auto, with_background
from s4tok.zero_shot.unknown_words import tell_unknown, unknown_words
from s4tok.zero_shot.vocabulary import Words, label_vectors

logger = logging.getLogger(__name__)


def point_words(
    loaded: Checkpoint, names: Sequence[str], category: str | None, scene: Scene, config: SegmentConfig
) -> Words:
    """Turn the labels of points into words; with "auto" alone these are proposed, of which a cloud keeps a few."""
    if loaded.trained_model.labeller is not None:
        return head_words(loaded.trained_model, () if is_auto(names) else names, category)
    if is_auto(names):
        return candidate_words(loaded.texts, loaded.prompts, scene, category, loaded.trained_model.learned_words)
    require_known(names, loaded, category)
    vectors = label_vectors(names, loaded.texts, loaded.prompts, category=category, scene=scene)
    words = Words(tuple(names), np.arange(len(names)), vectors)
    if config.unknown != "auto":
        return words
    return with_background(words, loaded.texts, loaded.prompts, scene, category)


def require_known(labels: Sequence[str], loaded: Checkpoint, category: str | None = None) -> None:
    """Require labels, and warn of words that the checkpoint's texts were not trained on.

    Raises:
        UsageError: Where there are none, or none is known.
    """
    if not labels:
        raise UsageError(
            f"checkpoint {loaded.name} labels by prompts, and there are no labels.",
            'for example ["seat", "back", "leg"].',
        )
    for sentence in tell_unknown(unknown_words(labels, loaded.texts, loaded.prompts, category), loaded.texts):
        logger.warning(sentence)
