"""The threat model names an answer and a test for each attack, and SECURITY.md what scanners find keys by."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from accounts import keys
from config.children import BASE_DIR

PAGE = BASE_DIR / "docs" / "threat-model.md"
_ID = re.compile(r"^[A-Z]\d+[a-z]?$")
# As pytest names them, so that a row can be copied to a shell.
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@dataclass(frozen=True)
class Row:
    """An attack, as the page tells of it."""

    id: str
    attack: str
    answer: str
    test: str


def rows() -> Iterator[Row]:
    """Yield the rows of all tables whose first column is `id`."""
    inside = False
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == "id":
            assert cells == ["id", "attack", "answer", "test"]
            inside = True
        elif inside and set(line) - set("|-: "):
            assert len(cells) == 4, f"not four cells: {line}"
            yield Row(*cells)


ROWS = list(rows())


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the names of the functions in a file."""
    path = Path(BASE_DIR / file)
    if not path.exists():
        return frozenset()
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_each_attack_has_an_answer_and_a_test_that_exists(row: Row) -> None:
    assert _ID.match(row.id)
    assert row.attack
    assert row.answer
    named = _TEST.findall(row.test)
    assert named, f"{row.id} names no test: write `tests/security/test_x.py::test_y`"
    for file, name in named:
        assert name in names_in(file), f"{row.id}: there is no {file}::{name}"


def test_each_attack_is_named_once_and_in_its_family() -> None:
    assert [name for name, times in Counter(row.id for row in ROWS).items() if times > 1] == []
    families = re.findall(r"^### ([A-Z]): ", PAGE.read_text(), re.MULTILINE)
    assert list(dict.fromkeys(row.id[0] for row in ROWS)) == families


def test_what_scanners_look_for_is_what_keys_look_like() -> None:
    page = (BASE_DIR / "SECURITY.md").read_text()
    found = re.search(r"^(\\blrl_sk_\S+)$", page, re.MULTILINE)
    assert found is not None
    scan = re.compile(found[1])
    for _ in range(50):
        key = keys.new_key()
        assert scan.search(f'token = "{key}"'), key
        assert keys.is_well_formed(key)
    assert not scan.search("lrl_sk_tooshort")
