"""The stage classify on a few toy shapes; checkpoints and CLIP have random weights, and being right does not matter."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from s4tok.clouds import PointCloud
from s4tok.config import SuperpointConfig, ViewConfig, VisionConfig, ZeroShotConfig
from s4tok.datasets.dataset import Origin
from s4tok.errors import InputError, UsageError
from s4tok.models.checkpoint import TrainedModel, load_trained, save_trained
from s4tok.models.trained import Trained
from s4tok.randomness import seed_of
from s4tok.rendering.object_views import object_views
from s4tok.superpoints.samples import sample
from s4tok.synthetic.datasets import ToyScans, ToyShapes
from s4tok.tokenizers import build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.prompts import load_prompts
from s4tok_pipelines.outputs.results import plain
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stages.classify import Classified, classify
from s4tok_pipelines.stages.extract_features import extract_features
from s4tok_pipelines.stages.open_inputs import open_whole_features
from s4tok_pipelines.stages.render_views import render_views
from s4tok_pipelines.workers import Done
from tests.octants import cut_into_octants

VIEWS = ViewConfig(size=48, projection="classification")  # quick to draw
ONCE = ZeroShotConfig(draws=20)


class Shapes(ToyShapes):
    """Eight small objects; one can be broken, one can have changed since, and the sixth has fewer points."""

    def __init__(self, broken: str = "", changed: str = "") -> None:
        super().__init__("val", sizes=(0, 8, 0), points=400)
        self.broken, self.changed = broken, changed

    def __getitem__(self, key: str) -> PointCloud:
        if self.broken in (key, "all"):
            raise InputError(f"{key} is broken.")
        cloud = super().__getitem__(key)
        return cloud.take(np.arange(150)) if "-000005-" in key else cloud

    def origin(self, key: str) -> Origin:
        return replace(super().origin(key), mtime_ns=int(key == self.changed))


class Listening(Report):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


class StopsAfter(Report):
    """A user who presses Ctrl-C after so many steps."""

    def __init__(self, count: int) -> None:
        self.count = count

    def steps(self, items: Any, text: str, total: int | None = None, done: int = 0) -> Iterator[Any]:
        for number, item in enumerate(items, 1):
            yield item
            if number == self.count:
                raise KeyboardInterrupt


@pytest.fixture(scope="module")
def folder(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def clip(folder: Path) -> FrozenClip:
    return FrozenClip.load(str(folder))


@pytest.fixture(scope="module")
def checkpoints(clip: FrozenClip, tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrainedModel]:
    found = {}
    for name in ("s4token", "knn", "knn+rpn"):
        torch.manual_seed(3)
        settings: Any = {"n_points": 200, "n_tokens": 12, "patch_size": 8, "adapter_widths": (8, 8, 8)}
        tokenizer = build_tokenizer(name, width=32, **settings)
        place = tmp_path_factory.mktemp("checkpoint")
        save_trained(place, tokenizer, {"clip": {"name": clip.name, "weights": clip.sha256}, "steps": 0})
        found[name] = load_trained(place, clip)
    return found


@pytest.fixture
def named(clip: FrozenClip, tmp_path: Path) -> Callable[..., Classified]:
    """Run the stage in a cache of the test's own."""

    def run(checkpoint: TrainedModel | None, clouds: ToyShapes | None = None, **options: Any) -> Classified:
        config = replace(ONCE, **options.pop("config", {}))
        clouds, labels, report = clouds or Shapes(), options.pop("labels", ()), options.get("report", silent)
        what = {"views": VIEWS, **options}
        features = open_whole_features(clouds, tmp_path, clip, checkpoint, config, **what)
        return classify(clouds, features, clip, load_prompts("clip"), labels=labels, report=report)

    return run


Named = Callable[..., Classified]


def test_an_answer_depends_on_seed_and_key_and_on_no_neighbour(
    named: Named, checkpoints: dict[str, TrainedModel], tmp_path: Path
) -> None:
    cut_into_octants(Shapes(), tmp_path)
    whole = named(checkpoints["s4token"]).answers
    assert named(checkpoints["s4token"], config={"batch": 3}).answers == whole
    few = Shapes()
    few.keys = few.keys[2:5]
    assert named(checkpoints["s4token"], few).answers == {key: whole[key] for key in few.keys}
    assert named(checkpoints["s4token"], config={"seed": 1}).answers != whole
    assert named(checkpoints["s4token"], config={"votes": 3}).answers != whole


