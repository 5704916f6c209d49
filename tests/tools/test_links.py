import pytest

from tools.pages.links import brought_in, rewritten


@pytest.mark.parametrize(
    ("address", "link", "turned"),
    [
        ("segment.md", "zero-shot.md#prompts", "zero-shot.md#prompts"),
        ("segment.md", "../CONTRIBUTING.md", "CONTRIBUTING.md"),
        ("results/students.md", "../../s4tok/mini_students/README.md", "../s4tok/mini_students/README.md"),
        ("s4tok/mini_students/README.md", "../../docs/reproduce.md", "../../reproduce.md"),
        ("s4tok/mini_students/README.md", "../mini_clip/README.md", "../mini_clip/README.md"),
        ("CHANGELOG.md", "docs/homes.md", "homes.md"),
        ("quickstart.md", "tutorials/points-to-labels.ipynb", "tutorials/points-to-labels.md"),
        ("commands.md", "commands/segment.md", "commands/segment.md"),  # a page that is made
    ],
)
def test_a_link_that_is_right_in_the_repository_is_right_on_the_site(address: str, link: str, turned: str) -> None:
    assert rewritten(f"see [this]({link}) and [that](https://example.org/a.md)", address) == (
        f"see [this]({turned}) and [that](https://example.org/a.md)"
    )


def test_what_pages_link_to_outside_docs_comes_along_and_what_that_links_to() -> None:
    found = brought_in(["checkpoints.md"])
    assert {"CONTRIBUTING.md", "s4tok/mini_students/README.md", "s4tok/mini_clip/README.md"} <= set(found)
    assert not any(address.startswith("docs/") for address in found)
    assert all(path.is_file() for path in found.values())
