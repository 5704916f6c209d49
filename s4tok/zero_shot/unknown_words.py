"""Labels that a vision model was never trained on, told to the user before they are answered."""

from collections.abc import Sequence

from s4tok.errors import UsageError
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.prompts import Prompts


def unknown_words(
    labels: Sequence[str], model: VisionModel, prompts: Prompts, category: str | None = None
) -> tuple[str, ...]:
    """List the words of labels, and of the category they are parts of, that the model does not know.

    A label is known if it is, or each of its words, as the prompts call it. A model without a list of words knows all.

    Raises:
        UsageError: When no label is known.
    """
    if model.known_words is None:
        return ()
    odd = {label: unknown_in(label, model, prompts) for label in labels}
    words = tuple(dict.fromkeys(word for found in odd.values() for word in found))
    if labels and all(odd.values()):
        raise UsageError(
            f"{model.name} knows none of the labels: {'; '.join(tell_unknown(words, model))}.",
            "use other words, or name a CLIP that knows them with --clip.",
        )
    return words if category is None else tuple(dict.fromkeys([*words, *unknown_in(category, model, prompts)]))


def tell_unknown(words: Sequence[str], model: VisionModel) -> list[str]:
    """Say of each word that it is not known, and which known one is spelt most like it."""
    if model.known_words is None:
        return []
    nearest = [model.known_words.nearest(word) for word in words]
    return [
        f'"{word}" is not a word {model.name} knows' + (f"; nearest: {near}" if near else "")
        for word, near in zip(words, nearest, strict=True)
    ]


def unknown_in(label: str, model: VisionModel, prompts: Prompts) -> list[str]:
    """Find what is not known of a label, by that of its names of which most is; its own sentences are the user's."""
    if model.known_words is None or label in prompts.sentences:
        return []
    return min((model.known_words.unknown_in(name) for name in prompts.names.get(label, (label,))), key=len)
