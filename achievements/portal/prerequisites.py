"""What an achievement may ask for: every other one of the game, and of some why not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from achievements.models import State
from achievements.selectors.definitions import Definition


@dataclass(frozen=True, slots=True)
class Choice:
    """An achievement as the editor offers it.

    Attributes:
        note: what there is to know of it; where `is_refused`, why it can't be chosen.
        is_refused: whether choosing it would be refused; what is chosen already can be taken away.

    """

    key: str
    name: str
    icon_url: str
    note: str
    is_chosen: bool
    is_refused: bool


def choices(of: Definition | None, chosen: Collection[str], by_key: Mapping[str, Definition]) -> list[Choice]:
    """Return what may be asked for, chosen ones first; `of` is what asks, None for a new one, which is a draft."""
    asking = _asking(of.key, by_key) if of else frozenset()
    may_ask_drafts = of is None or of.state == State.DRAFT
    found = [
        _choice(by_key[key], asking, key in chosen, may_ask_drafts=may_ask_drafts)
        for key in dict.fromkeys((*chosen, *by_key))
        if key in by_key and not (of and key == of.key)
    ]
    gone = [
        Choice(key, key, "", _("There is no such achievement."), True, False)
        for key in chosen
        if key not in by_key
    ]
    return [*gone, *found]


def _choice(one: Definition, asking: Collection[str], is_chosen: bool, *, may_ask_drafts: bool) -> Choice:
    note, is_refused = "", False
    if one.key in asking:
        note, is_refused = _("Asks for this one itself: nobody could get either."), True
    elif one.state == State.DRAFT:
        is_refused = not may_ask_drafts
        note = _("A draft: nobody could get there. Publish it first.")
    elif one.state == State.ARCHIVED:
        note = _("Archived: only who has it already gets there.")
    return Choice(one.key, one.name, one.icon_url, note, is_chosen, is_refused and not is_chosen)


def _asking(key: str, by_key: Mapping[str, Definition]) -> frozenset[str]:
    """Return which achievements ask for one, be it by way of others."""
    asked_by: dict[str, list[str]] = {}
    for one in by_key.values():
        for needed in one.requires:
            asked_by.setdefault(needed, []).append(one.key)
    found: set[str] = set()
    waiting = [key]
    while waiting:
        new = set(asked_by.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return frozenset(found)
