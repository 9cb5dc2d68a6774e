"""What analytics keeps of a player is found by the keys of its tables, however much is kept of everybody."""

import pytest
from django.db import connection

from accounts.models import Game
from analytics import counts
from analytics.services import usage
from tests import factories

pytestmark = pytest.mark.django_db
_READ_ROW_BY_ROW = """
SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables
 WHERE relname IN ('analytics_activeday', 'analytics_activeplayer')
"""


def execute(sql: str, *params: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def read_row_by_row() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_READ_ROW_BY_ROW)
        return int(cursor.fetchone()[0])


@pytest.fixture
def games() -> list[Game]:
    """Return games of three studios, the first with two; in the second's and third's, 20,000 players were there."""
    first, *others = (factories.studio(name) for name in ("one", "two", "three"))
    games = [factories.game(studio) for studio in (first, first, *others)]
    for game in games[2:]:
        execute(
            "INSERT INTO analytics_activeday (game_id, player_id, day, region, first_at, unlocks, points, playtime_ms)"
            " SELECT %s, n, '2026-11-26', '', now(), 1, 10, 0 FROM generate_series(1, 20000) AS n",
            game.pk,
        )
        execute(
            "INSERT INTO analytics_activeplayer (studio_id, begin, is_month, player_id)"
            " SELECT %s, day::date, day LIKE '%%-01', n FROM generate_series(1, 20000) AS n,"
            " unnest(ARRAY['2026-11-01', '2026-11-25', '2026-11-26']) AS day WHERE day <> '2026-11-25' OR n = 7",
            game.studio_id,
        )
    execute("ANALYZE analytics_activeday, analytics_activeplayer")
    return games


def test_the_games_and_days_of_a_player_are_found_without_reading_everybody_s(games: list[Game]) -> None:
    two, three = games[2:]
    before = read_row_by_row()
    assert sorted(counts.games_of([7, 30_000])) == [two.pk, three.pk]
    assert counts.games_of([7], studio_id=three.studio_id) == [three.pk]
    assert counts.games_of([30_000]) == counts.games_of([7], studio_id=games[0].studio_id) == []
    days = [("2026-11-01", True, 7), ("2026-11-25", False, 7), ("2026-11-26", False, 7)]
    of_two = [(two.studio_id, *day) for day in days]
    of_three = [(three.studio_id, *day) for day in days]
    assert sorted(usage.days_of([7, 30_000], studio_id=None)) == [*of_two, *of_three]
    assert sorted(usage.days_of([7], studio_id=two.studio_id)) == of_two
    assert list(usage.days_of([7], studio_id=games[0].studio_id)) == []
    assert read_row_by_row() == before


def test_of_nobody_nothing_is_kept() -> None:
    assert counts.games_of([7]) == []
    assert list(usage.days_of([7], studio_id=None)) == []
