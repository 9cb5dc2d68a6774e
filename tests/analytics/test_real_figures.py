"""Real games' figures, compared with what DuckDB makes of the files themselves.

Four games of a few hundred players each; ALL_REAL_GAMES=1 takes all of them.
"""

import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.utils import timezone

from accounts import selectors as accounts
from accounts.models import Game as StoredGame
from accounts.models import PlayerIdentity, Studio
from achievements.models import Achievement, Unlock
from achievements.replay.files import Game, read_games
from achievements.services import unlocks
from achievements.services.unlocks import UnlockRequest
from analytics.rules import windows
from analytics.rules.windows import Span
from analytics.selectors import achievements, activity, cohorts, funnels, spreads
from analytics.services import counting, distributions, rebuilding
from core import followers
from core.clock import parse_rfc3339
from core.texts import clean_key
from tests import factories
from tests.achievements import samples

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not samples.REAL_DATA.is_dir(), reason=samples.NO_REAL_DATA),
]
_GAMES = ("steam:440", "steam:578080", "steam:346110", "se:conlang.meta")
_ALL = bool(os.environ.get("ALL_REAL_GAMES"))
_FILES = ("unlocks.csv.gz", "unlocks_stackexchange_badges.csv.gz")

# Of rows about the same unlock the first one sent counts: a game's are sent in the order of their times, those without
# a time first. What has no time happened when the platform heard of it.
_HELD = """
CREATE TABLE held AS
WITH rows AS (
    SELECT r.game, r.player, c.key, coalesce(r.unlocked_at, '') AS told
      FROM files r JOIN cleaned c ON c.raw = r.achievement
), sent AS (
    SELECT *, row_number() OVER (PARTITION BY game, player, key ORDER BY told) AS turn FROM rows
)
SELECT s.game, s.player, s.key, w.points,
       CASE WHEN told = '' THEN h.happened ELSE told::TIMESTAMPTZ AT TIME ZONE 'UTC' END AS happened,
       row_number() OVER (PARTITION BY s.game ORDER BY told, s.player, s.key) AS heard
  FROM sent s JOIN worth w ON w.game = s.game AND w.key = s.key
  LEFT JOIN heard h ON h.game = s.game AND h.player = s.player AND h.key = s.key
 WHERE turn = 1;
CREATE TABLE there AS SELECT DISTINCT game, player, happened::DATE AS day FROM held;
CREATE TABLE first AS SELECT game, player, min(happened) AS happened, min(happened)::DATE AS day FROM held GROUP BY ALL;
"""


@pytest.fixture
def replayed(transactional_db: None) -> dict[str, StoredGame]:
    """Return the games by their names, with their unlocks sent in order and counted."""
    factories.forget()
    studio = factories.studio()
    found = {
        game.name: _send(studio, game)
        for game in read_games(samples.REAL_DATA, () if _ALL else _GAMES)
        if game.unlocks
    }
    followers.drain("achievements")
    followers.drain(counting.FOLLOWER)
    return found


def _send(studio: Studio, game: Game) -> StoredGame:
    made = factories.game(studio, title=game.title[:200])
    factories.achievement(made, "first of the catalogue")
    Achievement.objects.bulk_create(
        Achievement(studio_id=studio.pk, game=made, key=key, name=key[:200], points=points)
        for key, points in game.points.items()
    )
    info = accounts.game(made.uuid)
    assert info is not None
    for start in range(0, len(game.unlocks), 1000):
        requests = [
            UnlockRequest(
                row.player, row.achievement, parse_rfc3339(row.unlocked_at) if row.unlocked_at else None
            )
            for row in game.unlocks[start : start + 1000]
        ]
        unlocks.unlock_many(game=info, requests=requests, by=unlocks.Caller(offline=True), at=timezone.now())
    return made


class Files:
    """What the files say, by DuckDB."""

    def __init__(self, games: dict[str, StoredGame], folder: Path) -> None:
        """Read them."""
        self._db = duckdb.connect()
        self._db.execute("SET TimeZone = 'UTC'")
        self._db.execute("CREATE TABLE games (game VARCHAR)")
        self._db.executemany("INSERT INTO games VALUES (?)", [[name] for name in games])
        worth = [
            (name, key, points)
            for name, made in games.items()
            for key, points in Achievement.objects.filter(game=made).values_list("key", "points")
        ]
        self._write("worth", "game VARCHAR, key VARCHAR, points BIGINT", worth)
        self._write(
            "heard", "game VARCHAR, player VARCHAR, key VARCHAR, happened TIMESTAMP", list(_heard(games))
        )
        files = [str(folder / name) for name in _FILES]
        self._db.execute(
            f"CREATE TABLE files AS SELECT r.* FROM read_csv({files}, header = true, all_varchar = true) r"
            " JOIN games USING (game)"
        )
        raw = [row[0] for row in self.ask("SELECT DISTINCT achievement FROM files")]
        self._write("cleaned", "raw VARCHAR, key VARCHAR", [(key, clean_key(key)) for key in raw])
        self._db.execute(_HELD)

    def _write(self, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        self._db.execute(f"CREATE TABLE {table} ({columns})")
        if rows:
            self._db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)

    def ask(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, params).fetchall()


