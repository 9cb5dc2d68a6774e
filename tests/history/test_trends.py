"""Rollups and trends: they add up to what happened, in the player's time, once, whatever is replayed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Player
from achievements.models import Unlock
from core import dead_letters, followers
from core.ids import new_id
from core.models import DeadLetter
from history import partitions, rollups
from history.services import rolling
from stats.models import StatValue
from tests import factories
from tests.history.world import kept_history
from tests.stats.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    made = World.create()
    factories.stat(made.game, "kills")
    factories.stat(made.game, "best", aggregation="max")
    factories.achievements(made.game, {f"a{number}": number for number in range(40)})
    return made


def unlock(world: World, key: str, at: datetime | None = None, player: str = "p-1") -> None:
    body: dict[str, Any] = {"game_id": str(world.game.uuid), "player": player, "achievement": key}
    if at is not None:
        body["unlocked_at"] = at.isoformat()
    assert world.api().post("/achievements/unlock", body).status_code == 202


def revoke(world: World, key: str, player: str = "p-1") -> None:
    body = {"game_id": str(world.game.uuid), "player": player, "achievement": key, "reason": "why"}
    assert world.api().post("/achievements/revoke", body).status_code == 202


def follow() -> None:
    while followers.follow("history"):
        pass


def trend(world: World, metric: str, window: str, player: str = "p-1", **more: Any) -> Any:
    query = "".join(f"&{name}={value}" for name, value in more.items())
    answer = world.api().get(f"/players/{player}/trends?metric={metric}&window={window}{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def total(trend: Any) -> Any:
    return sum(point["value"] for point in trend["points"])


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_buckets_add_up_to_the_totals_across_clock_changes(world: World, zone: str) -> None:
    assert world.api().put("/players/p-1", {"time_zone": zone}).status_code == 200
    chance, now = Random(20261125), timezone.now()
    for number in range(30):
        unlock(world, f"a{number}", now - timedelta(days=360) * chance.random())
    for _ in range(20):
        at = now - timedelta(days=360) * chance.random()
        body = {
            "game_id": str(world.game.uuid),
            "player": "p-1",
            "stats": {
                "kills": {"add": chance.choice([1, 0.25, -0.5])},
                "best": {"set": chance.random() // 0.01},
            },
            "reported_at": at.isoformat(),
            "event_id": str(new_id()),
        }
        assert world.api().post("/stats/report", body).status_code == 202
    for number in range(5):
        revoke(world, f"a{number}")
    follow()
    year = trend(world, "unlocks", "365d")
    assert year["bucket"] == "week"
    assert total(year) == Unlock.objects.count() == 25
    assert total(trend(world, "points", "365d")) == sum(Unlock.objects.values_list("points", flat=True))
    for key in ("kills", "best"):
        held = StatValue.objects.get(stat__key=key).value
        assert Decimal(str(total(trend(world, key, "365d", game_id=world.game.uuid)))) == held
    since = now - timedelta(days=29)
    recent = trend(world, "unlocks", "30d")
    assert len(recent["points"]) == 30
    assert total(recent) >= Unlock.objects.filter(unlocked_at__gte=since).count()
    before = kept_history()
    rolling.rebuild()
    assert kept_history() == before


def test_an_unlock_lies_in_the_player_s_own_day(world: World) -> None:
    world.api().put("/players/p-1", {"time_zone": "Asia/Kathmandu"})
    day = (timezone.now() - timedelta(days=3)).replace(hour=18, minute=20, second=0, microsecond=0)
    unlock(world, "a1", day)  # 00:05 of the next day in Kathmandu
    follow()
    (point,) = [one for one in trend(world, "unlocks", "30d")["points"] if one["value"]]
    assert point["at"] == (day.replace(hour=18, minute=15)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    hours = trend(world, "unlocks", "7d")
    (point,) = [one for one in hours["points"] if one["value"]]
    assert point["at"].endswith(":15:00.000Z")


def test_a_replayed_log_adds_nothing(world: World) -> None:
    unlock(world, "a1")
    world.report(kills={"add": 3})
    follow()
    before = kept_history()
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM core_fact")
        (first,) = cursor.fetchone()
    followers.rewind("history", fact_id=first)
    follow()
    assert kept_history() == before


@pytest.mark.slow
def test_a_dead_letter_that_is_replayed_adds_up_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unlock(world, "a1")
    with monkeypatch.context() as broken:
        broken.setattr(rollups, "add", None)
        while not DeadLetter.objects.exists():
            followers.drain("history")
    unlock(world, "a2")
    follow()
    assert total(trend(world, "unlocks", "7d")) == 1
    letter = DeadLetter.objects.get()
    dead_letters.replay(letter.pk)
    assert total(trend(world, "unlocks", "7d")) == 2
    followers.rewind("history", fact_id=letter.fact_id)
    follow()
    assert total(trend(world, "unlocks", "7d")) == 2


def test_a_log_that_is_heard_again_brings_a_dead_letter_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock(world, "a1")
    with monkeypatch.context() as broken:
        broken.setattr(rollups, "add", None)
        while not DeadLetter.objects.exists():
            followers.drain("history")
    unlock(world, "a2")
    follow()
    rolling.rebuild()
    assert total(trend(world, "unlocks", "7d")) == 2
    assert DeadLetter.objects.get().replayed_at is not None


@pytest.mark.parametrize("moves", [("Asia/Kathmandu", "UTC"), ("Pacific/Kiritimati", "Pacific/Pago_Pago")])
def test_who_moves_to_another_zone_takes_everything_along(world: World, moves: tuple[str, str]) -> None:
    before, after = moves
    world.api().put("/players/p-1", {"time_zone": before})
    unlock(world, "a1")
    world.report(kills={"add": 3})
    follow()
    world.api().put("/players/p-1", {"time_zone": after})
    for window in ("7d", "30d", "365d"):
        assert total(trend(world, "unlocks", window)) == 1, window
        assert total(trend(world, "kills", window, game_id=world.game.uuid)) == 3, window


def test_what_is_older_than_a_level_keeps_is_in_months_only(world: World) -> None:
    unlock(world, "a1", datetime(1999, 12, 31, 23, tzinfo=UTC))
    follow()
    kept = kept_history()
    assert len(kept["history_activity_month"]) == 1
    assert not any(kept[f"history_activity_{level}"] for level in ("hour", "day", "week"))


def test_a_studio_sees_its_own_games_only(world: World) -> None:
    unlock(world, "a7")
    follow()
    assert total(trend(world, "points", "7d")) == 7
    stranger = factories.studio("Other")
    other = factories.api(factories.server_key(stranger))
    path = "/players/p-1/trends?metric=points&window=7d"
    assert other.get(path).status_code == 404
    other.put("/players/p-1", {})
    answer = other.get(f"{path}&game_id={world.game.uuid}")
    assert answer.status_code == 404
    assert total(other.get(path).json()) == 0
    mine = factories.api(factories.player_token(world.game, Player.objects.order_by("id")[0]))
    assert total(mine.get(path.replace("p-1", "me")).json()) == 7


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("metric=unlocks&window=8d", 400),
        ("metric=unlocks", 400),
        ("window=7d", 400),
        ("metric=unlocks&window=7d&window=7d", 400),
        ("metric=unlocks&window=7d&time_zone=UTC", 400),
        ("metric=unlocks&window=7d&game_id=x", 404),
        ("metric=unlocks&window=7d&game_id=019ab39f-11aa-7c00-8000-5a5a5a5a5a5a", 404),
        ("metric=nothing&window=7d&game_id={game}", 404),
        ("metric=foreign&window=7d&game_id={game}", 404),
        ("metric=kills&window=7d", 422),
    ],
)
def test_what_can_t_be_asked_is_refused(world: World, query: str, status: int) -> None:
    factories.stat(factories.game(world.studio), "foreign")
    factories.player(world.studio, "p-1")
    answer = world.api().get(f"/players/p-1/trends?{query.format(game=world.game.uuid)}")
    assert answer.status_code == status, answer.content


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "europe/berlin", "../etc/passwd", 5, None])
def test_a_time_zone_that_does_not_exist_is_refused(world: World, zone: object) -> None:
    answer = world.api().put("/players/p-1", {"time_zone": zone})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/time_zone"
    assert not Player.objects.exists()


def test_tables_are_made_ahead_and_listed(world: World) -> None:
    now = datetime(2031, 12, 30, tzinfo=UTC)
    try:
        made = partitions.ensure(now=now)
        assert "history_activity_hour_20320102" in made
        assert "history_stat_day_20320201" in made
        assert "history_activity_week_20320101" in made
        assert partitions.ensure(now=now) == []
        names = [one.name for one in partitions.listed()]
        assert {*made, "history_activity_hour_other"} <= set(names)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {', '.join(made)}")
