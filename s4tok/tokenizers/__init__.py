"""From clouds to tokens: sampling, grouping, normalisation, and the tokenizers they make up."""

from dataclasses import fields
from typing import Any

from s4tok.config import TokenizerConfig
from s4tok.errors import choose
from s4tok.tokenizers.point_features import NO_FEATURES, PointFeatures
from s4tok.tokenizers.table import TOKENIZERS, Variant
from s4tok.tokenizers.tokenizer import Tokenizer
from s4tok.tokenizers.tokens import Patches, Tokens

__all__ = ["NO_FEATURES", "TOKENIZERS", "Patches", "PointFeatures", "Tokenizer", "Tokens", "Variant", "build_tokenizer"]


def build_tokenizer(
    name: str = TokenizerConfig.tokenizer, *, width: int = 768, n_features: int = 0, **settings: Any
) -> Tokenizer:
    """Build a tokenizer of the table by name, for a transformer of the given width; settings as in TokenizerConfig.

    Raises:
        UsageError: For a name or a setting there is not.
    """
    known = [field.name for field in fields(TokenizerConfig) if field.name != "tokenizer"]
    for setting in settings:
        choose("setting of tokenizers", setting, dict.fromkeys(known))
    return Tokenizer(TokenizerConfig(tokenizer=name, **settings), width=width, n_features=n_features)
