"""The texts that a checkpoint's features are compared with: its CLIP's, or those of the model it was distilled from."""

from s4tok.config import VisionConfig
from s4tok.errors import UsageError
from s4tok.models.checkpoint import TrainedModel
from s4tok.vision.table import find_kind, load_vision_model, require
from s4tok.vision.vision_model import VisionModel


def text_model(checkpoint: TrainedModel, asked: VisionConfig | None = None, device: str = "cpu") -> VisionModel:
    """Load the model whose texts lie in the space of a checkpoint's features.

    `asked` says where it lies, for a model that is not found by the name on the card with its usual weights.

    Raises:
        UsageError: For a checkpoint that was distilled from a model without texts, and for another model than that.
    """
    clip, distilled = checkpoint.model.clip, checkpoint.trained.vision_model
    if clip is None:
        raise UsageError(
            f"checkpoint {checkpoint.name} was trained without a CLIP: it has no texts to label by.",
            "s4tok finetune puts a head behind it, and s4tok embed gives its features.",
        )
    if not distilled or distilled["weights"] == clip.sha256:
        return clip
    config = asked or VisionConfig(distilled["model"])
    kind, name = find_kind(config.model, config.pretrained)
    try:
        require(kind, name, "text")
    except UsageError as error:
        raise UsageError(
            f"checkpoint {checkpoint.name} was distilled from {name}, which has no text encoder, so nothing says what "
            "its features are called.",
            error.hint,
        ) from None
    model = load_vision_model(config, device)
    if model.identity["weights"] != distilled["weights"]:
        raise UsageError(
            f"checkpoint {checkpoint.name} was distilled from {distilled['model']} "
            f"(weights {distilled['weights'][:12]}), and this is {model.name} "
            f"(weights {str(model.identity['weights'])[:12]}).",
            "name the model by --text-model and its weights by --text-pretrained.",
        )
    return model
