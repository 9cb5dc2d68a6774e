"""Persons who played as two, and what there must be of them once they are one: everything, once, in every room."""

import io
import json
from decimal import Decimal
from typing import Any, cast

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts import linking, selectors
from accounts.models import Game, Studio
from accounts.selectors import GameInfo, PlayerInfo
from achievements.services import progress, recounting, unlocks
from achievements.services.progress import ProgressRequest
from achievements.services.unlocks import UnlockRequest
from core import followers
from core.facts import subscriptions
from core.models import DeadLetter
from history.services import rolling
from leaderboards.services import scores
from leaderboards.services.scores import ScoreRequest
from stats.services import reports, sessions
from stats.services.reports import ReportRequest
from tests import factories
from tests.history.world import kept_history

# Rows of these stay as they were: events that were heard, and what is over.
_STAY = {
    "accounts_joinedplayer",
    "accounts_dismissal",
    "accounts_erasure",
    "achievements_progressevent",
    "stats_report",
    "leaderboards_submission",
    "leaderboards_ranksample",
}
_COLUMNS = ("player_id", "friend_id", "blocked_id", "sender_id", "receiver_id")


def begin() -> None:
    """Begin with an empty log."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


def declare(owner: Studio) -> GameInfo:
    """Make a game with some of everything."""
    made: Game = factories.game(owner)
    for number in range(6):
        factories.achievement(made, f"a{number}", points=10 * number)
    factories.achievement(made, "steps", type="incremental", target=10, points=5)
    factories.achievement(made, "both", type="meta", requires=["a0", "a1"], points=50)
    factories.achievement(made, "hundred", type="incremental", target=100, stat="total", points=7)
    goal = {"all": [{"stat": "max", "at_least": 50}, {"stat": "last", "at_least": 5}]}
    factories.achievement(made, "goal", type="incremental", goal=goal, points=3)
    for aggregation in ("sum", "max", "min", "last"):
        factories.stat(made, "total" if aggregation == "sum" else aggregation, aggregation=aggregation)
    for operator in ("best", "last", "sum"):
        factories.leaderboard(made, operator, operator=operator, spans=["daily"])
    factories.leaderboard(made, "fed", operator="sum", stat="total")
    info = selectors.game(made.uuid)
    assert info is not None
    return info


def unlock(game: GameInfo, player: str, key: str) -> Any:
    request = UnlockRequest(player, key)
    return unlocks.unlock(game=game, request=request, by=unlocks.SERVER, at=timezone.now())


def advance(game: GameInfo, player: str, steps: int) -> Any:
    request = ProgressRequest(player, "steps", steps, adds=False)
    return progress.report(game=game, request=request, by=unlocks.SERVER, at=timezone.now())


def report(game: GameInfo, player: str, op: str | None = None, **stats: int) -> Any:
    told = {key: (op or ("add" if key == "total" else "set"), Decimal(value)) for key, value in stats.items()}
    request = ReportRequest(game, player, cast("Any", told), None)
    return reports.report(request=request, by=reports.SERVER, at=timezone.now())


def submit(game: GameInfo, player: str, **submitted: int) -> Any:
    for key, value in submitted.items():
        request = ScoreRequest(player, Decimal(value))
        scores.submit(game=game, key=key, request=request, by=scores.SERVER, at=timezone.now())


def play(game: GameInfo, player: str) -> Any:
    return sessions.heard_of(game=game, player=player, event="start", at=timezone.now())


def join(one: Studio, player: str, other: Studio, same: str) -> PlayerInfo:
    """Let `same` of the other studio be found to be `player` of the one."""
    info = selectors.player_of_studio(one.pk, player)
    assert info is not None
    code = linking.issue_code(player=info, studio_id=one.pk, by="key:test", at=timezone.now())[0]
    return linking.redeem(studio_id=other.pk, external_id=same, code=code, by="key:test", at=timezone.now())


def drain() -> None:
    """Let every listener hear everything, and what they publish."""
    for _ in range(3):
        for name in subscriptions():
            followers.drain(name)
    letters = list(DeadLetter.objects.values_list("follower", "error"))
    assert not letters, letters


def replay() -> None:
    """Let every listener hear everything again, from the beginning."""
    for name in subscriptions():
        followers.rewind(name, fact_id=0)
    drain()


def tables() -> list[tuple[str, str]]:
    """Return every table that names players, with the column; no partitions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = ANY(%s)"
            " AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2",
            [list(_COLUMNS)],
        )
        return [(table, column) for table, column in cursor.fetchall() if table not in _STAY]


def rows_of(player_id: int) -> dict[str, int]:
    """Return how many rows name a player, by table; without those where none does."""
    counted: dict[str, int] = {}
    with connection.cursor() as cursor:
        for table, column in tables():
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", [player_id])
            counted[table] = counted.get(table, 0) + cursor.fetchone()[0]
    return {table: count for table, count in counted.items() if count}


