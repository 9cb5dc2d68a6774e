"""Load a past by COPY: `python -m bench.load_history UNLOCKS PLAYERS`, after bench/seed.py, prints as JSON what it did.

Two years of players: each comes on a chance day, unlocks what he unlocks in about the same order as all others, ever
more slowly, and plays for an hour on each day on which he unlocks something. With them comes what follows: totals,
who has played, history, inboxes of the time that inboxes are kept, days of analytics, counters. Boards and what is
counted of games are made by the commands that are there for it: `rebuild_boards`, `rebuild_analytics`.

There are no facts of it: it is as if the log had forgotten them.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, cast
from uuid import UUID

import django
import orjson

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Game, Studio  # noqa: E402
from achievements.models import Achievement  # noqa: E402
from achievements.services import recounting  # noqa: E402
from bench import following  # noqa: E402
from bench.figures import Past  # noqa: E402
from bench.seed import STUDIO, add_game  # noqa: E402
from bench.world import PAST_ACHIEVEMENTS, REGIONS, past_player  # noqa: E402
from core.clock import rfc3339_us  # noqa: E402
from history import partitions  # noqa: E402
from social import announcing  # noqa: E402
from social.events import ACHIEVEMENT_UNLOCKED  # noqa: E402
from social.services import KEPT  # noqa: E402

DAYS: Final = 729
_AT_ONCE: Final = 50_000  # unlocks of a transaction; followers wait for the oldest
_SETTLED: Final = timedelta(hours=2)  # the last session has ended
_DAY_S: Final = 86_400.0
_PLAYERS = "accounts_player (id, uuid, display_name, region, avatar_url, visibility, created_at)"
_NAMES = "accounts_playeridentity (studio_id, external_id, player_id, created_at)"
_UNLOCKS = (
    "achievements_unlock"
    " (player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at, event_id)"
)
_NOTICES = "social_notification (player_id, seq, uuid, kind, game_id, studio_id, payload, created_at)"


class NotOurs(Exception):
    """The database holds what is not the bench's."""


@dataclass
class _Part:
    """Rows of some players, as COPY takes them."""

    players: list[str]
    names: list[str]
    unlocks: list[str]
    notices: list[str]


@dataclass(frozen=True)
class _Told:
    """An achievement as it is loaded: what an inbox row of it begins and ends with, and what it is worth."""

    pk: int
    points: int
    head: str
    available: int


