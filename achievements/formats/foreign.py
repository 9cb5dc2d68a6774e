"""How other platforms' loose values become ours: numbers as text, "0" as false, a text in many languages."""

from collections.abc import Iterable, Mapping

from achievements.formats.document import UNSET, Absent

_TRUE = frozenset({"1", "true", "yes"})
_FALSE = frozenset({"0", "false", "no"})
# The names under which a file gives the text that players of no listed language see; the first found wins.
_DEFAULTS = ("default", "english", "en", "en-US", "en_US", "en-GB", "en_GB")
# Entries beside the languages that are none: Steam's name of the string.
_NOT_LANGUAGES = frozenset({"token"})

# A longer number is out of every range, and int() of 5,000 digits raises.
_MOST_DIGITS = 20

Texts = Mapping[str, object]


def text(value: object) -> object:
    """Return text for a string or an integer, UNSET for nothing; anything else unchanged, to be refused."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return UNSET
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def flag(value: object) -> object:
    """Return a bool for `"0"`, `0`, `false`, `"True"` and their like, UNSET for nothing, else the value."""
    if value is None or value == "":
        return UNSET
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    return value


def number(value: object) -> object:
    """Return an int for plain ASCII digits, UNSET for nothing; anything else unchanged, to be refused."""
    if value is None or value == "":
        return UNSET
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        return int(value)
    return value


def icon(value: object) -> object:
    """Return an icon's address, or UNSET where the file gives a picture's name, which has no address yet."""
    if isinstance(value, str) and value.lower().startswith(("http://", "https://")):
        return value
    return UNSET


def default_language(texts: Iterable[Texts]) -> str:
    """Return the language of a file whose texts become names and descriptions; "" where there is none."""
    codes = dict.fromkeys(code for in_each in texts for code in in_each if code not in _NOT_LANGUAGES)
    return next((code for code in _DEFAULTS if code in codes), next(iter(codes), ""))


def in_languages(names: Texts, descriptions: Texts, default: str) -> dict[str, object]:
    """Return name, description and translations from one text for each language.

    The texts in the default language become name and description; the others become translations. Empty texts
    say nothing.
    """
    codes = [code for code in dict.fromkeys([*names, *descriptions]) if code not in _NOT_LANGUAGES]
    translations = {c: _said(names.get(c), descriptions.get(c)) for c in codes if c != default}
    translations = {code: said for code, said in translations.items() if said}
    return {
        "name": text(names.get(default)),
        "description": text(descriptions.get(default)),
        "translations": translations or UNSET,
    }


def _said(name: object, description: object) -> dict[str, object]:
    said = {"name": text(name), "description": text(description)}
    return {field: value for field, value in said.items() if not isinstance(value, Absent)}