_WRONG = {
    "game totals": """
        SELECT * FROM achievements_playergame t FULL JOIN (
            SELECT player_id, game_id, sum(points) AS points, count(*) AS unlocked, min(unlocked_at) AS first_at,
                   max(unlocked_at) AS last_at, max(heard_at) AS heard_at
              FROM achievements_unlock GROUP BY 1, 2) AS u USING (player_id, game_id)
         WHERE (t.points, t.unlocked) IS DISTINCT FROM (coalesce(u.points, 0), coalesce(u.unlocked, 0))
            OR t.points_reached_at > u.heard_at
            OR u.unlocked > 0 AND (t.first_unlock_at, t.last_unlock_at) <> (u.first_at, u.last_at)
    """,
    "totals": """
        SELECT * FROM achievements_playertotal t FULL JOIN (
            SELECT player_id, sum(points) AS points, count(*) AS unlocked
              FROM achievements_unlock GROUP BY 1) AS u USING (player_id)
         WHERE (t.points, t.unlocked) IS DISTINCT FROM (coalesce(u.points, 0), coalesce(u.unlocked, 0))
    """,
    "players": """
        SELECT g.game_id, g.players, count(p.player_id) FROM achievements_gameplayers g
          LEFT JOIN achievements_played p ON p.game_id = g.game_id AND p.counts
         GROUP BY g.game_id, g.players HAVING g.players <> count(p.player_id)
    """,
    "rarity": """
        SELECT a.id, coalesce(c.unlocked, 0), count(u.player_id) FROM achievements_achievement a
          LEFT JOIN achievements_achievementcount c ON c.achievement_id = a.id
          LEFT JOIN achievements_unlock u ON u.achievement_id = a.id
         GROUP BY a.id, c.unlocked HAVING coalesce(c.unlocked, 0) <> count(u.player_id)
    """,
    "values": """
        SELECT v.player_id, v.stat_id, v.value, sum(h.change) FROM stats_statvalue v
          LEFT JOIN history_stat_month h ON h.player_id = v.player_id AND h.stat_id = v.stat_id
         GROUP BY v.player_id, v.stat_id, v.value HAVING v.value IS DISTINCT FROM sum(h.change)
    """,
    "playtime": """
        SELECT t.player_id, t.game_id, t.total_ms, sum(h.playtime_ms) FROM stats_playtime t
          LEFT JOIN history_activity_month h ON h.player_id = t.player_id AND h.game_id = t.game_id
         GROUP BY 1, 2, 3 HAVING t.total_ms <> coalesce(sum(h.playtime_ms), 0)
    """,
    "history": """
        SELECT * FROM (SELECT player_id, game_id, sum(unlocks) AS unlocks, sum(points) AS points
                         FROM history_activity_month GROUP BY 1, 2) AS h
          FULL JOIN (SELECT player_id, game_id, count(*) AS unlocked, sum(points) AS worth
                       FROM achievements_unlock GROUP BY 1, 2) AS u USING (player_id, game_id)
         WHERE (coalesce(unlocks, 0), coalesce(points, 0)) <> (coalesce(unlocked, 0), coalesce(worth, 0))
    """,
}


def require_whole() -> None:
    """Require that whatever follows from something is what a recomputation makes of it."""
    with connection.cursor() as cursor:
        for what, sql in _WRONG.items():
            cursor.execute(sql)
            assert cursor.fetchall() == [], what
    assert recounting.recount() == 0
    out = io.StringIO()
    call_command("rebuild_boards", check=True, stdout=out)
    assert out.getvalue().startswith("0 differences"), out.getvalue()
    before = _filled(kept_history())
    rolling.rebuild()
    assert _filled(kept_history()) == before


def _filled(kept: dict[str, Any]) -> dict[str, Any]:
    """Return rollups without rows that say nothing."""
    return {table: [row for row in rows if any(row[3:])] for table, rows in kept.items()}


def facts(kind: str) -> list[Any]:
    """Return what the log says of a kind."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM core_fact WHERE kind = %s ORDER BY tx, id", [kind])
        return [json.loads(row[0]) for row in cursor.fetchall()]


_TIMELY = ("last_seq", "seq")  # which differ by when a fact is heard


def census() -> dict[str, list[Any]]:
    """Return what is there of players in every table, but for what tells when something was told."""
    found: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        for table, _ in tables():
            if table == "social_toldprogress":  # likewise
                continue
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            rows = [json.loads(row[0]) for row in cursor.fetchall()]
            for row in rows:
                for name in _TIMELY:
                    row.pop(name, None)
            found[table] = sorted(json.dumps(row, sort_keys=True) for row in rows if _says_something(row))
    return found


def _says_something(row: dict[str, Any]) -> bool:
    """Say whether a row is more than zeros of the rollups, or what is told of progress: that is a matter of time."""
    if row.get("kind") == "achievement.progress":
        return False
    figures = [row[name] for name in ("unlocks", "points", "playtime_ms", "change") if name in row]
    return "at" not in row or any(figures) or not figures
