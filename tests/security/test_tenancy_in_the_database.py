"""A reference from one studio's row to another's can't be stored, whatever the code above would do (ADR 0001, 0067).

The catalogue of PostgreSQL is asked, so that a table or a column that comes tomorrow is looked at, too.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from accounts.models import Game, ServerKey
from achievements.models import Backfill, PlayerReport, RevokedUnlock
from leaderboards.models import FlaggedScore
from stats.models import Playtime
from tests import factories
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db

# Columns that say whose a row is. A game is one studio's: who shares the game shares the studio.
OWNERS = ("studio_id", "game_id")
# The tables that studios' things are named by, and what a column is called that names one of them.
OWNED = {
    "game_id": "accounts_game",
    "achievement_id": "achievements_achievement",
    "leaderboard_id": "leaderboards_leaderboard",
    "period_id": "leaderboards_period",
    "stat_id": "stats_stat",
    "endpoint_id": "webhooks_endpoint",
    "report_id": "achievements_playerreport",
}
# Rooms whose every table is derived from facts, in batches of thousands of rows, and built anew from them: what a fact
# says was held when it was stored.
DERIVED_ROOMS = ("analytics_", "history_")
BY_A_TRIGGER = "A trigger asks once a statement instead of once a row: ADR 0008."
WITH_ITS_UNLOCK = "Written by the statement that writes the unlock, from its columns."
FROM_A_FACT = "A listener copies it from a fact, and may come after the definition is gone."
EXCEPTIONS = {
    ("achievements_unlock", "achievement_id"): BY_A_TRIGGER,
    ("achievements_unlock", "game_id"): BY_A_TRIGGER,
    ("achievements_playergame", "game_id"): WITH_ITS_UNLOCK,
    ("achievements_played", "game_id"): "Who has played which game, of whatever studio: kept by the player.",
    (
        "achievements_progressevent",
        "achievement_id",
    ): "Only compared with what is sent again, in the same game.",
    ("achievements_definitionversion", "achievement_id"): "Outlives its achievement.",
    ("social_friendnews", "game_id"): FROM_A_FACT,
    ("social_friendnews", "achievement_id"): FROM_A_FACT,
    ("social_notification", "game_id"): FROM_A_FACT,
    ("social_toldprogress", "game_id"): FROM_A_FACT,
    ("social_toldprogress", "achievement_id"): FROM_A_FACT,
}
# A trigger in a foreign key's place has to be there, and has to be asked of changed rows as well.
TRIGGERS = {
    ("achievements_unlock", "an_unlock_and_its_achievement_have_one_game"),
    ("achievements_unlock", "a_changed_unlock_and_its_achievement_have_one_game"),
    ("achievements_flaggedunlock", "a_flagged_unlock_and_its_achievement_have_one_game"),
}
_COLUMNS = """
    SELECT c.relname, array_agg(a.attname::text)
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
     GROUP BY c.relname
"""
_REFERENCES = """
    SELECT r.conname, r.conrelid::regclass::text, r.confrelid::regclass::text, r.convalidated,
           (SELECT array_agg(a.attname::text ORDER BY k.ord) FROM unnest(r.conkey) WITH ORDINALITY AS k (number, ord)
              JOIN pg_attribute a ON a.attrelid = r.conrelid AND a.attnum = k.number),
           (SELECT array_agg(a.attname::text ORDER BY k.ord) FROM unnest(r.confkey) WITH ORDINALITY AS k (number, ord)
              JOIN pg_attribute a ON a.attrelid = r.confrelid AND a.attnum = k.number)
      FROM pg_constraint r WHERE r.contype = 'f' AND r.conparentid = 0
