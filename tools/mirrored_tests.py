"""Say which test files do not lie at the path of what they test: `make check` runs it.

tests/s4tok/losses/test_clusters.py tests s4tok/losses/clusters.py, and so may test_clusters_of_one_point.py. A test of
a whole package may bear the package's name; what tests none of the source roots (examples, torture, the house itself)
lies where it likes.
"""

import sys
from pathlib import Path

ROOTS = {
    "s4tok": "s4tok",
    "s4tok_cli": "s4tok_cli",
    "s4tok_pipelines": "pipelines/s4tok_pipelines",
    "s4tok_cache": "cache/s4tok_cache",
}


def strays(root: Path) -> list[str]:
    """List test files without a module, or a package, of their name at the mirrored path."""
    found = []
    for package, source in ROOTS.items():
        for path in sorted((root / "tests" / package).rglob("test_*.py")):
            place = path.relative_to(root / "tests" / package)
            words = place.stem.removeprefix("test_").split("_")
            names = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
            tested = root / source / place.parent
            homes = [home for name in names for home in (tested / f"{name}.py", tested / name / "__init__.py")]
            if not any(home.is_file() for home in homes) and tested.name != names[0]:
                found.append(f"{path.relative_to(root)} tests no {Path(source) / place.parent / names[0]}.py")
    return found


if __name__ == "__main__":
    if lost := strays(Path(__file__).parents[1]):
        sys.exit("\n".join(lost))
