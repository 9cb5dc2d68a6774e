"""Who has an achievement, as its page shows it, and how rare it was when.

Named is who may be seen by who looks; the others are counted only. Whom the game's studio bans or excludes is neither.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import Final
from uuid import UUID

from accounts.people import people
from accounts.selectors import PlayerInfo
from achievements.rules import RARITY_SAMPLE
from achievements.selectors import company
from achievements.selectors.company import Month
from core import curve, spoken
from core.curve import Curve
from core.db import array_literal, run_prepared
from core.spoken import NAMELESS

SHOWN: Final = 5  # players in a list
_LOOKED_AT: Final = 25  # unlocks among which the ones to show are looked for
_MOST_FRIENDS: Final = 12
_MOST_MONTHS: Final = 36

_ENDS = """
WITH counted AS NOT MATERIALIZED (
    SELECT u.player_id, u.unlocked_at FROM achievements_unlock u
     WHERE u.achievement_id = $1
       AND NOT EXISTS (SELECT FROM achievements_played p
                        WHERE p.player_id = u.player_id AND p.game_id = $2 AND NOT p.counts))
(SELECT 'first', player_id, unlocked_at FROM counted ORDER BY unlocked_at, player_id LIMIT $3)
UNION ALL
(SELECT 'lately', player_id, unlocked_at FROM counted ORDER BY unlocked_at DESC, player_id DESC LIMIT $3)
UNION ALL
(SELECT 'friends', player_id, unlocked_at FROM counted WHERE player_id = ANY($4::bigint[])
  ORDER BY unlocked_at, player_id)
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """A player who has an achievement; `place` is which one he was to unlock it, 0 where that is not told."""

    player: PlayerInfo
    unlocked_at: datetime
    place: int = 0

    @property
    def id(self) -> UUID:
        """His public id, by which a picture is tinted."""
        return self.player.uuid

    @property
    def display_name(self) -> str:
        """What he is called."""
        return self.player.display_name or NAMELESS

    @property
    def avatar_url(self) -> str:
        """His picture, empty for none."""
        return self.player.avatar_url


@dataclass(frozen=True, slots=True)
class Holders:
    """Who has an achievement.

    Attributes:
        total: how many do, who count.
        first, lately: of these a few who may be seen; nobody stands in both.
        friends: the reader's, the first one first.
        friends_left: how many friends more have it.

    """

    total: int
    first: tuple[Holder, ...]
    lately: tuple[Holder, ...]
    friends: tuple[Holder, ...]
    friends_left: int = 0

    @property
    def others(self) -> int:
        """How many have it who are not named."""
        named = {one.player.id for one in (*self.first, *self.lately, *self.friends)}
        return max(0, self.total - len(named))


def holders(
    achievement_id: int, *, game_id: int, studio_id: int, total: int, reader_id: int | None
) -> Holders:
    """Return who has an achievement, first and lately and among the reader's friends; in six queries at most."""
    circle = company.friends(reader_id) if reader_id is not None else {}
    rows: dict[str, list[tuple[int, datetime]]] = {"first": [], "lately": [], "friends": []}
    for part, player_id, at in run_prepared(
        _ENDS, [achievement_id, game_id, _LOOKED_AT, array_literal(circle)]
    ):
        rows[part].append((player_id, at))
    ids = {player_id for player_id, _ in (*rows["first"], *rows["lately"])}
    infos = people(ids, studio_id=studio_id)
    is_seen = company.seen([one for one in infos.values() if not one.banned], by=reader_id)
    first = [
        Holder(infos[pk], at, place) for place, (pk, at) in enumerate(rows["first"], start=1) if pk in is_seen
    ][:SHOWN]
    shown = {one.player.id for one in first}
    lately = [Holder(infos[pk], at) for pk, at in rows["lately"] if pk in is_seen and pk not in shown][:SHOWN]
    friends = [Holder(circle[pk], at) for pk, at in rows["friends"]]
    return Holders(
        max(total, len(rows["first"])),
        tuple(first),
        tuple(lately),
        tuple(friends[:_MOST_FRIENDS]),
        max(0, len(friends) - _MOST_FRIENDS),
    )


def rarity_curve(months: Sequence[Month], *, percent: float | None, today: date) -> Curve | None:
    """Draw which share of the game's players had an achievement at the end of each month, in per mille.

    The last point is today's share, as it is shown beside it. None where it is too new to tell, of one month only,
    and while nobody has it.
    """
    if percent is None:
        return None
    shares = _shares(months, today=today)[-_MOST_MONTHS + 1 :]
    now = round(percent * 10)
    days = [
        *(one for one in shares if (one[0].year, one[0].month) != (today.year, today.month)),
        (today, now),
    ]
    highest = max(value for _, value in days)
    if not highest:
        return None
    return curve.curve(
        days,
        sentence=f"Share of players who have it, by month; {spoken.percentage(f'{percent:g}')} today",
        label=lambda value, _: f"{value / 10:g}%",
        day_text=lambda day: f"{day:%b} {day.year}",
        grid=(0, 250, 500, 750, 1000) if highest > 600 else None,
    )


def _shares(months: Sequence[Month], *, today: date) -> list[tuple[date, int]]:
    """Return by month the share in per mille of those who were there by its end, from enough players on."""
    by_month: Mapping[date, Month] = {one.at: one for one in months}
    found = []
    every = _every_month(by_month.keys(), today=today)
    unlocks = accumulate(by_month[at].unlocks if at in by_month else 0 for at in every)
    players = accumulate(by_month[at].new_players if at in by_month else 0 for at in every)
    for at, held, there in zip(every, unlocks, players, strict=True):
        if there >= RARITY_SAMPLE:
            found.append((at, min(1000, round(1000 * held / there))))
    return found


def _every_month(known: Collection[date], *, today: date) -> list[date]:
    """Return the first day of each month from the first one known to this one."""
    if not known:
        return []
    first, last = min(known), today.replace(day=1)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    numbers = (first.month - 1 + n for n in range(count))
    return [date(first.year + number // 12, number % 12 + 1, 1) for number in numbers]
