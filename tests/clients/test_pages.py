"""What the guides for users show is what stands in files, and what they lead to is there."""

import re
from pathlib import Path

import pytest

from config.children import BASE_DIR

GUIDES = BASE_DIR / "docs" / "guides"
EXAMPLES = sorted((GUIDES / "examples").iterdir())
PAGES = sorted(GUIDES.glob("*.md"))
_SHOWN = re.compile(r"\[`examples/([^`]+)`\]\(examples/[^)]+\)[^\n]*\n\n```\w+\n(.*?)```\n", re.DOTALL)
_LINK = re.compile(r"\]\((?!https?://)([^)#]+)")


def test_the_page_shows_each_example_as_it_is() -> None:
    shown = dict(_SHOWN.findall((GUIDES / "integrate.md").read_text()))
    assert sorted(shown) == [example.name for example in EXAMPLES]
    for example in EXAMPLES:
        assert shown[example.name] == example.read_text(), f"copy {example.name} into the page"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_guide_leads_to_what_is_there(page: Path) -> None:
    missing = [target for target in _LINK.findall(page.read_text()) if not (page.parent / target).exists()]
    assert missing == []


def test_each_guide_stands_in_the_index() -> None:
    listed = set(_LINK.findall((GUIDES / "README.md").read_text()))
    assert {page.name for page in PAGES} - listed == {"README.md"}
