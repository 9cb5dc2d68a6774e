"""The portal's texts in other languages: whole, compiled, and of what the sources say."""

import re
import shutil
from collections import Counter
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

LOCALE = Path(settings.BASE_DIR) / "locale"
CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))
_PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd%]|%\([a-z_]+\)0?[0-9]*[sd]|\{[a-z_0-9]*\}")
_TAG = re.compile(r"</?[a-z0-9]+")
_SOURCES = ("*.py", "*.html", "*.txt")


def _entries(path: Path) -> list[polib.POEntry]:
    return [one for one in polib.pofile(str(path)) if not one.obsolete]


def _keys(path: Path) -> set[tuple[str | None, str, str]]:
    return {(one.msgctxt, one.msgid, one.msgid_plural) for one in _entries(path)}


def _texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_every_language_that_is_offered_has_its_texts() -> None:
    offered = {code for code, _ in settings.LANGUAGES} - {settings.LANGUAGE_CODE}
    assert {path.parts[-3] for path in CATALOGUES} == offered


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_catalogue_is_compiled(path: Path) -> None:
    """`make messages` does it; nobody needs gettext to run Laurel."""
    compiled = {
        (one.msgctxt, one.msgid, one.msgid_plural): _texts(one)
        for one in polib.mofile(str(path.with_suffix(".mo")))
    }
    assert compiled == {(one.msgctxt, one.msgid, one.msgid_plural): _texts(one) for one in _entries(path)}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_no_text_is_missing_or_guessed(path: Path) -> None:
    assert not [one.msgid for one in _entries(path) if one.fuzzy or not all(_texts(one))]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_text_has_the_places_and_tags_of_the_english_one(path: Path) -> None:
    def shape(text: str) -> tuple[Counter[str], Counter[str]]:
        return Counter(_PLACEHOLDER.findall(text)), Counter(_TAG.findall(text))

    wrong = []
    for one in _entries(path):
        known = [shape(one.msgid), shape(one.msgid_plural or one.msgid)]
        wrong += [text for text in _texts(one) if shape(text) not in known]
    assert not wrong


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("xgettext") is None, reason="GNU gettext is not installed")
@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_text_of_the_sources_is_in_the_catalogue(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a copy: `makemessages` writes beside the templates."""
    language = path.parts[-3]
    for room in filter(_is_room, Path(settings.BASE_DIR).iterdir()):
        shutil.copytree(
            room,
            tmp_path / room.name,
            ignore=lambda folder, names: [one for one in names if not _is_source(Path(folder) / one)],
        )
    copy = tmp_path / "locale" / language / "LC_MESSAGES"
    copy.mkdir(parents=True)
    shutil.copy(path, copy)
    monkeypatch.chdir(tmp_path)
    with override_settings(LOCALE_PATHS=[tmp_path / "locale"]):
        call_command("makemessages", locale=[language], no_obsolete=True, verbosity=0)
    assert _keys(copy / path.name) == _keys(path), "run `make messages` and translate what is new"


def _is_room(path: Path) -> bool:
    is_code = (path / "__init__.py").exists() and path.name not in ("tests", "bench")
    return is_code or path.name == "templates"


def _is_source(path: Path) -> bool:
    return path.is_dir() or any(path.match(pattern) for pattern in _SOURCES)
