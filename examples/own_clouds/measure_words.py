"""Measure proposed names and rejection: `python examples/own_clouds/measure_words.py --split test`.

`--labels auto`: of toy objects (whose category is not told) and toy rooms, which share of the true names, those of at
least 1 % of the points, is proposed (recall), and which share of the proposed ones is true (precision).

`--unknown auto`: each true name is left out of the labels in turn. A point's doubt is by how much a word that means
none of the labels is nearer than they are. Printed are the area under the ROC curve of doubt, points of the name that
was left out against the others, the same for a low best cosine, and the shares of both that auto rejects. The built-in
words have the name that was left out among them, or (second line) not. Last, how much of each object is taken for a
unicorn, when that is the only label.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

import s4tok
from s4tok.config import DEFAULT_CHECKPOINT, SegmentConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.open import open_dataset
from s4tok.inference.cloud_encoder import CloudEncoder
from s4tok.inference.loading import Checkpoint
from s4tok.shapes import Array, Bool, Float
from s4tok.superpoints.methods import partition
from s4tok.zero_shot.classifier import mean_scores
from s4tok.zero_shot.found_names import SMALLEST
from s4tok.zero_shot.labelled import labelled
from s4tok.zero_shot.open_words import candidate_words, with_background
from s4tok.zero_shot.vocabulary import Words, label_vectors

MOST = 20_000  # points of a cloud that are ranked
CONFIG = SegmentConfig()


class Encoded(NamedTuple):
    """A cloud with the features of its points."""

    key: str
    category: str | None
    encoder: CloudEncoder
    loaded: Checkpoint
    superpoints: Array
    features: Array
    truth: Array  # the true name of each point
    classes: list[str]  # that its points may have

    def cosines(self, words: Words) -> Float[Array, "n w"]:
        """Give the cosine of each point with each word, by which names are proposed."""
        found: Array = self.features @ words.vectors.numpy().T
        return found

    def scores(self, words: Words) -> Float[Array, "n w"]:
        """Give what `segment` scores points by, calibrated as there."""
        found = self.cosines(words)
        if self.encoder.means is not None:
            share = self.encoder.config.calibration_share or 0.0
            found = found - share * mean_scores(self.encoder.means.features, words.vectors).numpy()
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="test")
    parser.add_argument("--objects", type=int, default=15, help="of toy-shapes, one of each category")
    parser.add_argument("--rooms", type=int, default=3, help="of toy-scans, and as many of toy-rooms")
    parser.add_argument("--checkpoint", default=DEFAULT_CHECKPOINT, help="name or run folder")
    chosen = parser.parse_args()
    loaded = s4tok.load(chosen.checkpoint, device="cpu")
    rows = defaultdict[tuple[str, str], list[list[float]]](list)
    for name, count in {"toy-shapes": chosen.objects, "toy-scans": chosen.rooms, "toy-rooms": chosen.rooms}.items():
        clouds = open_dataset(name, split=chosen.split)
        for each in encoded(clouds, count, loaded):
            rows[name, "auto"].append(_proposed(each, clouds))
            for has_word in (True, False):
                rows[name, f"rejection {has_word}"] += _rejected(each, has_word)
            if each.category is not None:
                rows[name, "unicorn"].append([_share_called(each, "unicorn")])
    for (name, kind), found in rows.items():
        print(f"{name}, {chosen.split}, {kind}: {np.nanmean(found, axis=0).round(3).tolist()} of {len(found)}")


def encoded(clouds: CloudDataset, count: int, loaded: Checkpoint) -> Iterator[Encoded]:
    """Encode some clouds as `segment` does."""
    encoder = CloudEncoder(loaded.trained_model, CONFIG, clouds.scene, clouds.up)
    for key in clouds.keys[:count]:
        cloud, number = clouds[key], clouds.category(key)
        assert cloud.labels is not None
        cut = partition(cloud, loaded.superpoints_of(clouds.scene)).astype(np.int64)
        category = None if number is None else clouds.categories[number]
        ids = range(len(clouds.classes)) if category is None else clouds.parts[category]
        names, truth = [clouds.classes[each] for each in ids], np.array([*clouds.classes, ""])[cloud.labels]
        yield Encoded(
            key, category, encoder, loaded, cut, np.asarray(encoder.embed(key, cloud, cut).points), truth, names
        )


def _names(each: Encoded) -> list[str]:
    """List the names of at least a share of the points."""
    names, counts = np.unique(each.truth, return_counts=True)
    return [str(name) for name, n in zip(names, counts, strict=True) if name and n >= SMALLEST * len(each.truth)]


def _proposed(each: Encoded, clouds: CloudDataset) -> list[float]:
    learned = each.loaded.trained_model.learned_words
    words = candidate_words(each.loaded.texts, each.loaded.prompts, clouds.scene, learned=learned)
    found = set(labelled(clouds[each.key], each.superpoints, words, each.cosines(words), CONFIG).names)
    right = found.intersection(_names(each))
    print(each.key, each.category, "true:", _names(each), "proposed:", sorted(found), flush=True)
    return [len(right) / max(len(found), 1), len(right) / len(_names(each))]


def _rejected(each: Encoded, has_word: bool) -> list[list[float]]:
    rows, scene = [], each.encoder.scene
    some = np.random.default_rng(0).permutation(len(each.truth))[:MOST]
    for name in _names(each):
        labels = [other for other in each.classes if other != name]
        if not labels or not set(labels).intersection(_names(each)):
            continue
        texts, prompts = each.loaded.texts, each.loaded.prompts
        names = labels if has_word else [*labels, name]  # what is a label is no word of the background
        vectors = label_vectors(names, texts, prompts, category=each.category, scene=scene)
        words = Words(tuple(names), np.arange(len(names)), vectors)
        words = with_background(words, texts, prompts, scene, each.category)
        kept = [row for row in range(len(words.vectors)) if row < len(labels) or row >= len(names)]
        words = words._replace(vectors=words.vectors[kept])
        scores, is_left_out = each.scores(words)[some], (each.truth == name)[some]
        best = scores[:, : len(labels)].max(axis=1)
        others = scores[:, len(labels) :]
        doubt = others.max(axis=1) - best if others.shape[1] else -best
        rows.append([
            _area(doubt, is_left_out), _area(-best, is_left_out), (doubt > 0)[is_left_out].mean(),
            (doubt > 0)[~is_left_out].mean(),
        ])  # fmt: skip
    return rows


def _share_called(each: Encoded, name: str) -> float:
    texts, prompts = each.loaded.texts, each.loaded.prompts
    words = Words((name,), np.arange(1), label_vectors([name], texts, prompts))
    scores = each.scores(with_background(words, texts, prompts, "object"))
    return float((scores[:, 0] >= scores[:, 1:].max(axis=1)).mean())


def _area(doubt: Float[Array, " n"], is_left_out: Bool[Array, " n"]) -> float:
    """Give the area under the ROC curve: how often a point that should be rejected is doubted more than another."""
    n_out = int(is_left_out.sum())
    above = rankdata(doubt)[is_left_out].sum() - n_out * (n_out + 1) / 2
    return float(above / (n_out * (len(doubt) - n_out)))


if __name__ == "__main__":
    main()
