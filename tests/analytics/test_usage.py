"""What a studio used, and how much of its limits: counted once, whatever is read again."""

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from analytics.counts import Place
from analytics.models import ActivePlayer, Usage
from analytics.rules import attendance
from analytics.selectors import usage as selectors
from analytics.services import usage
from core import followers, limits
from core.facts import Fact
from core.ids import new_id
from tests import factories
from tests.accounts.calls import write
from tests.accounts.members import House
from webhooks.services import endpoints

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    return House()


def unlocked(studio_id: int, players: list[int], *, at: datetime = AT, number: int = 1, **more: Any) -> Fact:
    rows = [[player, 1, 10, 0, 0, "x"] for player in players]
    payload = {"game": studio_id, "unlocks": rows, "totals": [], "silent": False} | more
    return Fact(number, number, at, "achievements_unlocked", studio_id, payload, len(rows))


def tell(*facts: Fact) -> None:
    """Let facts be counted whose players were there on their days."""
    new = {
        Place(fact.payload["game"], row[0], attendance.number_of(fact.at.date()))
        for fact in facts
        for row in fact.payload.get("unlocks", ())
    }
    usage.count(facts, new, now=AT)


def counts(studio_id: int) -> dict[str, int]:
    return {f"{row.day:%m-%d} {row.kind}": row.count for row in Usage.objects.filter(studio_id=studio_id)}


def page(house: House, *, by: str = "owner") -> str:
    cache.clear()
    answer = house.client(by).get(house.path("usage"))
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_everybody_of_the_studio_may_look(house: House) -> None:
    assert house.statuses("get", "usage") == {
        "owner": 200,
        "admin": 200,
        "developer": 200,
        "support": 200,
        "analyst": 200,
        "outsider": 404,
        "signed out": 302,
    }


def test_players_count_once_a_day_and_once_a_month() -> None:
    day = timedelta(days=1)
    tell(unlocked(1, [7, 8]), unlocked(1, [8], number=2), unlocked(2, [7], number=3))
    tell(unlocked(1, [8, 9], at=AT + day, number=4))
    tell(unlocked(1, [8], at=AT + 10 * day, number=5))
    assert counts(1) == {
        "11-26 unlocks": 3,
        "11-26 players": 2,
        "11-27 unlocks": 2,
        "11-27 players": 2,
        "12-06 unlocks": 1,
        "12-06 players": 1,
        "11-01 players_month": 3,
        "12-01 players_month": 1,
    }
    assert counts(2) == {"11-26 unlocks": 1, "11-26 players": 1, "11-01 players_month": 1}


def test_who_becomes_another_player_counts_once() -> None:
    tell(unlocked(1, [7, 8]), unlocked(2, [7], number=2), unlocked(1, [9], number=3))
    joined = Fact(4, 4, AT, "players_joined", None, {"players": [[7, 8]]})
    usage.count([joined], [], now=AT)
    assert counts(1) == {"11-26 unlocks": 3, "11-26 players": 2, "11-01 players_month": 2}
    assert counts(2) == {"11-26 unlocks": 1, "11-26 players": 1, "11-01 players_month": 1}
    assert set(ActivePlayer.objects.values_list("player_id", flat=True)) == {8, 9}
    usage.count([joined], [], now=AT)
    assert counts(1)["11-26 players"] == 2


def test_what_nobody_played_for_is_not_counted() -> None:
    score = Fact(1, 1, AT, "scores_changed", 1, {"main": False, "scores": [[7, "", 1, 1, 1, True, ""]]})
    changed = Fact(2, 2, AT, "players_changed", 1, {"players": [[7, "EU"]], "created": False})
    usage.count([unlocked(1, [7], silent=True), score, changed], [], now=AT)
    assert counts(1) == {}


@pytest.mark.django_db(transaction=True)
def test_what_games_do_is_counted_from_the_log(house: House) -> None:
    factories.achievement(house.game, "first")
    factories.stat(house.game, "kills")
    factories.leaderboard(house.game, "best")
    api = factories.api(factories.server_key(house.studio))
    game = str(house.game.uuid)
    for player in ("a", "b"):
        body = {"game_id": game, "player": player, "achievement": "first"}
        assert api.post("/achievements/unlock", body).status_code == 202
        report = {
            "game_id": game,
            "player": player,
            "stats": {"kills": {"add": 3}},
            "event_id": str(new_id()),
        }
        assert api.post("/stats/report", report).status_code == 202
        assert api.post(f"/leaderboards/{game}/best/scores", {"player": player, "score": 5}).status_code < 300
    assert api.get("/games/nothing").status_code == 404
    followers.drain("analytics")
    write()
    cache.clear()
    [today, *_] = selectors.used(house.studio.pk, at=timezone.now()).days
    assert dict(zip(selectors.COLUMNS, today.counts, strict=True)) == {
        "ok": 6,
        "refused": 1,
        "failed": 0,
        "unlocks": 2,
        "values": 2,
        "scores": 2,
        "players": 2,
        "new_players": 2,
    }
    [month, *_] = selectors.used(house.studio.pk, at=timezone.now()).months
    assert month.counts == today.counts
    followers.drain("analytics")
    assert ActivePlayer.objects.count() == 4


def test_the_limits_that_are_enforced_are_shown_with_what_is_used(house: House) -> None:
    factories.server_key(house.studio)
    factories.stat(house.game, "kills")
    endpoints.create(
        studio_id=house.studio.pk,
        game_id=None,
        url="https://hooks.example.com/",
        events=["player.created"],
        description="",
        actor="user:x",
        at=timezone.now(),
    )
    factories.server_key(house.elsewhere)
    text = page(house)
    told = {limit.name: limit for limit in limits.of_studio(house.studio.pk)}
    assert {name: limit.used for name, limit in told.items() if limit.used is not None} == {
        "Members, those invited included": 1,
        "Open invitations": 0,
        "API keys that work": 1,
        "Testers of one game": 0,
        "Webhooks": 1,
        "Stats of one game": 1,
        "Leaderboards of one game": 0,
    }
    assert told["Stats of one game"].about == "Emberwake"
    for name in told:
        assert name in text
    assert text.count("<progress") == 7
    assert "1,024 KiB" in text


def test_a_page_asks_little_of_the_database(house: House, django_assert_max_num_queries: Any) -> None:
    page(house)
    with django_assert_max_num_queries(24):  # six of them for the bell, whose count is kept from then on
        page(house)
    with django_assert_max_num_queries(16):
        house.client("owner").get(house.path("usage"))


def test_a_month_counts_nobody_again_while_its_last_days_may_be_told_of() -> None:
    tell(unlocked(1, [7], at=datetime(2026, 10, 3, tzinfo=UTC)))
    usage.keep(now=AT)
    tell(unlocked(1, [7], at=datetime(2026, 10, 20, tzinfo=UTC), number=2))
    assert counts(1)["10-01 players_month"] == 1


def test_who_was_active_long_ago_is_forgotten_and_counts_stay() -> None:
    tell(unlocked(1, [7, 8]))
    usage.keep(now=AT + timedelta(days=100))
    assert not ActivePlayer.objects.exists()
    assert counts(1)["11-26 players"] == 2
