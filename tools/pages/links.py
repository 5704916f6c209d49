"""Links between pages that are right in the repository, made right on the site, whose root is `docs/`.

A page of the site has an address: its path below `docs/`, or for what lies elsewhere (CONTRIBUTING.md, the cards of
checkpoints) its path in the repository. What a page links to from outside `docs/` is brought in under that address.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = "docs/"
LINK = re.compile(r"\]\((?P<target>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")


def brought_in(addresses: Iterable[str]) -> dict[str, Path]:
    """Find what pages link to from outside `docs/`, and what those pages link to in turn: address -> file."""
    found: dict[str, Path] = {}
    todo = [address for address in addresses if address.endswith(".md")]
    while todo:
        address = todo.pop()
        path = found.get(address, ROOT / DOCS / address)
        if not path.is_file():
            continue  # a page that is made
        for target in targets(path.read_text(encoding="utf-8"), place_of(address)):
            if not target.startswith(DOCS) and target not in found and (ROOT / target).is_file():
                found[target] = ROOT / target
                todo += [target] if target.endswith(".md") else []
    return found


def targets(text: str, place: str) -> Iterator[str]:
    """Give the paths in the repository that a page's relative links name."""
    for link in LINK.finditer(text):
        yield resolved(place, link["target"])


def rewritten(text: str, address: str) -> str:
    """Turn links between places in the repository into links between addresses of the site."""

    def turn(link: re.Match[str]) -> str:
        target = resolved(place_of(address), link["target"])
        if not (ROOT / target).is_file():
            return link[0]
        return f"]({posixpath.relpath(address_of(target), posixpath.dirname(address))}{link['anchor'] or ''})"

    return LINK.sub(turn, text)


def place_of(address: str) -> str:
    """Give the path in the repository of what has this address."""
    inside = f"{DOCS}{address}"
    return inside if (ROOT / inside).exists() or not (ROOT / address).exists() else address


def address_of(place: str) -> str:
    """Give the address on the site of a path in the repository; a notebook is a page there."""
    return re.sub(r"\.ipynb$", ".md", place.removeprefix(DOCS))


def resolved(place: str, target: str) -> str:
    """Follow a relative link from a path."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
