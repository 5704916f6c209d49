"""The stage embed on the corners of rooms; the checkpoint has random weights, being right does not matter."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import s4tok
from s4tok.config import SegmentConfig, SuperpointConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.open import open_dataset
from s4tok.errors import UsageError
from s4tok.inference.cloud_encoder import CloudEncoder
from s4tok.inference.loading import Checkpoint
from s4tok.models.checkpoint import TrainedModel
from s4tok.shapes import Array
from s4tok_cache import CacheReader, Shard
from s4tok_cache.verify import verify
from s4tok_pipelines.inputs.find_superpoints import open_superpoints
from s4tok_pipelines.inputs.models import ModelNames
from s4tok_pipelines.report import Item, Outcome, Report
from s4tok_pipelines.stages.embed import EMBEDDINGS, embed, embed_by_name, embeddings_stamp, write_embeddings
from s4tok_pipelines.stages.superpoints import superpoints
from s4tok_pipelines.stamps import superpoints_stamp
from tests.octants import cut_into_octants

CUT = SuperpointConfig("grid", grid_cells=8)
CONFIG = SegmentConfig(n_points=200, n_tokens=16)


@pytest.fixture
def clouds(tmp_path: Path) -> CloudDataset:
    (tmp_path / "corners").mkdir()
    for seed in range(4):
        points = np.random.default_rng(seed).uniform(0, 1, (200 + 50 * seed, 3))
        points[np.arange(len(points)), np.arange(len(points)) % 3] = 0
        np.save(tmp_path / "corners" / f"corner_{seed}.npy", points + [4e5, 5e6, 100])
    opened = open_dataset(tmp_path / "corners")
    superpoints(opened, tmp_path / "cache", CUT)
    return opened


def run(
    clouds: CloudDataset, cache: Path, checkpoint: TrainedModel, config: SegmentConfig = CONFIG, **more: Any
) -> Outcome:
    encoder = CloudEncoder(checkpoint, config, clouds.scene, clouds.up)
    return embed(clouds, encoder, open_superpoints(clouds, cache, CUT), cache, **more)


def kept(outcome: Outcome, clouds: CloudDataset, checkpoint: TrainedModel, cache: Path) -> dict[str, dict[str, Array]]:
    stamp = embeddings_stamp(
        clouds, CloudEncoder(checkpoint, CONFIG, clouds.scene, clouds.up), open_superpoints(clouds, cache, CUT)
    )
    reader = CacheReader(outcome.out.parent, EMBEDDINGS, stamp)
    return {key: dict(reader.read(key).arrays) for key in reader}


def test_clouds_whose_superpoints_have_changed_are_embedded_anew(
    clouds: CloudDataset, checkpoint: TrainedModel, tmp_path: Path
) -> None:
    run(clouds, tmp_path / "cache", checkpoint)
    cut_into_octants(clouds, tmp_path / "cache", clouds.keys[:1], superpoints_stamp(CUT))
    outcome = run(clouds, tmp_path / "cache", checkpoint)
    assert (outcome.made, outcome.present) == (1, 3)


class StopsAfterOne(Report):
    """A user who presses Ctrl-C after one cloud."""

    def steps(self, items: Any, text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        yield next(iter(items))
        raise KeyboardInterrupt


def test_the_cache_keeps_what_the_library_gives(clouds: CloudDataset, checkpoint: TrainedModel, tmp_path: Path) -> None:
    outcome = run(clouds, tmp_path / "cache", checkpoint)
    assert (outcome.made, outcome.failures) == (4, [])
    for key, entry in kept(outcome, clouds, checkpoint, tmp_path / "cache").items():
        cut = s4tok.partition(clouds[key], CUT)
        found = s4tok.embed(clouds[key], Checkpoint(checkpoint), config=CONFIG, superpoints=cut).arrays()
        assert entry.keys() == found.keys() == EMBEDDINGS.arrays.keys()
        for name, values in found.items():
            np.testing.assert_array_equal(entry[name], values)
    assert not verify(outcome.out).damaged


def test_a_run_that_was_stopped_goes_on(clouds: CloudDataset, checkpoint: TrainedModel, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt):
        run(clouds, cache, checkpoint, report=StopsAfterOne())
    again = run(clouds, cache, checkpoint)
    assert (again.made, again.present) == (3, 1)
    stopped = kept(again, clouds, checkpoint, cache)
    anew = kept(run(clouds, cache, checkpoint, overwrite=True), clouds, checkpoint, cache)
    for key in clouds.keys:
        np.testing.assert_array_equal(stopped[key]["features"], anew[key]["features"])


def test_what_changes_features_changes_the_folder_and_how_points_are_labelled_does_not(
    clouds: CloudDataset, checkpoint: TrainedModel, tmp_path: Path
) -> None:
    def folder(**settings: Any) -> Path:
        return run(clouds, tmp_path / "cache", checkpoint, SegmentConfig(n_points=200, **settings)).out

    first = folder()
    assert folder(pool=True, unknown=0.3, draws=7) == first
    assert len({first, folder(votes=2), folder(n_tokens=8), folder(seed=1), folder(scale=2.0)}) == 5


def test_shards_share_the_work(clouds: CloudDataset, checkpoint: TrainedModel, tmp_path: Path) -> None:
    made = [run(clouds, tmp_path / "cache", checkpoint, shard=Shard(index, 2)).made for index in (0, 1)]
    assert (sum(made), min(made) > 0) == (4, True)


def test_files_hold_the_same_and_a_broken_cloud_stops_none_beside_it(
    clouds: CloudDataset, checkpoint: TrainedModel, tmp_path: Path
) -> None:
    encoder = CloudEncoder(checkpoint, CONFIG, clouds.scene, clouds.up)
    cut = open_superpoints(clouds, tmp_path / "cache", CUT)
    (tmp_path / "corners" / "corner_2.npy").write_text("a letter to nobody")
    outcome = write_embeddings(clouds, encoder, cut, tmp_path / "out", each_point=True)
    assert (outcome.made, [failure.key for failure in outcome.failures]) == (3, ["corner_2.npy"])
    with np.load(tmp_path / "out" / "corner_0.embedding.npz") as found:
        assert found["points"].shape == (200, 24)
        np.testing.assert_allclose(
            found["features"][found["superpoints"]].astype(float).mean(0),
            found["points"].astype(float).mean(0),
            atol=1e-3,
        )
    said = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (said["checkpoint_name"], said["n_tokens"], len(said["failures"])) == ("X", 16, 1)


def test_what_does_not_fit_together_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    toys, nobody = open_dataset("toy-shapes", limit=1), ModelNames("nobody", "no such CLIP")
    with pytest.raises(UsageError, match="the cache keeps features of superpoints: --each-point is for files"):
        embed_by_name(toys, tmp_path, nobody, each_point=True)
    with pytest.raises(UsageError, match="--shard is for datasets without --out"):
        embed_by_name(toys, tmp_path, nobody, out=tmp_path, shard=Shard(0, 2))
    with pytest.raises(UsageError, match="--scale must be positive"):
        embed_by_name(toys, tmp_path, nobody, SegmentConfig(scale=0.0))
