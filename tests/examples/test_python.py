"""The examples in Python, run as they stand."""

from pathlib import Path

from tests.running import Run

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_tokens_go_into_a_transformer_of_ones_own_and_gradients_come_back(python: Run) -> None:
    done = python(EXAMPLES / "tokens_for_your_vit.py")
    assert done.returncode == 0, done.stderr
    assert "(4, 2048, 3) points -> (4, 64, 192) tokens -> (4, 64, 192) features" in done.stdout
    assert "gradient reaches the tokenizer: True" in done.stdout


def test_an_array_of_ones_own_becomes_a_cloud(python: Run) -> None:
    done = python(EXAMPLES / "your_own_points.py")
    assert done.returncode == 0, done.stderr
    assert "plane: 1250 points, 10 units across" in done.stdout


def test_arrays_get_labels_a_class_and_features(python: Run, tmp_path: Path) -> None:
    done = python(EXAMPLES / "labels_from_python.py")
    assert done.returncode == 0, done.stderr
    assert "a cloud is classified as airplane" in done.stdout
    assert "8192 points: wing " in done.stdout
    assert "64 tokens, features of 256 numbers a point" in done.stdout
    assert (tmp_path / "airplane.ply").stat().st_size > 200_000
