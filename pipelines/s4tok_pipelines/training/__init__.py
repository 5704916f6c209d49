"""The loop of a run, its checkpoints, its folder and its processes."""
