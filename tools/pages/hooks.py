"""What MkDocs asks for while it builds the site (`hooks` in mkdocs.yml): pages that are made, links that are turned.

A page may hold `<!-- made: NAME -->` where a part of it is made: the commands, the library, the checkpoints.
"""

import re
from collections.abc import Callable

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import s4tok
from s4tok.config import SHIPPED_FOLDER
from tools.pages.checkpoint_pages import checkpoint_table, score_table
from tools.pages.command_pages import command_pages, command_table
from tools.pages.links import ROOT, brought_in, rewritten
from tools.pages.notebook_pages import notebook_page

COMMANDS = "commands"  # the folder of made pages; an entry of the navigation with this name lists them
MADE = re.compile(r"<!-- made: (?P<name>\w+) -->")


def library() -> str:
    """List the names of the library's face, for mkdocstrings to document."""
    return "\n\n".join(f"::: s4tok.{name}" for name in s4tok.__all__ if not name.startswith("_"))


PARTS: dict[str, Callable[[], str]] = {
    "checkpoints": lambda: checkpoint_table(SHIPPED_FOLDER),
    "commands": command_table,
    "library": library,
    "scores": lambda: score_table(SHIPPED_FOLDER),
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each command and each notebook, and what pages link to from outside `docs/`."""
    pages = {f"{COMMANDS}/{name}.md": text for name, text in command_pages().items()}
    for file in [each for each in files if each.src_uri.endswith(".ipynb")]:
        page = notebook_page(ROOT / "docs" / file.src_uri)
        folder = file.src_uri.rpartition("/")[0]
        pages[file.src_uri.replace(".ipynb", ".md")] = page.text
        for name, picture in page.pictures.items():
            files.append(File.generated(config, f"{folder}/{name}", content=picture))
    for address, text in pages.items():
        files.append(File.generated(config, address, content=text))
    for address, path in brought_in([each.src_uri for each in files]).items():
        files.append(File.generated(config, address, abs_src_path=str(path)))
    config.nav = _listed(config.nav, list(pages))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in what is made, and turn links."""
    return rewritten(MADE.sub(lambda found: PARTS[found["name"]](), markdown), page.file.src_uri)


def _listed(nav: list[object] | None, pages: list[str]) -> list[object] | None:
    """Put the commands' pages where the navigation says `commands/`."""
    listed: list[object] = []
    for entry in nav or []:
        if isinstance(entry, dict):
            entry = {title: _listed(each, pages) if isinstance(each, list) else each for title, each in entry.items()}
        listed += [page for page in pages if page.startswith(entry)] if entry == f"{COMMANDS}/" else [entry]
    return listed
