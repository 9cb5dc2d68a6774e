"""A year in review: it adds up to the trends and the unlocks, in the player's time, for whoever may look."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some

from accounts.models import Player
from accounts.selectors import player_of_studio
from core import followers
from history.selectors import recaps
from history.selectors.showing import Audience
from tests import factories
from tests.stats.world import World

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now()
YEAR = NOW.year


@pytest.fixture
def world(transactional_db: None) -> World:
    made = World.create()
    factories.achievements(made.game, {f"a{number}": 10 for number in range(8)})
    return made


def unlock(world: World, key: str, at: datetime, player: str = "p-1", game: Any = None) -> None:
    body = {
        "game_id": str((game or world.game).uuid),
        "player": player,
        "achievement": key,
        "unlocked_at": at.isoformat(),
    }
    assert world.api().post("/achievements/unlock", body).status_code == 202


def recap(world: World, query: str = "", api: Any = None, player: str = "p-1") -> Any:
    followers.drain("achievements")
    followers.drain("history")
    answer = (api or world.api()).get(f"/players/{player}/recap{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_months_games_and_days_add_up(world: World) -> None:
    other = factories.game(world.studio)
    factories.achievement(other, "b", points=5)
    days = [datetime(YEAR - 1, 1, day, 12, tzinfo=UTC) for day in (1, 2, 3, 5)]
    for number, at in enumerate(days):
        unlock(world, f"a{number}", at)
    unlock(world, "a4", days[3] + timedelta(hours=1))
    unlock(world, "b", datetime(YEAR - 2, 6, 1, tzinfo=UTC), game=other)
    unlock(world, "a0", days[0], player="p-2")
    shown = recap(world, f"?year={YEAR - 1}")
    assert (shown["year"], shown["is_over"]) == (YEAR - 1, True)
    assert shown["totals"] == {"unlocks": 5, "points": 50, "playtime": 0.0, "games": 1}
    assert shown["previous_totals"] == {"unlocks": 1, "points": 5, "playtime": 0.0, "games": 1}
    assert [month["unlocks"] for month in shown["months"]] == [5] + [0] * 11
    assert [game["name"] for game in shown["games"]] == [world.game.title]
    assert (shown["days"]["active"], shown["days"]["longest_streak"]) == (4, 3)
    assert shown["days"]["busiest"] == {
        "date": f"{YEAR - 1}-01-05",
        "unlocks": 2,
        "points": 20,
        "playtime": 0.0,
    }
    assert [one["key"] for one in shown["rarest_unlocks"]] == ["a1", "a2", "a3", "a4", "a0"]
    assert (shown["first_unlock"]["key"], shown["last_unlock"]["key"]) == ("a0", "a4")
    assert recap(world, f"?year={YEAR - 2}")["totals"]["unlocks"] == 1
    assert (recap(world)["year"], recap(world)["is_over"]) == (timezone.now().year, False)


def test_who_did_nothing_has_a_year_of_zeros(world: World) -> None:
    factories.player(world.studio)
    shown = recap(world, f"?year={YEAR - 5}")
    assert shown["totals"] == {"unlocks": 0, "points": 0, "playtime": 0.0, "games": 0}
    assert (len(shown["months"]), shown["games"], shown["first_unlock"]) == (12, [], None)
    assert shown["days"] is None  # they are kept for two years
    assert recap(world)["days"] == {"active": 0, "longest_streak": 0, "busiest": None}


def test_a_year_begins_where_the_player_lives(world: World) -> None:
    factories.player(world.studio)
    assert world.api().put("/players/p-1", {"time_zone": "Pacific/Auckland"}).status_code == 200
    unlock(world, "a0", datetime(YEAR - 1, 12, 31, 11, 30, tzinfo=UTC))  # half past midnight there
    unlock(world, "a1", datetime(YEAR - 1, 12, 31, 10, 30, tzinfo=UTC))
    shown = recap(world, f"?year={YEAR}")
    assert shown["starts_at"] == f"{YEAR - 1}-12-31T11:00:00.000Z"
    assert (shown["totals"]["unlocks"], shown["previous_totals"]["unlocks"]) == (1, 1)
    assert shown["first_unlock"]["key"] == "a0"


def test_what_was_taken_back_is_not_in_it(world: World) -> None:
    unlock(world, "a0", NOW)
    unlock(world, "a1", NOW)
    body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "a0", "reason": "why"}
    world.api().post("/achievements/revoke", body)
    shown = recap(world, f"?year={YEAR}")
    assert shown["totals"]["unlocks"] == 1
    assert [one["key"] for one in shown["rarest_unlocks"]] == ["a1"]


def test_each_sees_what_is_theirs(world: World) -> None:
    other = factories.game(world.studio)
    factories.achievement(other, "b", points=5)
    unlock(world, "a0", NOW)
    unlock(world, "b", NOW, game=other)
    player = Player.objects.get()
    stranger = factories.api(factories.server_key(factories.studio()))
    assert stranger.get("/players/p-1/recap").status_code == 404
    assert stranger.get(f"/players/id:{player.uuid}/recap").status_code == 404
    narrow = factories.api(factories.server_key(world.studio, game=other))
    assert recap(world, f"?year={YEAR}", api=narrow)["totals"]["points"] == 5
    own = factories.api(factories.player_token(world.game, player))
    assert recap(world, f"?year={YEAR}", api=own, player="me")["totals"]["points"] == 15


@pytest.mark.parametrize(
    "year", ["", "abc", "1979", str(YEAR + 2), "-2026", "2026.0", "٢٠٢٦", "02026", "99999"]
)
def test_a_year_that_can_t_be_is_refused(world: World, year: str) -> None:
    factories.player(world.studio)
    assert world.api().get(f"/players/p-1/recap?year={year}").status_code == 400


def test_it_costs_the_same_for_any_number_of_games(world: World) -> None:
    def queries() -> int:
        info = player_of_studio(world.studio.pk, "p-1")
        assert info is not None
        with CaptureQueriesContext(connection) as captured:
            recaps.recap(player=info, audience=Audience(world.studio.pk), year=YEAR, at=NOW)
        return len(captured)

    unlock(world, "a0", NOW)
    recap(world)
    few = queries()
    for _ in range(5):
        game = factories.game(world.studio)
        factories.achievement(game, "b")
        unlock(world, "b", NOW, game=game)
    recap(world)
    assert queries() == few


@pytest.mark.slow
@given(some.sets(some.integers(0, 60)))
def test_a_streak_is_the_longest_run_of_days(numbers: set[int]) -> None:
    days = sorted(date(2026, 1, 1) + timedelta(days=number) for number in numbers)
    runs = [
        length
        for start in numbers
        for length in range(1, 62)
        if all(start + n in numbers for n in range(length))
    ]
    assert recaps._longest_streak(days) == max(runs, default=0)
