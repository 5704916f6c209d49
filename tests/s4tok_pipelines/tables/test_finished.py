import json
from pathlib import Path

from s4tok.synthetic.datasets import ToyShapes
from s4tok_pipelines.tables.finished import finished


def test_results_of_a_study_are_read_by_row_seed_and_dataset(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    for name, facts in (
        ("knn-10-test", {"dataset": "toy-shapes", "split": "test", "miou_i": 0.3}),
        ("knn-2-test", {"dataset": "toy-shapes", "split": "test", "miou_i": 0.2, "clouds": 398, "failed": 2}),
        ("knn-3-test", {"dataset": "toy-scans", "split": "test", "miou_i": 0.9}),
        ("knn-4-test", {"dataset": "toy-shapes", "split": "test", "miou_i": 0.9, "clouds": 150}),
        ("knn-0-val", {"dataset": "toy-shapes", "split": "val", "miou_i": 0.9}),
        ("knn+rpn-0-test", {"dataset": "toy-shapes", "split": "test", "miou_i": 0.9}),
    ):
        (tmp_path / "results" / f"{name}.json").write_text(json.dumps({"clouds": 400, **facts}))
    clouds = ToyShapes("test")
    assert [facts["miou_i"] for facts in finished(tmp_path, "knn", clouds, ["miou_i", "miou_c"])] == [0.2, 0.3]
    assert finished(tmp_path, "knn", clouds, ["ap25"]) == []
    assert finished(tmp_path, None, clouds, ["miou_i"]) == finished(None, "knn", clouds, ["miou_i"]) == []
