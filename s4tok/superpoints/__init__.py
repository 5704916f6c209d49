"""Superpoints: pieces of one kind of surface, on which everything else stands."""

from s4tok.superpoints.labels import merge_remnants
from s4tok.superpoints.methods import METHODS, partition
from s4tok.superpoints.quality import boundary_recall, majority, purity, summary

__all__ = ["METHODS", "boundary_recall", "majority", "merge_remnants", "partition", "purity", "summary"]
