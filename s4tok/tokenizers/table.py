"""The tokenizers of the paper's Table 1, and those that it lacks, each a choice of a few ideas."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from torch import Tensor

from s4tok.plugins import Table
from s4tok.shapes import Bool, Int
from s4tok.tokenizers.grouping import Pick
from s4tok.tokenizers.sampling import one_a_superpoint, sample_centers

Sample: TypeAlias = Callable[..., tuple[Int[Tensor, "b m"], Bool[Tensor, "b m"]]]


@dataclass(frozen=True)
class Variant:
    """Which points a patch takes, what superpoints mean to it, in what unit it is measured, and where it stands.

    Tokenizers that know superpoints also sample their centres by them (WFPS); the others take plain FPS.
    """

    pick: Pick
    in_superpoint: bool = False  # SPT: a patch ends where its superpoint does
    marks_superpoint: bool = False  # a patch goes on, and each point carries a bit: is it of the centre's superpoint?
    unit: Literal["cloud", "radius", "sphere"] = "cloud"  # "radius" is RPN; "sphere" the whole cloud's radius
    sample: Sample = sample_centers  # chooses the centres; another one takes the same arguments
    stands: Literal["center", "mean"] = "center"  # where a patch is: at its centre, or at its superpoint's mean

    @property
    def knows_superpoints(self) -> bool:
        """Tell whether patches or their centres depend on superpoints."""
        return self.in_superpoint or self.marks_superpoint


# "spt" alone takes any points of the centre's superpoint: read as constrained kNN, which the paper leaves open,
# "spt+rpn" and "knn+rpn+spt" would be one tokenizer, and the paper gives them a column each.
TOKENIZERS: Mapping[str, Variant] = Table(
    "s4tok.tokenizers",
    {
        "knn": Variant("nearest"),
        "ball": Variant("ball"),
        "spt": Variant("any", in_superpoint=True),
        "knn+rpn": Variant("nearest", unit="radius"),
        "ball+rpn": Variant("ball", unit="radius"),
        "spt+rpn": Variant("any", in_superpoint=True, unit="radius"),
        "knn+rpn+spt": Variant("nearest", in_superpoint=True, unit="radius"),
        "s4token": Variant("ball", in_superpoint=True, unit="radius"),
        # A patch that ends with its superpoint shows one plane and no edge. This one shows the edge, and on which side
        # of it each point lies. Superpoints still choose centres and carry features back.
        "s4token+context": Variant("ball", marks_superpoint=True, unit="radius"),
        # One token a superpoint, as system 2 has one a mask: its mean, and some of its points.
        "region": Variant("any", in_superpoint=True, sample=one_a_superpoint, stands="mean"),
        "region+rpn": Variant("any", in_superpoint=True, unit="radius", sample=one_a_superpoint, stands="mean"),
        "knn-sphere": Variant("nearest", unit="sphere"),  # the control: does normalising the whole cloud do as well?
    },
)
