"""What differs between two definitions, as pages show it: templates/components/diff.html."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from achievements.documents import PICTURES
from core.clock import parse_rfc3339
from core.wording import Piece, compare, replaced

LABELS: Final[dict[str, Promise]] = {
    "name": gettext_lazy("Name"),
    "description": gettext_lazy("Description"),
    "points": gettext_lazy("Points"),
    "type": gettext_lazy("Type"),
    "target": gettext_lazy("Target"),
    "stat": gettext_lazy("Stat"),
    "goal": gettext_lazy("Goal"),
    "requires": gettext_lazy("Requires"),
    "requires_count": gettext_lazy("How many of them"),
    "hidden": gettext_lazy("Hidden"),
    "authority": gettext_lazy("Who reports it"),
    "state": gettext_lazy("State"),
    "group": gettext_lazy("Group"),
    "sort_order": gettext_lazy("Place in the order"),
    "icon_url": gettext_lazy("Icon"),
    "icon_locked_url": gettext_lazy("Icon while locked"),
    "available_from": gettext_lazy("Available from"),
    "available_until": gettext_lazy("Available until"),
}
WORDS: Final[dict[str, Promise]] = {
    "draft": gettext_lazy("draft"),
    "published": gettext_lazy("published"),
    "archived": gettext_lazy("archived"),
    "standard": gettext_lazy("at once"),
    "incremental": gettext_lazy("in steps"),
    "meta": gettext_lazy("by other achievements"),
    "server": gettext_lazy("your server"),
    "client": gettext_lazy("the game"),
}
_TEXTS = ("name", "description")
_CHOICES = ("state", "type", "authority")


@dataclass(frozen=True, slots=True)
class Picture:
    """One of the two sides of a picture that changed; without an address it is the one built in for `key`."""

    kind: Literal["old", "new"]
    key: str
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    """What became of a field; of a picture both are shown."""

    label: str
    pieces: tuple[Piece, ...]
    field: str
    pictures: tuple[Picture, ...] = ()


def lines(differences: Mapping[str, tuple[Any, Any]], key: str = "") -> list[Line]:
    """Return what differs, as it is shown; with its `key` an achievement's pictures as such."""
    return [
        Line(
            label(field),
            pieces(field, *both),
            field,
            _pictures(field, key, *both),
        )
        for field, both in differences.items()
    ]


def _pictures(field: str, key: str, old: Any, new: Any) -> tuple[Picture, ...]:
    if not key or field not in PICTURES:
        return ()
    both = Picture("old", key, old or ""), Picture("new", key, new or "")
    return tuple(one for one in both if one.url or field == "icon_url")  # locked, nothing is the icon in grey


def pieces(field: str, old: Any, new: Any) -> tuple[Piece, ...]:
    """Return what stayed, went and came of a field: of texts by words, of all else as a whole."""
    if field.rpartition("/")[2] in _TEXTS:
        return compare(old or "", new or "")
    if field == "requires" and set(old or ()) != set(new or ()):
        return tuple(_keys(old or (), new or ()))
    return replaced(text(field, old), text(field, new))


def _keys(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    """Yield the keys that stayed as one piece, and each that went or came."""
    stayed = [key for key in new if key in old]
    if stayed:
        yield Piece("same", ", ".join(stayed))
    yield from (Piece("old", key) for key in old if key not in new)
    yield from (Piece("new", key) for key in new if key not in old)


def label(field: str) -> str:
    """Return what a field is called; of a translation with its language."""
    _translations, *parts = field.split("/")
    if len(parts) == 2:
        return f"{LABELS[parts[1]]} ({parts[0]})"
    return str(LABELS.get(field, field))


def text(field: str, value: Any) -> str:
    """Return a value as it is shown; nothing is an empty text."""
    if value in (None, "", [], ()) or value == {}:
        return ""
    if field in _CHOICES:
        return str(WORDS.get(value, value))
    if field == "goal":
        return goal_text(value)
    if field.startswith("available_") and isinstance(value, str):
        value = parse_rfc3339(value)
    return _plain(value)


def goal_text(goal: Mapping[str, Any]) -> str:
    """Return a goal in words: `all of (wins ≥ 10; hits - misses ≥ 100)`."""
    for name, words in (("all", _("all of")), ("any", _("any of"))):
        if name in goal:
            return f"{words} ({'; '.join(goal_text(part) for part in goal[name])})"
    bound, sign = ("at_most", "≤") if "at_most" in goal else ("at_least", "≥")
    summed = " + ".join(_factor(*one) for one in goal["sum"].items()) if "sum" in goal else goal["stat"]
    return f"{summed} {sign} {goal[bound]}"


def _factor(stat: str, factor: int) -> str:
    return stat if factor == 1 else f"{factor} × {stat}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(one) for one in value)
    return str(value)


def imported(fields: Mapping[str, tuple[Any, Any]]) -> Iterator[Line]:
    """Yield what a file makes of the fields of a definition, of whichever room."""
    for field, (old, new) in fields.items():
        if (old or None) == (new or None):
            continue
        is_many = field == "translations"
        shown = replaced(_plain(old or {}), _plain(new or {})) if is_many else pieces(field, old, new)
        yield Line(label(field), shown, field)
