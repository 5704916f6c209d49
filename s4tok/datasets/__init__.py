"""The datasets: one a file, each reads and does nothing else."""
