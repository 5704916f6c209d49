"""Trained checkpoints in use: what the library and the command line call to label and embed clouds."""
