"""The bill of materials names what is locked and what is served, by CycloneDX's own schema."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from config.children import BASE_DIR
from tests import materials

# What software under the Apache licence may use and serve; another one is looked at before it is written here.
_WELCOME = re.compile(
    r"^(MIT(-0|-CMU)?|ISC|0BSD|((New|3-Clause) )?BSD([- ][23][- ]Clause|[- ]License)?|Apache([ -]2\.0)?|PSF-2\.0"
    r"|MPL-2\.0|LGPL-3\.0-only|OFL-1\.1)$"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("bill") / "laurel.cdx.json"
    subprocess.run([sys.executable, "-m", "tests.materials", str(file)], cwd=BASE_DIR, check=True)
    return file.read_text()


@pytest.fixture
def parts(written: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(written)["components"]
    return found


@pytest.mark.slow
def test_the_bill_is_valid(written: str) -> None:
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(written)
    assert wrong is None, wrong


def test_everything_that_is_locked_is_in_it_with_its_hashes(parts: list[dict[str, Any]]) -> None:
    lock = (BASE_DIR / "requirements.txt").read_text()
    listed = {part["name"]: part for part in parts if part["purl"].startswith("pkg:pypi/")}
    pinned = re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", lock, re.MULTILINE)
    assert {name: part["version"] for name, part in listed.items()} == dict(pinned)
    hashed = sum(len(part["externalReferences"][0]["hashes"]) for part in listed.values())
    assert hashed == lock.count("--hash=sha256:")


def test_everything_that_is_vendored_is_in_it_and_its_licence_lies_beside_it(
    parts: list[dict[str, Any]],
) -> None:
    listed = [part for part in parts if part["purl"].startswith("pkg:npm/")]
    assert all(part["licenses"] for part in listed)
    files = [BASE_DIR / file["name"] for part in listed for file in part["components"]]
    there = [file for file in materials.VENDOR.rglob("*") if file.is_file() and file.name != "README.md"]
    assert sorted(files) == sorted(there)
    for folder in {file.parent for file in files}:
        text = (folder / "LICENSE").read_text()
        assert "Copyright" in text, folder
        assert "Permission is hereby granted" in text or "SIL OPEN FONT LICENSE" in text.upper(), folder


def test_every_licence_is_one_that_was_looked_at(parts: list[dict[str, Any]]) -> None:
    unknown = {
        f"{part['name']}: {said}"
        for part in parts
        for said in _said(part)
        if not all(_WELCOME.match(one) for one in re.split(r" AND | OR |[()]+", said) if one.strip())
    }
    assert unknown == set()


def _said(part: dict[str, Any]) -> list[str]:
    found = part.get("licenses", [])
    return [
        one.get("expression") or one["license"].get("id") or one["license"].get("name", "") for one in found
    ]


def test_a_line_that_pins_nothing_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="no pinned requirement"):
        list(materials.packages("django>=5"))
