"""The tokenizers of the paper's Table 1, and the control it lacks, each a choice of three ideas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from s4tok.tokenizers.grouping import Pick


@dataclass(frozen=True)
class Variant:
    """Which points a patch takes, whether it stays inside a superpoint, and in what unit it is measured.

    Tokenizers that know superpoints also sample their centres by them (WFPS); the others take plain FPS.
    """

    pick: Pick
    in_superpoint: bool = False  # SPT
    unit: Literal["cloud", "radius", "sphere"] = "cloud"  # "radius" is RPN; "sphere" the whole cloud's radius


# "spt" alone takes any points of the centre's superpoint: read as constrained kNN, which the paper leaves open,
# "spt+rpn" and "knn+rpn+spt" would be one tokenizer, and the paper gives them a column each.
TOKENIZERS: Mapping[str, Variant] = {
    "knn": Variant("nearest"),
    "ball": Variant("ball"),
    "spt": Variant("any", in_superpoint=True),
    "knn+rpn": Variant("nearest", unit="radius"),
    "ball+rpn": Variant("ball", unit="radius"),
    "spt+rpn": Variant("any", in_superpoint=True, unit="radius"),
    "knn+rpn+spt": Variant("nearest", in_superpoint=True, unit="radius"),
    "s4token": Variant("ball", in_superpoint=True, unit="radius"),
    "knn-sphere": Variant("nearest", unit="sphere"),  # the control: does normalising the whole cloud do as well?
}