"""
_TRIGGERS = (
    "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
)


@dataclass(frozen=True)
class Reference:
    """A foreign key."""

    name: str
    table: str
    target: str
    is_validated: bool
    columns: list[str]
    target_columns: list[str]

    @cached_property
    def naming(self) -> list[str]:
        """Its columns but for those that say whose the row is."""
        pairs = zip(self.columns, self.target_columns, strict=True)
        return [column for column, of_target in pairs if of_target not in OWNERS]

    @cached_property
    def shared(self) -> set[str]:
        """The owners that both its ends have in common by it."""
        pairs = set(zip(self.columns, self.target_columns, strict=True))
        return {owner for owner in OWNERS if (owner, owner) in pairs}


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


@pytest.fixture
def columns() -> dict[str, set[str]]:
    return {table: set(names) for table, names in _rows(_COLUMNS)}


@pytest.fixture
def references() -> list[Reference]:
    return [Reference(*row) for row in _rows(_REFERENCES)]


def owners_of(table: str, columns: dict[str, set[str]]) -> set[str]:
    return columns[table].intersection(OWNERS)


def test_a_foreign_key_between_what_studios_own_holds_both_to_one_owner(
    columns: dict[str, set[str]], references: list[Reference]
) -> None:
    held = {(each.table, each.target, *each.naming) for each in references if each.shared}
    loose = {
        (each.table, each.target, *each.naming)
        for each in references
        # Of a row that says only by this reference whose it is, there is nothing to compare.
        if owners_of(each.table, columns) - set(each.naming) and owners_of(each.target, columns)
    }
    assert loose - held == set()
    assert {each.name for each in references if not each.is_validated} == set()


def test_a_row_that_names_a_game_and_a_studio_names_the_game_s_own(
    columns: dict[str, set[str]], references: list[Reference]
) -> None:
    for table, names in columns.items():
        if not names.issuperset(OWNERS) or (table, "game_id") in EXCEPTIONS:
            continue
        shared: dict[str, set[str]] = defaultdict(set)
        for each in references:
            if each.table == table:
                shared[each.target] |= each.shared
        # Or both are those of something else, a board's or an achievement's, which is looked at here itself.
        by_another = any(owners.issuperset(OWNERS) for owners in shared.values())
        assert shared["accounts_game"] or by_another, f"{table} can name another studio's game"


def test_what_is_named_without_a_foreign_key_has_a_reason(
    columns: dict[str, set[str]], references: list[Reference]
) -> None:
    held = {(each.table, column) for each in references for column in each.columns}
    loose = {
        (table, column)
        for table, names in columns.items()
        for column in names.intersection(OWNED)
        if (table, column) not in held and not table.startswith(DERIVED_ROOMS)
    }
    assert loose == set(EXCEPTIONS)
    assert TRIGGERS - set(_rows(_TRIGGERS)) == set()


def _stored(game: Game) -> dict[str, int]:
    """Store a row of each kind that studios own; return its id by its table."""
    now = timezone.now()
    player = factories.player(game.studio)
    achievement = factories.achievement(game)
    board = factories.leaderboard(game)
    stat = factories.stat(game)
    flagged = factories.flagged_unlock(game)
    owner = {"game_id": game.pk, "studio_id": game.studio_id}
    claim = {"player_id": player.pk, "heard_at": now, "event_id": uuid4()}
    factories.server_key(game.studio, game=game)
    revoked = RevokedUnlock.objects.create(
        achievement=achievement,
        points=10,
        unlocked_at=now,
        revoked_at=now,
        reason="",
        actor="",
        **owner,
        **claim,
    )
    report = PlayerReport.objects.create(
        achievement=achievement, player_id=player.pk, trace={}, created_at=now, **owner
    )
    score = FlaggedScore.objects.create(
        leaderboard=board,
        period="ever",
        sort_value=1,
        reached_at=now,
        rules=[],
        evidence={},
        **owner,
        **claim,
    )
    endpoint = Endpoint.objects.create(
        url="https://games.example/hook", events=[], secret=b"s", created_at=now, updated_at=now, **owner
    )
    Playtime.objects.create(
        player_id=player.pk,
        session_id=uuid4(),
        first_at=now,
        started_at=now,
        seen_at=now,
        has_ended=True,
        session_ms=0,
        total_ms=0,
        sessions=1,
        **owner,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO achievements_unlock"
            " (player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at, event_id)"
            " VALUES (%s, %s, %s, %s, 10, now(), now(), gen_random_uuid())",
            [player.pk, achievement.pk, game.pk, game.studio_id],
        )
    return {
        "achievements_achievement": achievement.pk,
        "achievements_flaggedunlock": flagged.pk,
        "achievements_revokedunlock": revoked.pk,
        "achievements_playerreport": report.pk,
        "achievements_unlock": achievement.pk,
        "accounts_serverkey": ServerKey.objects.get(game=game).pk,
        "leaderboards_leaderboard": board.pk,
        "leaderboards_flaggedscore": score.pk,
        "stats_stat": stat.pk,
        "stats_playtime": game.pk,
        "webhooks_endpoint": endpoint.pk,
    }


_REFUSED = ("23503", "40001")  # by a foreign key, and by the trigger of unlocks
_KEYS = {"achievements_unlock": "achievement_id", "stats_playtime": "game_id"}


def _move(table: str, number: int, **to: int) -> None:
    ((column, value),) = to.items()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE {_KEYS.get(table, 'id')} = %s", [value, number]
        )
        assert cursor.rowcount == 1, table
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_no_row_moves_to_another_studio_or_another_studio_s_game() -> None:
    game, other = factories.game(), factories.game()
    for table, number in _stored(game).items():
        for to in ({"studio_id": other.studio_id}, {"game_id": other.pk}):
            with pytest.raises(DatabaseError) as refused:
                _move(table, number, **to)
            assert getattr(refused.value.__cause__, "sqlstate", "") in _REFUSED, (table, to)


def test_a_backfill_is_of_its_achievement_s_game() -> None:
    game, other = factories.game(), factories.game()
    with pytest.raises(DatabaseError, match="a_backfill_and_its_achievement_have_one_game"):
        Backfill.objects.create(game=other, achievement=factories.achievement(game))


def test_a_key_is_followed_by_one_of_its_own_studio() -> None:
    ours, theirs = factories.studio(), factories.studio()
    factories.server_key(ours)
    factories.server_key(theirs)
    foreign = ServerKey.objects.get(studio=theirs)
    with pytest.raises(DatabaseError, match="a_key_and_its_successor_have_one_studio"):
        ServerKey.objects.filter(studio=ours).update(replaced_by=foreign)
