"""Wavefront MTL: of each material its diffuse colour, how opaque it is, and the picture painted on it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

UNNAMED = (0.8, 0.8, 0.8)  # of a material that gives no diffuse colour


@dataclass(frozen=True)
class Material:
    """What a surface looks like, lights aside."""

    color: tuple[float, float, float] = UNNAMED  # 0 .. 1
    opacity: float = 1.0
    picture: str = ""  # the file of its texture, as the material names it


def parse_mtl(lines: Iterable[str]) -> dict[str, Material]:
    """Read the lines of an MTL file; what is no number leaves the default, for a colour is no reason to refuse."""
    materials: dict[str, Material] = {}
    name = ""
    for line in lines:
        keyword, rest = (*line.split(None, 1), "", "")[:2]
        rest = rest.strip()
        if keyword == "newmtl":
            name = rest
            materials[name] = Material()
        elif name and keyword == "map_Kd":
            materials[name] = replace(materials[name], picture=rest)
        elif name and keyword in ("Kd", "d"):
            try:
                numbers = [min(max(float(word), 0.0), 1.0) for word in rest.split()]
            except ValueError:
                continue
            if keyword == "d" and numbers:
                materials[name] = replace(materials[name], opacity=numbers[0])
            elif keyword == "Kd" and len(numbers) >= 3:
                materials[name] = replace(materials[name], color=(numbers[0], numbers[1], numbers[2]))
    return materials
