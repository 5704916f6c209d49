from s4tok_cli.provenance import in_words

ABOUT = {
    "dataset": "toy-scans", "split": "val", "files": None, "scene": "room", "up": "z",
    "checkpoint": {"name": "universal", "card": {}}, "vision_model": {"name": "mini"},
    "prompts": {"name": "mini", "sha256": "a9206db2ffff"}, "superpoints": {"superpoints-1": {"method": "grid"}},
}  # fmt: skip


def test_a_datasets_clouds_are_named_by_its_split_and_own_files_by_their_names_and_what_was_assumed() -> None:
    assert (
        in_words(ABOUT, 15) == "15 clouds of toy-scans val; checkpoint universal, texts encoded by mini, prompts of "
        "mini, superpoints by grid"
    )
    taught = {**ABOUT, "checkpoint": {"name": "mine", "card": {"learned_labels": {"homes": ["bed"], "offices": []}}}}
    assert "checkpoint mine (which has learned labels of homes and offices), texts" in in_words(taught, 15)
    own = {**ABOUT, "files": "chair.ply", "scene": "object", "unit": None, "checkpoint": None}
    assert in_words(own, 1) == (
        "chair.ply: taken for an object (else --room) of any unit, z up (else --up); 2D features of mini, prompts of "
        "mini, superpoints by grid"
    )
    several = {**own, "files": "a.ply, b.ply, c.ply", "scene": "room", "unit": "cm"}
    several["up"] = {"a.ply": "y", "b.ply": "z", "c.ply": "z"}
    assert "taken for rooms (else --object) in cm (else --unit), z (2), y (1) up (else --up);" in in_words(several, 3)