def test_clouds_that_are_read_together_as_on_a_gpu_are_padded_and_named_alike(
    named: Named, checkpoints: dict[str, TrainedModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_into_octants(Shapes(), tmp_path)
    alone = named(checkpoints["s4token"], config={"votes": 2}).answers
    monkeypatch.setattr("s4tok_pipelines.inputs.whole_features.ONE_BY_ONE", ())
    together = named(checkpoints["s4token"], config={"votes": 2, "batch": 3}).answers
    for key, best in alone.items():
        assert [name for name, _ in together[key]] == [name for name, _ in best]
        assert [score for _, score in together[key]] == pytest.approx([score for _, score in best], abs=1e-5)


def test_where_patches_are_measured_in_their_own_radius_scale_is_nothing(
    named: Named, checkpoints: dict[str, TrainedModel]
) -> None:
    for name, is_the_same in (("knn+rpn", True), ("knn", False)):
        one, other = (named(checkpoints[name], config={"scale": scale}).answers for scale in (1.0, 8.0))
        assert (one == other) == is_the_same


def test_figures_by_hand(named: Named, clip: FrozenClip, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight objects of eight categories; the second is taken for the first, the third cannot be read."""
    from s4tok.zero_shot.classifier import classifier

    clouds = Shapes()
    texts = classifier(clip, [load_prompts("clip").of_object(name) for name in clouds.categories])

    def answers(*_: Any, **__: Any) -> Iterator[Done[str, torch.Tensor]]:
        for number, key in enumerate(clouds.keys):
            if number == 2:
                yield Done(key, reason="it is gone")
            else:
                yield Done(key, 3 * texts[0 if number == 1 else clouds.category(key)])

    monkeypatch.setattr("s4tok_pipelines.stages.open_inputs.by_views", answers)
    found = named(None)
    first, second = clouds.keys[:2]
    for name, score in (found.answers[key][0] for key in (first, second)):
        assert (name, round(score, 5)) == ("airplane", 1)
    assert [(each.key, each.reason) for each in found.failures] == [(clouds.keys[2], "it is gone")]
    facts = plain(found.facts())
    assert facts["accuracy"] == facts["macc"] == pytest.approx(6 / 7)
    assert (facts["per_class"]["airplane"], facts["per_class"]["bed"], facts["per_class"]["bookshelf"]) == (1, 0, None)
    assert [row[:2] for row in facts["confusion"][:2]] == [[1, 0], [1, 0]]
    assert (facts["clouds"], facts["failed"], facts["counts"]["bed"], facts["chance"]) == (7, 1, 1, 1 / 15)
    low, high = facts["accuracy_interval"]
    assert 0.4 < low < 6 / 7 < high <= 1


def test_an_answer_is_what_the_model_itself_says_of_the_sample(
    named: Named, clip: FrozenClip, checkpoints: dict[str, TrainedModel], tmp_path: Path
) -> None:
    clouds, checkpoint = Shapes(), checkpoints["s4token"]
    cut_into_octants(clouds, tmp_path)
    found = named(checkpoint, config={"seed": 5, "votes": 2})
    key = clouds.keys[3]
    labels = np.unique((clouds[key].xyz > 0) @ np.array([1, 2, 4]), return_inverse=True)[1]
    total = torch.zeros(24)
    for vote in range(2):
        seed = seed_of(5, key, vote)
        some = sample(clouds[key].xyz, labels, 200, seed, clouds.up)
        points, superpoints = torch.from_numpy(some.points)[None], torch.from_numpy(some.superpoints)[None]
        total += functional.normalize(
            checkpoint.model(points, superpoints, seeds=torch.tensor([seed])).whole[0], dim=-1
        )
    cosines = {}
    for name in clouds.categories:
        read = clip.text(load_prompts("clip").of_object(name)).mean(0)
        cosines[name] = float(functional.cosine_similarity(total, read, dim=0))
    best = sorted(cosines, key=lambda name: -cosines[name])[:3]
    assert [name for name, _ in found.answers[key]] == best
    assert [score for _, score in found.answers[key]] == pytest.approx([cosines[name] for name in best], abs=1e-5)


def test_the_2d_baseline_is_the_mean_of_ten_views_drawn_here_or_read_from_the_cache(
    named: Named, clip: FrozenClip, folder: Path, tmp_path: Path
) -> None:
    clouds, listening = Shapes(), Listening()
    live = named(None, report=listening)
    assert listening.said == []
    cut_into_octants(clouds, tmp_path)
    render_views(clouds, tmp_path, VIEWS)
    extract_features(clouds, tmp_path, VisionConfig(model=str(folder), dense="maskclip"))
    cached = named(None, report=listening)
    assert "that are there already" in listening.said[0]
    assert cached.answers == live.answers
    assert cached.about["views"] == live.about["views"]
    views = torch.from_numpy(object_views(clouds[clouds.keys[0]], "y", VIEWS).images.astype(np.float32))
    mean = clip.encode(views.permute(0, 3, 1, 2)).whole.mean(0)
    text = clip.text(load_prompts("clip").of_object(live.answers[clouds.keys[0]][0][0])).mean(0)
    cosine = float(functional.cosine_similarity(mean, text, dim=0))
    assert live.answers[clouds.keys[0]][0][1] == pytest.approx(cosine, abs=1e-3)
    listening.said.clear()  # other views than those that were looked at
    named(None, views=replace(VIEWS, projection_compat="pclipv2"), report=listening)
    named(None, Shapes(changed=clouds.keys[0]), report=listening)
    assert listening.said == []


def test_with_labels_of_ones_own_nothing_is_right_or_wrong(named: Named, checkpoints: dict[str, TrainedModel]) -> None:
    found = named(checkpoints["knn"], labels=["boat", "tree"])
    assert found.figures is None
    assert {name for best in found.answers.values() for name, _ in best} == {"boat", "tree"}
    assert "accuracy" not in found.facts()


def test_superpoints_that_are_missing_are_told_or_made_also_after_a_stop_and_then_taken(
    named: Named, checkpoints: dict[str, TrainedModel], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="has no superpoints") as caught:
        named(checkpoints["s4token"])
    assert caught.value.hint == f"run `s4tok superpoints toy-shapes --split val --cache {tmp_path}`, or pass --auto."
    few = Shapes()
    few.keys = few.keys[:2]
    with pytest.raises(KeyboardInterrupt):
        named(checkpoints["s4token"], few, auto=True, report=StopsAfter(1))
    made = named(checkpoints["s4token"], few, auto=True)
    with pytest.raises(InputError, match="6 of 8 clouds have no superpoints"):
        named(checkpoints["s4token"])
    [(name, parameters)] = made.about["superpoints"].items()
    assert (tmp_path / "toy-shapes" / "val" / name).is_dir()
    assert parameters["method"] == "greedy"
    assert named(checkpoints["s4token"], few).answers == made.answers
    assert named(checkpoints["knn"]).about["superpoints"] is None  # it knows none, and needs none


def test_clouds_are_cut_as_for_the_checkpoints_training(named: Named, checkpoints: dict[str, TrainedModel]) -> None:
    grid = SuperpointConfig(method="grid", grid_cells=5)
    found = named(checkpoints["s4token"]._replace(trained=Trained(superpoints={"object": grid})), auto=True)
    [settings] = found.about["superpoints"].values()
    assert (settings["method"], settings["grid_cells"]) == ("grid", 5)


def test_a_cloud_that_cannot_be_read_or_has_changed_is_told_and_the_others_are_named(
    named: Named, checkpoints: dict[str, TrainedModel], tmp_path: Path
) -> None:
    cut_into_octants(Shapes(), tmp_path)
    keys = Shapes().keys
    found = named(checkpoints["s4token"], Shapes(broken=keys[1], changed=keys[4]))
    assert [each.key for each in found.failures] == [keys[1], keys[4]]
    assert "is broken" in found.failures[0].reason
    assert "before it changed" in found.failures[1].reason
    assert len(found.answers) == 6
    for checkpoint in (None, checkpoints["knn"]):
        with pytest.raises(InputError, match=f"none of 8 clouds can be classified: {keys[0]} is broken"):
            named(checkpoint, Shapes(broken="all"))


def test_a_dataset_without_categories_needs_labels(
    clip: FrozenClip, checkpoints: dict[str, TrainedModel], tmp_path: Path
) -> None:
    scans = ToyScans(sizes=(1, 0, 0))
    features = open_whole_features(scans, tmp_path, clip, checkpoints["knn"])
    with pytest.raises(UsageError, match="toy-scans has no categories"):
        classify(scans, features, clip, load_prompts("clip"))
