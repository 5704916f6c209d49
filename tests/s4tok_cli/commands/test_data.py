from pathlib import Path

import numpy as np
import pytest

from tests.furniture import wardrobes
from tests.running import Run


def test_check_exits_4_and_names_the_first_offending_file_and_line(s4tok: Run, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "good.xyz", np.random.default_rng(0).random((5, 3)))
    whole = s4tok("data", "check", "good.xyz", "--json")
    assert whole.returncode == 0
    assert whole.json["ok"] is True
    (tmp_path / "bad.xyz").write_text("0 0 0\n1 1 eins\n")
    broken = s4tok("data", "check", "--source", tmp_path)
    assert broken.returncode == 4
    assert "bad.xyz:2: 'eins' is not a number." in broken.stderr
    assert "1 problem" in broken.stdout
    told = s4tok("data", "check", tmp_path, "--json").json
    assert told["ok"] is False
    assert told["clouds"] == 2
    assert [(finding["line"], finding["severity"]) for finding in told["findings"]] == [(2, "problem")]


def test_ls_lists_every_known_name_and_where_it_is(s4tok: Run, tmp_path: Path) -> None:
    (tmp_path / "d" / "ShapeNet55-34" / "shapenet_pc").mkdir(parents=True)
    listed = s4tok("data", "ls", "--data-root", "d")
    assert listed.returncode == 0
    assert "shapenet55" in listed.stdout
    assert "Point-BERT" not in listed.stderr
    told = s4tok("data", "ls", "--json", S4TOK_DATA="d").json
    datasets = {each["name"]: each for each in told["datasets"]}
    assert datasets["shapenet55"]["layout"] == "point-bert"
    assert "the list of this split is not there" in datasets["shapenet55"]["trouble"]
    assert datasets["modelnet40"]["path"] == ""


def test_make_writes_a_layout_that_check_then_reads_as_part_of_the_real_dataset(s4tok: Run, tmp_path: Path) -> None:
    made = s4tok("data", "make", "toy", "d/modelnet40", "--layout", "modelnet40", "--sizes", "15,0,15", "--json")
    assert made.returncode == 0
    clouds = made.json["clouds"]
    assert 0 < clouds <= 30  # ModelNet40 has no knife
    checked = s4tok("data", "check", "modelnet40", "--data-root", "d", "--partial", "--json").json
    assert (checked["ok"], checked["clouds"]) == (True, clouds)
    again = s4tok("data", "make", "toy", "d/modelnet40", "--layout", "modelnet40")
    assert again.returncode == 4
    assert "not empty" in again.stderr


def test_make_refuses_what_it_cannot_make_by_name(s4tok: Run) -> None:
    for words, told in (
        (("mars", "d"), "no kind is called 'mars'"),
        (("toy",), "neither OUT nor --picture"),
        (("toy", "d", "--sizes", "1,2"), "three whole numbers"),
        (("toy", "d", "--layout", "kitti"), "no layout is called 'kitti'"),
        (("home", "d", "--layout", "s3dis"), "no layout is called 's3dis'"),
        (("home", "--picture", "objects.png"), "home holds rooms alone"),
    ):
        refused = s4tok("data", "make", *words)
        assert refused.returncode == 2
        assert told in refused.stderr


@pytest.mark.slow
def test_make_writes_homes_with_made_furniture_where_there_is_no_other(s4tok: Run) -> None:
    made = s4tok("data", "make", "home", "d/homes", "--layout", "scannet", "--sizes", "1,1,1", "--json")
    assert made.returncode == 0, made.stderr
    assert made.json["clouds"] == 3
    checked = s4tok("data", "check", "scannet", "--data-root", "d", "--partial", "--json").json
    assert (checked["ok"], checked["clouds"]) == (True, 3)
    asked = s4tok("data", "check", "home-scans", "--data-root", "d")
    assert asked.returncode == 4
    assert "made as it is asked for" in asked.stderr


@pytest.mark.slow
def test_make_draws_objects_and_rooms(s4tok: Run, tmp_path: Path) -> None:
    done = s4tok("data", "make", "toy", "--picture", "shapes.png", "--rooms-picture", "rooms.png", "--json")
    assert done.returncode == 0, done.stderr
    assert done.json["rooms_picture"] == "rooms.png"
    for name in ("shapes.png", "rooms.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_fetch_exits_6_with_the_line_to_type_where_there_is_no_apt(s4tok: Run, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    missing = s4tok("data", "fetch", "sh3d", "--data-root", "d", PATH=str(tmp_path / "bin"))
    assert missing.returncode == 6
    assert "apt-get download sweethome3d-furniture && dpkg-deb -x sweethome3d-furniture_*.deb d/sh3d" in missing.stderr
    assert s4tok("data", "fetch", "scannet").returncode == 2


def test_credits_names_author_and_licence_of_each_model_in_the_catalogues_order(s4tok: Run, tmp_path: Path) -> None:
    wardrobes(tmp_path / "d" / "Scopia.sh3f", "small", "bed")
    wardrobes(tmp_path / "d" / "BlendSwap-CC-0.sh3f", "lamp")
    told = s4tok("data", "credits", "d", "--out", "o/credits.tsv", "--json").json
    assert told["clouds"] == 3
    lines = (tmp_path / "o" / "credits.tsv").read_text().splitlines()
    assert lines[0] == "key\tname\tauthor\tlicence\tsource"
    assert [line.split("\t")[:4] for line in lines[1:]] == [
        ["BlendSwap-CC-0/lamp", "lamp", "A. Maker", "CC0-1.0"],
        ["Scopia/small", "small", "A. Maker", "CC-BY-3.0"],
        ["Scopia/bed", "bed", "A. Maker", "CC-BY-3.0"],
    ]
    np.savetxt(tmp_path / "a.xyz", np.random.default_rng(0).random((5, 3)))
    nobody = s4tok("data", "credits", "a.xyz")
    assert nobody.returncode == 4
    assert "does not say who made" in nobody.stderr
