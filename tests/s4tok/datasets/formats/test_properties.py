from s4tok.datasets.formats.properties import parse_properties


def test_names_and_values_are_read_as_java_writes_them() -> None:
    lines = [
        "# a comment = nothing",
        "! another",
        "",
        "name#1=Bill 10\\u20ac",
        "  width#1 : 12.7",
        "tags one, \\",
        "    two",
        "path\\ with\\=signs=C\\:\\\\tmp",
        "empty#1=",
    ]
    assert parse_properties(lines) == {
        "name#1": "Bill 10€",
        "width#1": "12.7",
        "tags": "one, two",
        "path with=signs": "C:\\tmp",
        "empty#1": "",
    }
