"""The heads by name, and what builds one. A new one is a module and a row here, or a plugin."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from torch import nn

from s4tok.config import HeadConfig
from s4tok.errors import choose
from s4tok.heads.classification import ClassificationHead, CloudProbe
from s4tok.heads.segmentation import PointProbe, SegmentationHead
from s4tok.heads.words import CloudsByWords, PointsByWords
from s4tok.plugins import Table

Build: TypeAlias = Callable[[HeadConfig, int, int, int], nn.Module | None]  # width, classes and categories


class HeadRow(NamedTuple):
    """What labels points, and what labels clouds, by one name."""

    of_points: Build
    of_clouds: Build


def build_head(
    config: HeadConfig, width: int, n_classes: int, n_categories: int = 0, *, of_points: bool, text_width: int = 0
) -> nn.Module:
    """Build the head that a configuration names, for a transformer of this width; `text_width` if words begin it."""
    row = choose("head", config.head, HEADS)
    head = (row.of_points if of_points else row.of_clouds)(config, width, n_classes, n_categories)
    if head is not None and config.head_start != "words":
        return head
    if of_points:
        return PointsByWords(head, width, text_width, n_classes, nearest=config.propagation == "nearest")
    return CloudsByWords(head, width, text_width, n_classes)


def _segmentation(config: HeadConfig, width: int, n_classes: int, n_categories: int) -> nn.Module:
    return SegmentationHead(
        width, n_classes, n_categories,
        widths=config.head_widths, share=config.dropout, nearest=config.propagation == "nearest",
    )  # fmt: skip


def _classification(config: HeadConfig, width: int, n_classes: int, n_categories: int) -> nn.Module:
    return ClassificationHead(width, n_classes, hidden=config.head_widths[-1], share=config.dropout)


def _point_probe(config: HeadConfig, width: int, n_classes: int, n_categories: int) -> nn.Module:
    return PointProbe(width, n_classes, nearest=config.propagation == "nearest")


def _cloud_probe(config: HeadConfig, width: int, n_classes: int, n_categories: int) -> nn.Module:
    return CloudProbe(width, n_classes)


def _words(config: HeadConfig, width: int, n_classes: int, n_categories: int) -> None:
    """Build nothing: the names of the classes are all of it."""


HEADS: Mapping[str, HeadRow] = Table(
    "s4tok.heads",
    {
        "full": HeadRow(_segmentation, _classification),
        "probe": HeadRow(_point_probe, _cloud_probe),
        "words": HeadRow(_words, _words),
    },
)
