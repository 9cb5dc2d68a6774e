"""Real games' unlocks as history: for every player buckets add up to the totals, in three zones and across DST."""

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from django.utils import timezone

from accounts import selectors as accounts
from accounts.models import Player, Studio
from achievements.models import Achievement, PlayerGame, Unlock
from achievements.replay.files import Game, read_games
from achievements.services import unlocks
from achievements.services.unlocks import UnlockRequest
from core import followers
from core.clock import parse_rfc3339
from history.selectors.trends import trend
from history.services import rolling
from tests import factories
from tests.achievements import samples
from tests.history.world import kept_history

ZONES = ("UTC", "America/New_York", "Australia/Lord_Howe")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not samples.REAL_DATA.is_dir(), reason=samples.NO_REAL_DATA),
]
# Four that a few hundred people played, from 2015 on.
_GAMES = ("steam:440", "steam:578080", "steam:346110", "se:conlang.meta")


@pytest.fixture
def _replayed(transactional_db: None) -> None:
    """Games' unlocks in the order of their times, of players in three zones."""
    factories.forget()
    studio = factories.studio()
    for game in read_games(samples.REAL_DATA, _GAMES):
        if game.unlocks:
            _send(studio, game)
    for number, zone in enumerate(ZONES):
        Player.objects.annotate(turn=F("id") % len(ZONES)).filter(turn=number).update(time_zone=zone)
    followers.drain("history")


def _send(studio: Studio, game: Game) -> None:
    made = factories.game(studio, title=game.title[:200])
    factories.achievement(made, "first of the catalogue")
    Achievement.objects.bulk_create(
        Achievement(studio_id=studio.pk, game=made, key=key, name=key[:200], points=points)
        for key, points in game.points.items()
    )
    info = accounts.game(made.uuid)
    assert info is not None
    caller = unlocks.Caller(offline=True)
    for start in range(0, len(game.unlocks), 1000):
        rows = game.unlocks[start : start + 1000]
        requests = [
            UnlockRequest(
                row.player, row.achievement, parse_rfc3339(row.unlocked_at) if row.unlocked_at else None
            )
            for row in rows
        ]
        unlocks.unlock_many(game=info, requests=requests, by=caller, at=timezone.now())


@pytest.mark.slow
@pytest.mark.usefixtures("_replayed")
def test_for_every_real_player_buckets_add_up_to_the_totals() -> None:
    zones = {pk: ZoneInfo(zone) for pk, zone in Player.objects.values_list("id", "time_zone")}
    held = list(Unlock.objects.values_list("player_id", "game_id", "unlocked_at", "points"))
    assert len(held) > 5_000
    assert len({zones[player] for player, *_ in held}) == len(ZONES)
    months: Counter[tuple[int, int, str]] = Counter()
    points: Counter[tuple[int, int]] = Counter()
    for player, game, at, worth in held:
        months[player, game, f"{at.astimezone(zones[player]):%Y-%m-01}"] += 1
        points[player, game] += worth
    kept = kept_history()
    rolled = kept["history_activity_month"]
    assert {(player, game, f"{at}"): n for player, game, at, n, _, _ in rolled} == dict(months)
    found: Counter[tuple[int, int]] = Counter()
    for player, game, _, _, worth, _ in rolled:
        found[player, game] += worth
    totals = {
        (player, game): worth
        for player, game, worth in PlayerGame.objects.values_list("player_id", "game_id", "points")
    }
    assert totals == {pair: found[pair] for pair in totals} == {pair: points[pair] for pair in totals}
    _windows_add_up(held, zones)
    rolling.rebuild()
    assert kept_history() == kept


def _windows_add_up(held: list[tuple[int, int, datetime, int]], zones: dict[int, ZoneInfo]) -> None:
    """Compare trends of every player who did something within a year, bucket by bucket, with the unlocks."""
    now = timezone.now()
    recent = {player for player, _, at, _ in held if at > now - timedelta(days=365)}
    for player in recent:
        times = [at for one, _, at, _ in held if one == player]
        for window in ("7d", "30d", "90d", "365d"):
            shown = trend(
                player_id=player, time_zone=zones[player].key, metric="unlocks", window=window, at=now
            )
            begins = [at for at, _ in shown.points]
            ends = [*begins[1:], datetime.max.replace(tzinfo=now.tzinfo)]
            expected = [
                sum(begin <= at < end for at in times) for begin, end in zip(begins, ends, strict=True)
            ]
            assert [value for _, value in shown.points] == expected
