"""What holds in any store: texts, icons, windows, what can't be reached, and how the game begins."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from achievements.linting.findings import Entry, Finding
from achievements.linting.findings import gettext_noop as _

_MOST_HIDDEN: Final = 0.5
_FEW: Final = 6  # with fewer, a share says nothing
# As rarity's tiers have it (achievements/rules.py): what more than half of the players have is common.
_COMMON_PERCENT: Final = 50
_SPACES: Final = re.compile(r"^\s|\s$|  ", re.ASCII)


def descriptions(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find what tells nobody how it is reached."""
    keys = tuple(one.key for one in entries if not one.description)
    if keys:
        text = _("There is no description: say in a sentence what a player does for it.")
        yield Finding("missing-description", "warning", text, keys=keys)


def names(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find names that two have, however they are written."""
    for name, keys in doubles((one.name, one.key) for one in entries):
        text = _("More than one is called “%(name)s”: give each a name of its own.")
        yield Finding("duplicate-name", "warning", text, {"name": name}, keys)


def spaces(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find spaces that nobody sees and stores keep."""
    keys = tuple(
        one.key
        for one in entries
        if any(_SPACES.search(text) for both in one.texts.values() for text in both)
    )
    if keys:
        text = _("A text begins or ends with a space, or has two in a row: take them out.")
        yield Finding("stray-spaces", "hint", text, keys=keys)


def translations(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find languages that the game has begun to be translated into and that are not complete."""
    for language in sorted({language for one in entries for language in one.translations}):
        lacking = tuple(one.key for one in entries if not _is_translated(one, language))
        if lacking:
            done = len(entries) - len(lacking)
            values = {
                "language": language,
                "done": done,
                "all": len(entries),
                "percent": 100 * done // len(entries),
            }
            text = _("%(language)s covers %(done)s of %(all)s (%(percent)s%%): translate the other ones.")
            yield Finding("missing-translation", "warning", text, values, lacking)


def _is_translated(entry: Entry, language: str) -> bool:
    name, description = entry.translations.get(language, ("", ""))
    return bool(name) and (bool(description) or not entry.description)


def icons(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find achievements without an icon, and icons that fade into the page."""
    keys = tuple(one.key for one in entries if not one.icon)
    if keys:
        text = _("There is no icon: upload a picture of 256 × 256 pixels.")
        yield Finding("missing-icon", "warning", text, keys=keys)
    faint = {
        "light": _("On the light theme the icon fades into the page: give it a darker ground, or an edge."),
        "dark": _("On the dark theme the icon fades into the page: give it a lighter ground, or an edge."),
    }
    for theme, text in faint.items():
        keys = tuple(one.key for one in entries if one.poor_on == theme)
        if keys:
            yield Finding("icon-contrast", "warning", text, {"theme": theme}, keys)


def hidden(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find a list that shows hardly anything to play for."""
    keys = tuple(one.key for one in entries if one.hidden)
    if len(entries) >= _FEW and len(keys) > _MOST_HIDDEN * len(entries):
        values = {"hidden": len(keys), "all": len(entries)}
        text = _(
            "%(hidden)s of %(all)s are hidden: show those that spoil nothing, so that players see a goal."
        )
        yield Finding("mostly-hidden", "warning", text, values, keys)


def windows(entries: Sequence[Entry], at: datetime) -> Iterator[Finding]:
    """Find what nobody can get any more."""
    keys = tuple(one.key for one in entries if one.state == "published" and one.is_over(at))
    if keys:
        text = _("Its time is over, and players still see it: archive it, or let it return.")
        yield Finding("window-over", "warning", text, keys=keys)


def metas(entries: Sequence[Entry], gone: Iterable[str], at: datetime) -> Iterator[Finding]:
    """Find metas that ask for more than can be had: of what is archived, a draft, over, or out of reach itself."""
    closed = _closed(entries, gone, at)
    keys = tuple(
        one.key for one in entries if one.type == "meta" and one.state == "published" and one.key in closed
    )
    if keys:
        text = _(
            "It requires achievements that are archived, drafts or over, so nobody new can get it: take them out of its"
            " list, or ask for fewer."
        )
        yield Finding("unreachable-meta", "error", text, keys=keys)


def _closed(entries: Sequence[Entry], gone: Iterable[str], at: datetime) -> set[str]:
    """Return what nobody new can get; a meta closes with what it requires, and so on upwards."""
    closed = {*gone, *(one.key for one in entries if one.state != "published" or one.is_over(at))}
    left = [one for one in entries if one.type == "meta" and one.key not in closed]
    while more := {one.key for one in left if _open_count(one, closed) < _needed(one)}:
        closed |= more
        left = [one for one in left if one.key not in more]
    return closed


def _open_count(meta: Entry, closed: set[str]) -> int:
    return sum(key not in closed for key in meta.requires)


def _needed(meta: Entry) -> int:
    return meta.requires_count or len(meta.requires)


def beginnings(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find a game that gives a new player nothing; only where enough have played to tell."""
    known = [one.unlocked_percent for one in entries if one.unlocked_percent is not None]
    if len(known) >= _FEW and max(known) <= _COMMON_PERCENT:
        values = {"percent": f"{max(known):g}"}
        text = _(
            "The most common one is held by %(percent)s%% of players: add one that everybody meets early."
        )
        yield Finding("no-easy-one", "warning", text, values)


def doubles(texts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each text that more than one key has, as it is written first, with the keys; empty ones are none."""
    found: Mapping[str, list[tuple[str, str]]] = defaultdict(list)
    for text, key in texts:
        found[unicodedata.normalize("NFKC", text).casefold().strip()].append((text, key))
    for same, both in found.items():
        if same and len(both) > 1:
            yield both[0][0], tuple(key for _text, key in both)
