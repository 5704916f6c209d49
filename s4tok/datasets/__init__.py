"""The datasets: one a file, each reads and does nothing else."""

from s4tok.datasets.dataset import CloudDataset, Frame, Mesh, Origin
from s4tok.datasets.open import open_dataset

__all__ = ["CloudDataset", "Frame", "Mesh", "Origin", "open_dataset"]
