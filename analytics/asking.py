"""What a request or a page asks of a game's analytics, with the days that it means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from achievements.selectors import definitions
from achievements.selectors.definitions import Definition
from analytics.rules import choosing, windows
from analytics.rules.choosing import Choice, Unreadable
from analytics.rules.windows import Span
from analytics.selectors import activity
from core.refusals import Malformed, NotFound


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked.

    Attributes:
        before: the span that it is compared with; None if that is not asked for, or there is none.
        today: the day of UTC on which it is asked.

    """

    choice: Choice
    span: Span
    before: Span | None
    today: date


def asked(query: Mapping[str, str], *, game_id: int, now: datetime) -> Asked:
    """Read `window`, `until` and `compare`. Raises Malformed."""
    today = now.astimezone(UTC).date()
    try:
        choice = choosing.choice(query, today=today)
    except Unreadable as why:
        raise Malformed(str(why)) from None
    first = activity.ever(game_id)[0] if choice.window == "all" else None
    span = windows.span(choice.window, until=choice.until, first=first)
    return Asked(choice, span, span.before() if choice.compare else None, today)


def chosen_steps(game_id: int, keys: Sequence[str]) -> list[Definition]:
    """Return the achievements of keys. Raises NotFound."""
    known = definitions.fresh_catalogue(game_id).by_key
    unknown = next((key for key in keys if key not in known), None)
    if unknown is not None:
        raise NotFound(f"The game has no achievement {unknown[:128]!r}.")
    return [known[key] for key in keys]


def steps_named(game_id: int, text: str) -> list[Definition]:
    """Return the achievements of a list `a,b,c`. Raises Malformed and NotFound."""
    try:
        keys = choosing.split_steps(text)
    except Unreadable as why:
        raise Malformed(str(why)) from None
    return chosen_steps(game_id, keys)
