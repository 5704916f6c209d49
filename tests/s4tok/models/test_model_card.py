from s4tok.models.model_card import model_card

ABOUT = {
    "tokenizer": {"tokenizer": "ball+rpn", "n_points": 1024, "n_tokens": 32, "patch_size": 48},
    "clip": {"name": "mini", "weights": "62824041e4d31da3"},
    "point_features": {"kinds": ["rgb"]},
    "steps": 7,
    "of": 9,
}


def test_a_page_begins_with_the_header_that_a_hub_reads_and_says_the_first_facts() -> None:
    page = model_card(ABOUT)
    _, header, rest = page.split("---\n", 2)
    lines = header.splitlines()
    assert lines[0] == "library_name: s4tok"
    assert lines[1] == "tags:"
    assert all(line.startswith("- ") for line in lines[2:])
    for said in (
        "ball+rpn",
        "1024 points, 32 tokens of 48",
        "coordinates, rgb",
        "mini (weights 62824041e4d3)",
        "7 of 9",
    ):
        assert said in rest
    assert "s4tok.load(" in rest
