"""Where results go by default, each under the current directory."""

from pathlib import Path

CACHE = Path(".s4tok/cache")  # never inside a dataset
RUNS = Path("runs")  # where pre-training leaves its run folders
BOXES = Path("boxes")  # where boxes found in a user's own files go
SEGMENTS = Path("segments")  # where labels of a user's own files go
RESULTS = Path("results")  # where tables of the paper go, each into a folder of its name
