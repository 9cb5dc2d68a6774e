"""What the selectors say of a small game, reckoned by hand."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Game
from achievements.models import Achievement, Played, Unlock
from analytics.rules import windows
from analytics.selectors import achievements, activity, cohorts, freshness, funnels, spreads
from analytics.services import counting, distributions
from core import followers
from stats.models import Playtime, StatValue
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def unlock(api: factories.Api, game: str, player: str, key: str, at: datetime) -> None:
    body = {"game_id": game, "player": player, "achievement": key, "unlocked_at": at.isoformat()}
    answer = api.post("/achievements/unlock", body)
    assert answer.status_code == 202, answer.content


@pytest.fixture
def game() -> int:
    """Four players: one comes back after a day and after ten, one after a month, two never."""
    factories.forget()
    studio = factories.studio()
    made = factories.game(studio)
    factories.achievements(made, {"a": 10, "b": 20, "c": 40})
    api, uuid = factories.api(factories.server_key(studio)), str(made.uuid)
    for player, region in (("p-1", "EU"), ("p-2", "NA"), ("p-3", "EU"), ("p-4", "")):
        factories.player(studio, player, region=region)
    unlock(api, uuid, "p-1", "a", BEGIN)
    unlock(api, uuid, "p-1", "b", BEGIN + DAY)
    unlock(api, uuid, "p-1", "c", BEGIN + 10 * DAY)
    unlock(api, uuid, "p-2", "b", BEGIN)
    unlock(api, uuid, "p-2", "a", BEGIN + 31 * DAY)
    unlock(api, uuid, "p-3", "a", BEGIN + DAY)
    unlock(api, uuid, "p-3", "b", BEGIN + DAY + timedelta(seconds=100))
    unlock(api, uuid, "p-4", "a", BEGIN + 2 * DAY)
    followers.drain("achievements")
    followers.drain(counting.FOLLOWER)
    return made.pk


def test_days_weeks_and_months_tell_who_was_there(game: int) -> None:
    span = windows.span("7d", until=date(2026, 3, 8))
    listed = activity.buckets(game, span)
    assert [one.active for one in listed] == [2, 2, 1, 0, 0, 0, 0]
    assert [one.new for one in listed] == [2, 1, 1, 0, 0, 0, 0]
    assert [one.returning for one in listed] == [0, 1, 0, 0, 0, 0, 0]
    assert [one.weekly for one in listed] == [2, 3, 4, 4, 4, 4, 4]
    assert [one.points for one in listed] == [30, 20 + 30, 10, 0, 0, 0, 0]
    assert activity.totals(listed).active == pytest.approx(5 / 7)
    year = activity.buckets(game, windows.span("365d", until=date(2026, 4, 2)))
    assert len(year) == 52
    assert [one.active for one in year[-5:]] == [4, 1, 0, 0, 1]
    assert [one.monthly for one in year[-5:]] == [4, 4, 4, 4, 3]  # p-4 of 4 March is the last of 30 days
    first, players = activity.ever(game)
    assert (first, players) == (date(2026, 3, 2), 4)
    months = activity.buckets(game, windows.span("all", until=date(2026, 4, 2), first=first))
    assert [(one.at, one.active, one.new, one.unlocks) for one in months] == [
        (date(2026, 3, 1), 4, 4, 7),
        (date(2026, 4, 1), 1, 0, 1),
    ]


def test_a_span_is_compared_with_the_one_before_it() -> None:
    span = windows.span("7d", until=date(2026, 3, 8))
    before = span.before()
    assert before is not None
    assert (before.since, before.until, before.days) == (date(2026, 2, 23), date(2026, 3, 1), 7)
    year = windows.span("365d", until=date(2026, 3, 8)).before()
    assert year is not None
    assert (year.days, len(list(year.steps())), year.since.weekday()) == (364, 52, 0)
    assert windows.span("all", until=date(2026, 3, 8)).before() is None


def test_regions_share_a_span(game: int) -> None:
    span = windows.span("7d", until=date(2026, 3, 8))
    found = activity.regions(game, span)
    assert [(one.region, one.active * 7, one.new, one.unlocks, one.points) for one in found] == [
        ("EU", 3, 2, 4, 60),
        ("", 1, 1, 1, 10),
        ("NA", 1, 1, 1, 20),
    ]


def test_cohorts_tell_who_came_back(game: int) -> None:
    first = date(2026, 3, 2)
    found = cohorts.cohorts(game, since=first, until=first + 2 * DAY, today=first + 12 * DAY)
    assert [one.players for one in found] == [2, 1, 1]
    assert [age for age, there in enumerate(found[0].kept) if there] == [0, 1, 10]
    assert found[0].percent(1) == 50
    assert found[0].percent(12) is None
    assert found[0].kept[11] == 0
    assert cohorts.average(found)[0] == 100
    assert cohorts.average(found)[1] == 25
    assert cohorts.average(found)[11] == 0  # only the first cohort is that old
    assert cohorts.average(found)[12] is None


def test_achievements_tell_how_long_they_take(game: int) -> None:
    span = windows.span("7d", until=date(2026, 3, 8))
    assert all(row.timing is None for row in achievements.rows(game, span))
    assert distributions.take_some() == 1
    assert distributions.take_some() == 0
    found = {row.achievement.key: row for row in achievements.rows(game, span)}
    assert list(found) == ["a", "b", "c"]
    assert (found["a"].unlocked, found["a"].players, found["a"].percent) == (4, 4, 100)
    assert (found["a"].in_span, found["b"].in_span, found["c"].in_span) == (3, 3, 0)
    a = found["a"].timing
    assert a is not None
    assert (a.players, a.first_at, a.last_at) == (4, BEGIN, BEGIN + 31 * DAY)
    assert (a.median_s, a.p90_s, a.order) == (0, 31 * 86_400, 1)
    b = found["b"].timing
    assert b is not None
    assert (b.median_s, b.p90_s, b.order) == (100, 86_400, 2)


def test_who_does_not_count_is_left_out_of_what_is_taken(game: int) -> None:
    held = Unlock.objects.values_list("player_id", flat=True).distinct()
    Played.objects.filter(player_id=min(held)).update(counts=False)
    taken = distributions.keep(game)
    assert {timing.players for timing in taken.timings.values()} == {3, 2}
    assert taken.completion == [0, 1, 2]
    assert spreads.taken(game) == taken


@pytest.mark.slow
def test_values_and_playtime_are_spread(game: int) -> None:
    made = Achievement.objects.filter(game_id=game).first()
    assert made is not None
    stat = factories.stat(made.game)
    for number in range(1, 101):
        player = factories.player(made.game.studio, f"s-{number}")
        StatValue.objects.create(
            player_id=player.pk,
            stat=stat,
            studio_id=stat.studio_id,
            value=number,
            reached_at=BEGIN,
            version=1,
        )
    spread = distributions.keep(game).values[stat.pk]
    assert (spread.players, spread.p10, spread.p50, spread.p90) == (100, 10, 50, 90)
    assert sum(bar[2] for bar in spread.bars) == 100
    assert spread.bars[0][0] == 1
    assert spread.bars[-1][2] == 6  # 95 to 100


def test_the_playtime_and_values_of_who_does_not_count_are_left_out(game: int) -> None:
    held = sorted(set(Unlock.objects.values_list("player_id", flat=True)))
    made = Game.objects.get(pk=game)
    stat = factories.stat(made)
    for number, player_id in enumerate(held, start=1):
        StatValue.objects.create(
            player_id=player_id,
            stat=stat,
            studio_id=made.studio_id,
            value=number,
            reached_at=BEGIN,
            version=1,
        )
        Playtime.objects.create(
            player_id=player_id,
            game=made,
            studio_id=made.studio_id,
            session_id=uuid4(),
            first_at=BEGIN,
            started_at=BEGIN,
            seen_at=BEGIN,
            has_ended=True,
            session_ms=0,
            total_ms=number * 1000,
            sessions=1,
        )
    Played.objects.filter(player_id=held[-1]).update(counts=False)
    taken = distributions.keep(game)
    assert taken.playtime is not None
    for spread, most in ((taken.values[stat.pk], 3), (taken.playtime, 3000)):
        assert (spread.players, spread.p90) == (3, most)


def test_a_funnel_counts_who_went_on_in_order(game: int) -> None:
    ids = dict(Achievement.objects.filter(game_id=game).values_list("key", "id"))
    assert funnels.funnel(game, [ids["a"], ids["b"], ids["c"]]).reached == (4, 2, 1)
    assert funnels.funnel(game, [ids["b"], ids["a"]]).reached == (3, 1)
    Unlock.objects.filter(achievement_id=ids["c"]).update(event_id=uuid4(), unlocked_at=BEGIN)
    assert funnels.funnel(game, [ids["a"], ids["b"], ids["c"]]).reached == (4, 2, 1)  # kept for a while


def test_what_waits_in_the_log_makes_figures_older(game: int) -> None:
    now = timezone.now()
    assert (now - freshness.as_of(now=now)).total_seconds() < 5
    made = Achievement.objects.get(game_id=game, key="c")
    studio = made.game.studio
    unlock(factories.api(factories.server_key(studio)), str(made.game.uuid), "p-9", "c", BEGIN)
    later = timezone.now() + timedelta(hours=1)
    assert (later - freshness.as_of(now=later)).total_seconds() > 3000
    followers.drain(counting.FOLLOWER)
    assert (timezone.now() - freshness.as_of(now=later)).total_seconds() < 60
