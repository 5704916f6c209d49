"""The figures of the S4Token paper, as data: what each shows, and what it counts."""

from collections.abc import Mapping
from dataclasses import dataclass

GAMMAS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
DRAWN_GAMMAS = (0.0, 0.1, 0.3, 1.0)
REACHED = {"superpoints": "superpoints with a centre", "points": "points whose superpoint has one"}
PURE = {"purity": "points of a patch with its centre's label", "in_patches": "points in a patch"}


@dataclass(frozen=True)
class FigureSpec:
    """A figure of a paper."""

    name: str
    title: str
    role: str  # of the dataset it is drawn of
    clouds: int  # that its numbers are means over
    figures: Mapping[str, str]
    shows: str
    checkpoint: str = ""  # that it is drawn by, where it is drawn by one
    of_paper: str = ""  # and with the paper's data


FIGURE_SPECS: Mapping[str, FigureSpec] = {
    each.name: each
    for each in (
        FigureSpec(
            "figureA", "Figure A: patches in a room", "scannet", 4, PURE,
            "Whether patches keep to one thing: the purer, the fewer mix what stands side by side.",
        ),
        FigureSpec(
            "figureB", "Figure B: the exponent of weighted sampling", "parts", 30, REACHED,
            "What gamma trades: small superpoints gain centres, and above some tenths large ones lose theirs.",
        ),
        FigureSpec(
            "figureC", "Figures 2 and C: parts found by name", "parts", 8, {"accuracy": "points labelled right"},
            "The first objects of the test split as they come, none chosen; a few objects are no result.",
            "s4token+context", "s4token",
        ),
    )
}  # fmt: skip
