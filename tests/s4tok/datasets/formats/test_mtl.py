from s4tok.datasets.formats.mtl import UNNAMED, Material, parse_mtl


def test_colour_opacity_and_picture_of_each_material_are_read() -> None:
    text = """# by hand
    Kd 1 0 0
    newmtl wood oak
    Kd 0.5 0.25 2
    d 0.5
    map_Kd -not really/wood 1.jpg
    newmtl glass
    Tr 0.5
    Kd spectral file.rfl
    """
    assert parse_mtl(text.splitlines()) == {
        "wood oak": Material((0.5, 0.25, 1.0), 0.5, "-not really/wood 1.jpg"),
        "glass": Material(UNNAMED, 1.0, ""),
    }
