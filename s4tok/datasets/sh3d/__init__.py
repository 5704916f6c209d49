"""The furniture libraries of Sweet Home 3D: named models of real things at their size, with colours and parts."""

from s4tok.datasets.sh3d.dataset import SH3D, SH3DParts

__all__ = ["SH3D", "SH3DParts"]
