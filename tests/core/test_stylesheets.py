"""The stylesheets: a browser reads on after a mistake and says nothing, so each is read here."""

import re
from collections import Counter
from pathlib import Path

import pytest

from config.children import BASE_DIR

SHEETS = sorted((BASE_DIR / "static").glob("*.css"))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_media_query_is_closed_before_the_next_begins(sheet: Path) -> None:
    depth = 0
    for number, line in enumerate(sheet.read_text().splitlines(), start=1):
        if line.startswith(("/*", "@media")):
            assert depth == 0, f"{sheet.name}:{number} begins inside another block"
        depth += line.count("{") - line.count("}")
    assert depth == 0


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_class_is_described_in_one_place(sheet: Path) -> None:
    described = Counter(re.findall(r"^(\.[\w-]+) \{", sheet.read_text(), re.MULTILINE))
    assert [name for name, times in described.items() if times > 1] == []