def _heard(games: dict[str, StoredGame]) -> Iterator[tuple[str, str, str, datetime]]:
    """Yield when the platform heard of unlocks; asked for those alone of which the files know no time."""
    names = {made.pk: name for name, made in games.items()}
    players = dict(PlayerIdentity.objects.values_list("player_id", "external_id"))
    keys = dict(Achievement.objects.values_list("id", "key"))
    timeless = Unlock.objects.filter(unlocked_at__gt=timezone.now() - timedelta(hours=2))
    for game, player, achievement, at in timeless.values_list(
        "game_id", "player_id", "achievement_id", "heard_at"
    ):
        yield names[game], players[player], keys[achievement], at.replace(tzinfo=None)


@pytest.mark.slow
def test_every_figure_of_real_games_is_what_the_files_say(replayed: dict[str, StoredGame]) -> None:
    files = Files(replayed, samples.REAL_DATA)
    assert files.ask("SELECT count(*) FROM held") == [(Unlock.objects.count(),)]
    assert Unlock.objects.count() > 5_000
    for name, made in replayed.items():
        first = files.ask(
            "SELECT min(day), max(day), count(DISTINCT player) FROM there WHERE game = ?", name
        )[0]
        assert activity.ever(made.pk) == (first[0], first[2]), name
        _days(files, name, made.pk, first[0], first[1])
        _months(files, name, made.pk, first[0], first[1])
        _cohorts(files, name, made.pk, first[0], first[1])
        _achievements(files, name, made.pk, first[1])
        _funnel(files, name, made)
    found = rebuilding.differences(now=timezone.now(), say=lambda _: None)
    assert {table: rows for table, rows in found.items() if rows} == {}


def _days(files: Files, name: str, pk: int, since: date, until: date) -> None:
    """Compare every day there ever was, and the players of 7 and 30 days on each."""
    expected = files.ask(
        """
        WITH days AS (SELECT unnest(generate_series(?::DATE, ?::DATE, INTERVAL 1 DAY))::DATE AS day)
        SELECT d.day,
               (SELECT count(*) FROM there t WHERE t.game = $3 AND t.day = d.day),
               (SELECT count(*) FROM first f WHERE f.game = $3 AND f.day = d.day),
               (SELECT count(*) FROM held h WHERE h.game = $3 AND h.happened::DATE = d.day),
               (SELECT coalesce(sum(points), 0) FROM held h WHERE h.game = $3 AND h.happened::DATE = d.day)
          FROM days d ORDER BY d.day
        """.replace("?::DATE, ?::DATE", "$1::DATE, $2::DATE"),
        since,
        until,
        name,
    )
    listed = activity.buckets(pk, Span("90d", since, until, "day"))
    shown = [(one.at, one.active, one.new, one.unlocks, one.points) for one in listed]
    assert shown == [(day, *map(int, row)) for day, *row in expected], name
    for days, counted in ((7, [one.weekly for one in listed]), (30, [one.monthly for one in listed])):
        reach = files.ask(
            """
            WITH reached AS (
                SELECT DISTINCT player, unnest(generate_series(day, day + $4::INT - 1, INTERVAL 1 DAY))::DATE AS day
                  FROM there WHERE game = $3)
            SELECT d.day::DATE, count(player)
              FROM (SELECT unnest(generate_series($1::DATE, $2::DATE, INTERVAL 1 DAY)) AS day) AS d
              LEFT JOIN reached r ON r.day = d.day::DATE GROUP BY 1 ORDER BY 1
            """,
            since,
            until,
            name,
            days,
        )
        assert counted == [row[1] for row in reach], (name, days)


