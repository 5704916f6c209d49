"""A cache of superpoints that needs no stage: every cloud is cut into its eight octants."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from s4tok.datasets.dataset import CloudDataset
from s4tok_cache import Stamp, Store
from s4tok_pipelines.inputs.entries import fingerprint, root_of
from s4tok_pipelines.layouts import SUPERPOINTS


def cut_into_octants(
    clouds: CloudDataset,
    cache: Path,
    keys: Sequence[str] = (),
    stamp: Stamp = Stamp("superpoints"),  # noqa: B008
    weights: tuple[int, int, int] = (1, 2, 4),
) -> None:
    """Leave what the stage would leave for these clouds, or for those with these keys; other weights, other labels."""
    with Store.resume(root_of(cache, clouds), SUPERPOINTS, stamp) as store:
        for key in keys or clouds.keys:
            octant = (clouds[key].xyz > 0) @ np.array(weights)
            labels = np.unique(octant, return_inverse=True)[1].astype(np.int32)
            store.write(key, {"labels": labels}, fingerprint(clouds, key), {"n_superpoints": int(labels.max()) + 1})