class Loader:
    """Makes players with their pasts, a part after the other, in memory that does not grow."""

    def __init__(self, game: Game, *, players: int, unlocks: int, now: datetime) -> None:
        """Draw nothing yet. There are as many players as are said, and within a few as many unlocks."""
        self._game, self._now = game, now - _SETTLED
        self._players, self._left = players, unlocks
        self._told = _told(game)
        self._inbox_since = (now - KEPT).timestamp()
        self._first = _count_past(game.studio_id)
        self._random = Random(self._first)  # others than before
        self.unlocks = self.notices = 0

    def parts(self, first_id: int) -> Iterator[_Part]:
        """Yield the rows of players whose ids count up from one."""
        part = _Part([], [], [], [])
        for number in range(self._players):
            self._add(part, first_id + number, number)
            if len(part.unlocks) >= _AT_ONCE:
                yield part
                part = _Part([], [], [], [])
        if part.players:
            yield part

    def _add(self, part: _Part, pk: int, number: int) -> None:
        studio, region = self._game.studio_id, ("", *REGIONS)[number % (len(REGIONS) + 1)]
        name = past_player(self._first + number)
        now = self._now.isoformat()
        part.players.append(f"{pk}\t{self._uuid()}\tPlayer {number + 1}\t{region}\t\tpublic\t{now}\n")
        part.names.append(f"{studio}\t{name}\t{pk}\t{now}\n")
        moments = self._moments(self._how_many(number))
        points = seq = 0
        for place, at in enumerate(moments):
            told = self._told[place]
            points += told.points
            text = rfc3339_us(int(at * 1e6))
            about = f"{self._game.pk}\t{studio}"
            part.unlocks.append(f"{pk}\t{told.pk}\t{about}\t{told.points}\t{text}\t{text}\t{self._uuid()}\n")
            if at >= self._inbox_since:
                seq += 1
                payload = (
                    f'{told.head},"points":{told.points},"unlocked_at":"{text}","totals":{{"points":{points},'
                    f'"unlocked":{place + 1},"available":{told.available}}}}}'
                )
                part.notices.append(
                    f"{pk}\t{seq}\t{self._uuid()}\t{ACHIEVEMENT_UNLOCKED}\t{about}\t{_escaped(payload)}\t{text}\n"
                )
        self.unlocks += len(moments)
        self.notices += seq

    def _how_many(self, number: int) -> int:
        """Draw how far somebody comes: a chance squared, so that few come far. The mean is what is left for each."""
        each = self._left / (self._players - number)
        drawn = min(len(self._told), max(1, round(self._random.random() ** 2 * 3 * each)))
        self._left -= drawn
        return drawn

    def _moments(self, count: int) -> list[float]:
        """Draw when somebody unlocks as many, in their order: ever more slowly, until now at the latest."""
        chance, now = self._random.random, self._now.timestamp()
        began = now - chance() ** 0.8 * DAYS * _DAY_S
        span = min(now - began, (20 + chance() * 400) * (count / len(self._told)) ** 1.5 * _DAY_S)
        return sorted(
            began + span * (chance() * 0.2 + 0.8 * (place / count) ** 1.5) for place in range(count)
        )

    def _uuid(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


def load(unlocks: int, players: int, *, game: UUID | None = None, now: datetime) -> Past:
    """Load as many, into a game that is there or (None) into a new one. Raises NotOurs.

    Nobody else may create players meanwhile.
    """
    if Studio.objects.exclude(name=STUDIO).exists() or not Studio.objects.exists():
        raise NotOurs(f"This is for a database that bench/seed.py made: its only studio is “{STUDIO}”.")
    began = time.perf_counter()
    of = Game.objects.get(uuid=game) if game else _new_game()
    loader = Loader(of, players=players, unlocks=unlocks, now=now)
    first_id = _reserve(players)
    done = 0
    for part in loader.parts(first_id):
        low = first_id + done
        done += len(part.players)
        with transaction.atomic():
            _copy(part)
            following.follow(of.pk, low=low, high=first_id + done - 1, now=now)
    following.tidy()
    recounting.recount()
    following.tidy()
    seconds = time.perf_counter() - began
    return Past(str(of.uuid), loader.unlocks, players, loader.notices, seconds)


def make_partitions(now: datetime) -> None:
    """Make the tables of two years of history, as they are where Laurel has run for two years."""
    for ago in range(25, -1, -1):
        months = now.year * 12 + now.month - 1 - ago
        partitions.ensure(now=datetime(months // 12, months % 12 + 1, 2, tzinfo=UTC))


def _new_game() -> Game:
    studio = Studio.objects.get(name=STUDIO)
    return add_game(studio.pk, "Bench, two years", achievements=PAST_ACHIEVEMENTS, regions=REGIONS)


def _told(game: Game) -> list[_Told]:
    rows = Achievement.objects.filter(game=game).order_by("pk").values_list("pk", "points")
    found = announcing.told_of({pk: game.pk for pk, _ in rows})
    return [_Told(pk, points, found[pk].head, found[pk].available) for pk, points in rows[:PAST_ACHIEVEMENTS]]


def _count_past(studio_id: int) -> int:
    """Return how many players were loaded before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM accounts_playeridentity WHERE studio_id = %s AND external_id LIKE %s",
            [studio_id, f"{past_player('')}%"],
        )
        return int(cursor.fetchone()[0])


def _reserve(players: int) -> int:
    """Take ids of players out of their sequence; return the first."""
    with connection.cursor() as cursor:
        sequence = "pg_get_serial_sequence('accounts_player', 'id')"
        cursor.execute(f"SELECT setval({sequence}, nextval({sequence}) + %s)", [players])
        return int(cursor.fetchone()[0]) - players


def _copy(part: _Part) -> None:
    with connection.cursor() as cursor:
        for into, rows in (
            (_PLAYERS, part.players),
            (_NAMES, part.names),
            (_UNLOCKS, part.unlocks),
            (_NOTICES, part.notices),
        ):
            _copy_into(cast("Any", cursor), into, rows)


def _copy_into(cursor: Any, into: str, rows: Iterable[str]) -> None:
    with cursor.copy(f"COPY {into} FROM STDIN") as copy:
        copy.write("".join(rows))


def _escaped(text: str) -> str:
    r"""Return text for COPY's text format: a backslash of JSON is doubled; JSON holds no tab and no line break."""
    return text.replace("\\", "\\\\")


def main(arguments: list[str] | None = None) -> int:
    """Load, and say what."""
    parser = argparse.ArgumentParser(prog="python -m bench.load_history", description=__doc__)
    parser.add_argument("unlocks", type=int)
    parser.add_argument("players", type=int)
    parser.add_argument(
        "--game", type=UUID, help="the public id of the game that gets them; a new one otherwise"
    )
    options = parser.parse_args(arguments)
    now = timezone.now()
    make_partitions(now)
    try:
        loaded = load(options.unlocks, options.players, game=options.game, now=now)
    except NotOurs as error:
        print(error, file=sys.stderr)
        return 1
    print(orjson.dumps(asdict(loaded)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