def _months(files: Files, name: str, pk: int, since: date, until: date) -> None:
    spans = (
        Span("all", since - timedelta(days=since.weekday()), until, "week"),
        Span("all", since.replace(day=1), until, "month"),
    )
    for span in spans:
        step, listed = span.step, activity.buckets(pk, span)
        expected = files.ask(
            f"""
            SELECT date_trunc('{step}', t.day)::DATE, count(DISTINCT t.player),
                   count(DISTINCT t.player) FILTER (WHERE f.day = t.day)
              FROM there t JOIN first f USING (game, player) WHERE game = ? GROUP BY 1 ORDER BY 1
            """,
            name,
        )
        assert [(one.at, one.active, one.new) for one in listed if one.active] == expected, (name, step)
        unlocked = files.ask(
            f"SELECT date_trunc('{step}', happened)::DATE, count(*) FROM held WHERE game = ? GROUP BY 1 ORDER BY 1",
            name,
        )
        assert [(one.at, one.unlocks) for one in listed if one.unlocks] == unlocked, (name, step)


def _cohorts(files: Files, name: str, pk: int, since: date, until: date) -> None:
    today = until + timedelta(days=100)
    listed = cohorts.cohorts(pk, since=since, until=until, today=today)
    expected = files.ask(
        """
        SELECT f.day, t.day - f.day, count(*) FROM there t JOIN first f USING (game, player)
         WHERE game = ? AND t.day - f.day <= 30 GROUP BY 1, 2 ORDER BY 1, 2
        """,
        name,
    )
    shown = [(one.day, age, there) for one in listed for age, there in enumerate(one.kept) if there]
    assert shown == expected, name


def _achievements(files: Files, name: str, pk: int, until: date) -> None:
    taken = distributions.keep(pk)
    assert spreads.taken(pk) == taken
    expected = files.ask(
        """
        WITH placed AS (
            SELECT h.key, h.happened, epoch(date_trunc('second', h.happened - f.happened))::BIGINT AS seconds,
                   row_number() OVER (PARTITION BY h.player ORDER BY h.happened, h.heard) AS place
              FROM held h JOIN first f USING (game, player) WHERE h.game = ?)
        SELECT key, count(*), min(happened), max(happened), list_sort(list(seconds))[ceil(0.5 * count(*))::INT],
               list_sort(list(seconds))[ceil(0.9 * count(*))::INT],
               list_sort(list(place))[ceil(0.5 * count(*))::INT]
          FROM placed GROUP BY key
        """,
        name,
    )
    players = files.ask("SELECT count(DISTINCT player) FROM held WHERE game = ?", name)[0][0]
    rows = {row.achievement.key: row for row in achievements.rows(pk, windows.span("30d", until=until))}
    lately = dict(
        files.ask(
            "SELECT key, count(*) FROM held WHERE game = ? AND happened::DATE > ?::DATE - 30 GROUP BY 1",
            name,
            until,
        )
    )
    for key, count, first_at, last_at, median, within, order in expected:
        row = rows.pop(key)
        assert (row.unlocked, row.players, row.in_span) == (count, players, lately.get(key, 0)), (name, key)
        timing = row.timing
        assert timing is not None
        assert timing.first_at.replace(tzinfo=None) == first_at, (name, key)
        assert timing.last_at.replace(tzinfo=None) == last_at, (name, key)
        assert (timing.players, timing.median_s, timing.p90_s, timing.order) == (
            count,
            median,
            within,
            order,
        ), (
            name,
            key,
        )
    assert all(row.unlocked == 0 and row.timing is None for row in rows.values())
    held = dict(
        files.ask(
            "SELECT n, count(*) FROM (SELECT player, count(*) AS n FROM held WHERE game = ? GROUP BY 1) GROUP BY 1",
            name,
        )
    )
    assert {n: count for n, count in enumerate(taken.completion) if count} == held, name


def _funnel(files: Files, name: str, made: StoredGame) -> None:
    """Compare the three that most have, in both directions."""
    top = files.ask("SELECT key FROM held WHERE game = ? GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 3", name)
    ids = dict(Achievement.objects.filter(game=made).values_list("key", "id"))
    for keys in ([key for (key,) in top], [key for (key,) in reversed(top)]):
        if len(keys) < 2:
            continue
        reached: list[int] = []
        joined = ""
        for number, _ in enumerate(keys):
            before = f" AND h{number}.happened >= h{number - 1}.happened" if number else ""
            on = f"h{number}.game = $1 AND h{number}.key = ${number + 2}{before}"
            joined += f" JOIN held h{number} ON {on} AND h{number}.player = p.player"
            counted = files.ask(
                f"SELECT count(*) FROM (SELECT DISTINCT player FROM held WHERE game = $1) AS p{joined}",
                name,
                *keys[: number + 1],
            )
            reached.append(counted[0][0])
        assert funnels.funnel(made.pk, [ids[key] for key in keys]).reached == tuple(reached), (name, keys)
