"""Xbox's XML: Achievements2017 with the Localization that holds its texts.

The key is AchievementId, the id by which a game unlocks on Xbox. Texts are named by id and come from a
Localization file in the same zip; without one, names stay unsaid.
No document type is accepted, so there are no entities to expand or fetch.
Source: Microsoft GDK documentation, "Achievements 2017" configuration.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from achievements.formats import foreign
from achievements.formats.archive import Files
from achievements.formats.document import Collector, ImportedFile, Unreadable

_MAX_DEPTH: Final = 32
# An element takes a few hundred bytes of memory and four of the file.
_MAX_ELEMENTS: Final = 200_000
_NAMESPACE_SEPARATOR = " "


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list["_Element"] = field(default_factory=list)

    def all(self, name: str) -> Iterator["_Element"]:
        return (child for child in self.children if child.name == name)

    def text_of(self, name: str) -> str:
        return next((child.text.strip() for child in self.all(name)), "")


def read(files: Files) -> ImportedFile:
    """Read the achievements and their texts; rows are counted from 1 in the order of the files.

    Raises: Unreadable when no file lists achievements.
    """
    achievements: list[_Element] = []
    strings: dict[str, dict[str, object]] = {}
    for body in files.values():
        root = _parse(body)
        achievements += root.all("Achievement")
        if root.name == "Localization":
            _read_strings(root, strings)
    if not achievements:
        raise Unreadable(
            "No achievements are listed: give the Achievements2017 file, zipped with its Localization."
        )
    found = Collector()
    default = foreign.default_language(strings.values())
    for row, element in enumerate(achievements, start=1):
        found.add(row, element.text_of("AchievementId"), _values(element, strings, default))
    return found.result()


def _values(element: _Element, strings: dict[str, dict[str, object]], default: str) -> dict[str, object]:
    names = strings.get(element.text_of("AchievementNameId"), {})
    unlocked = strings.get(element.text_of("UnlockedDescriptionId"), {})
    locked = strings.get(element.text_of("LockedDescriptionId"), {})
    rewards = next(element.all("Rewards"), element)
    return {
        **foreign.in_languages(names, locked | unlocked, default),
        "hidden": foreign.flag(element.text_of("IsHidden")),
        "points": foreign.number(rewards.text_of("Gamerscore")),
        "sort_order": foreign.number(element.text_of("DisplayOrder")),
    }


def _read_strings(root: _Element, strings: dict[str, dict[str, object]]) -> None:
    default = next((e.attributes.get("locale", "") for e in root.all("DevDisplayLocale")), "")
    for string in root.all("LocalizedString"):
        texts = strings.setdefault(string.attributes.get("id", ""), {})
        for value in string.all("Value"):
            locale = value.attributes.get("locale", "")
            texts["default" if locale == default else locale] = value.text


def _parse(body: bytes) -> _Element:
    parser = expat.ParserCreate(namespace_separator=_NAMESPACE_SEPARATOR)
    tree = _Tree()
    parser.StartDoctypeDeclHandler = tree.refuse_document_type
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.characters
    # Text in one piece: otherwise each line of it is a call and a copy.
    parser.buffer_text = True
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as problem:
        if isinstance(problem, Unreadable):
            raise
        raise Unreadable(f"The file is not XML ({problem}): correct it.") from None
    return tree.root.children[0]


class _Tree:
    """What expat calls while it reads: builds elements within bounds."""

    def __init__(self) -> None:
        self.root = _Element("", {})
        self._open = [self.root]
        self._texts: list[list[str]] = [[]]
        self._count = 0

    def refuse_document_type(self, *_: object) -> None:
        raise Unreadable("The file has a document type (<!DOCTYPE …>): take it out.")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) > _MAX_DEPTH or self._count > _MAX_ELEMENTS:
            raise Unreadable("The file is nested too deeply or holds too many elements: split it.")
        element = _Element(name.rpartition(_NAMESPACE_SEPARATOR)[2], attributes)
        self._open[-1].children.append(element)
        self._open.append(element)
        self._texts.append([])

    def end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def characters(self, data: str) -> None:
        self._texts[-1].append(data)
