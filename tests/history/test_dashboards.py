"""Dashboards: right when built, kept and marked, built by one, never dependent on Valkey."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Player
from config.embedded import Servers
from core import facts, followers
from history import dashboards, keys
from history.selectors import served
from history.selectors.dashboards import dashboard
from history.selectors.showing import Audience
from history.services import dashboards as services
from leaderboards import estimating
from social.models import Friendship
from tests import factories
from tests.factories import Api
from tests.patience import LONG_S, valkey_frozen
from tests.stats.world import World

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/players/p-1/dashboard"


@pytest.fixture
def world(transactional_db: None) -> World:
    made = World.create()
    factories.achievements(made.game, {f"a{number}": 10 for number in range(4)})
    return made


def unlock(world: World, key: str, player: str = "p-1", game: Any = None) -> None:
    body = {"game_id": str((game or world.game).uuid), "player": player, "achievement": key}
    assert world.api().post("/achievements/unlock", body).status_code == 202


def look(api: Api, path: str = PATH) -> tuple[str, dict[str, Any]]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.content
    return answer["X-Cache"], answer.json()


def follow() -> None:
    for name in ("leaderboards", "achievements", "history"):
        followers.drain(name)


def one() -> Player:
    return Player.objects.order_by("id")[0]


def test_it_shows_what_the_api_says(world: World) -> None:
    other = factories.game(world.studio)
    factories.achievement(other, "b", points=5)
    unlock(world, "a0")
    unlock(world, "a1")
    unlock(world, "b", game=other)
    unlock(world, "a0", player="p-2")
    follow()
    Friendship.objects.create(player_id=one().pk, friend_id=one().pk + 1, since=timezone.now())
    said, shown = look(world.api())
    assert said == "miss"
    assert set(shown) == {"player", "totals", "games", "recent_unlocks", "trend", "friends", "generated_at"}
    assert shown["player"]["external_id"] == "p-1"
    assert shown["totals"] == {"points": 25, "unlocked": 3, "games": 2, "completion_percent": 60.0}
    assert [(game["name"], game["points"], game["unlocked"], game["total"]) for game in shown["games"]] == [
        (world.game.title, 20, 2, 4),
        (other.title, 5, 1, 1),
    ]
    assert [one["key"] for one in shown["recent_unlocks"]] == ["b", "a1", "a0"]
    assert shown["recent_unlocks"][0]["rarity"]["unlocked"] == 1
    assert (shown["trend"]["bucket"], len(shown["trend"]["points"])) == ("day", 30)
    assert sum(point["value"] for point in shown["trend"]["points"]) == 3
    assert shown["friends"]["count"] == 1
    (friend,) = shown["friends"]["top"]
    assert (friend["player"]["external_id"], friend["points"]) == ("p-2", 10)


def test_of_friends_those_are_shown_whom_the_audience_may_see(world: World) -> None:
    for number in range(3):
        unlock(world, "a0", player=f"p-{number + 1}")
    first, *friends = Player.objects.order_by("id")
    Friendship.objects.bulk_create(
        Friendship(player_id=first.pk, friend_id=friend.pk, since=timezone.now()) for friend in friends
    )
    Player.objects.filter(pk=friends[0].pk).update(visibility="private")
    own = factories.api(factories.player_token(world.game, first))
    for api, path, seen in ((own, "/players/me/dashboard", ["p-3"]), (world.api(), PATH, ["p-2", "p-3"])):
        shown = look(api, path)[1]["friends"]
        names = Player.objects.filter(uuid__in=[row["player"]["id"] for row in shown["top"]])
        assert (shown["count"], sorted(names.values_list("identities__external_id", flat=True))) == (2, seen)


def test_who_has_unlocked_nothing_has_an_empty_one(world: World) -> None:
    factories.player(world.studio)
    _, shown = look(world.api())
    assert shown["totals"] == {"points": 0, "unlocked": 0, "games": 0, "completion_percent": 0.0}
    assert (shown["games"], shown["recent_unlocks"], shown["friends"]) == ([], [], {"count": 0, "top": []})


def test_each_sees_what_is_theirs(world: World) -> None:
    other = factories.game(world.studio)
    factories.achievement(other, "b", points=5)
    unlock(world, "a0")
    unlock(world, "b", game=other)
    player = one()
    stranger = factories.studio()
    assert factories.api(factories.server_key(stranger)).get(PATH).status_code == 404
    assert (
        factories.api(factories.server_key(stranger)).get(f"/players/id:{player.uuid}/dashboard").status_code
        == 404
    )
    assert (
        factories.api(factories.server_key(world.studio, scopes=["stats:write"])).get(PATH).status_code == 403
    )
    assert factories.api().get(PATH).status_code == 401
    narrow = factories.api(factories.server_key(world.studio, game=other))
    own = factories.api(factories.player_token(world.game, player))
    assert look(world.api())[1]["totals"]["points"] == 15
    assert look(narrow)[1]["totals"]["points"] == 5
    said, mine = look(own, "/players/me/dashboard")
    assert (said, mine["totals"]["points"]) == ("miss", 15)
    assert "external_id" not in mine["player"]
    factories.player(world.studio, "p-2")
    assert own.get("/players/p-2/dashboard").status_code == 404


def test_it_is_kept_marked_stale_and_built_by_a_worker(world: World) -> None:
    unlock(world, "a0")
    follow()
    assert look(world.api())[0] == "miss"
    said, before = look(world.api())
    assert said == "hit"
    unlock(world, "a1")
    assert look(world.api())[0] == "hit"  # nobody has heard of it yet
    follow()
    said, shown = look(world.api())
    assert (said, shown) == ("stale", before)
    assert services.build_some() >= 1
    said, after = look(world.api())
    assert (said, after["totals"]["points"]) == ("hit", 20)
    assert after["games"][0]["rank"] == 1


def test_an_unlock_has_it_built_anew_without_anybody_looking(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SETTLES_S", 0.0)
    unlock(world, "a0")
    follow()
    own = factories.api(factories.player_token(world.game, one()))
    look(world.api())
    look(own, "/players/me/dashboard")
    unlock(world, "a1")
    follow()
    services.build_some()
    for api, path in ((world.api(), PATH), (own, "/players/me/dashboard")):
        said, shown = look(api, path)
        assert (said, shown["totals"]["points"]) == ("hit", 20)


def test_what_nobody_looks_at_is_built_when_somebody_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SETTLES_S", 0.0)
    unlock(world, "a0")
    follow()
    services.build_some()
    unlock(world, "a1")
    follow()
    assert services.build_some() == 0
    own = factories.api(factories.player_token(world.game, one()))
    assert look(own, "/players/me/dashboard")[0] == "stale"
    assert services.build_some() == 1
    assert look(own, "/players/me/dashboard")[0] == "hit"


def test_who_is_active_finds_it_warm(world: World) -> None:
    unlock(world, "a0")
    follow()
    assert services.build_some() == 1
    own = factories.api(factories.player_token(world.game, one()))
    assert look(own, "/players/me/dashboard")[0] == "hit"
    assert services.build_some() == 0


def test_what_happened_long_ago_warms_nothing(world: World) -> None:
    unlock(world, "a0")
    told = facts.read_after(0, 0, kinds=services.KINDS)
    services.mark(told, now=timezone.now() + timedelta(days=2))
    assert services.build_some() == 0


@pytest.mark.parametrize("change", ["name", "revoke", "friend"])
def test_other_changes_make_it_stale_too(world: World, change: str) -> None:
    unlock(world, "a0")
    factories.player(world.studio, "p-2")
    follow()
    look(world.api())
    player, other = Player.objects.order_by("id")
    if change == "name":
        world.api().put("/players/p-1", {"display_name": "Anna"})
    elif change == "revoke":
        body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "a0", "reason": "why"}
        world.api().post("/achievements/revoke", body)
    else:
        mine = factories.api(factories.player_token(world.game, player))
        theirs = factories.api(factories.player_token(world.game, other))
        request = mine.post("/players/me/friend-requests", {"to": f"id:{other.uuid}"}).json()
        theirs.post(f"/players/me/friend-requests/{request['id']}/accept", {})
    follow()
    assert look(world.api())[0] == "stale"


def test_what_changes_while_it_is_built_makes_it_stale(world: World) -> None:
    unlock(world, "a0")
    follow()
    built_at = dashboards.begin(one().pk)
    unlock(world, "a1")
    follow()
    dashboards.keep(one().pk, Audience(world.studio.pk), b"{}", built_at=built_at, is_settled=True)
    assert look(world.api()) == ("stale", {})


def test_it_ages_within_its_minutes_and_by_chance(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def pass_time(seconds: int) -> None:
        monkeypatch.setattr("core.clock._behind", timedelta(seconds=seconds))

    for _ in range(50):
        pass_time(0)
        dashboards.keep(1, Audience(), b"x", built_at=dashboards.begin(1), is_settled=True)
        pass_time(299)
        assert dashboards.read(1, Audience()) == dashboards.Kept(b"x", True)
        pass_time(901 + 5)
        assert dashboards.read(1, Audience()) == dashboards.Kept(b"x", False)


def test_a_rank_that_is_not_known_yet_is_asked_again_soon(world: World) -> None:
    unlock(world, "a0")
    made = dashboard(player_id=one().pk, time_zone="UTC", audience=Audience(), at=timezone.now())
    assert (made.content["games"][0]["rank"], made.is_settled) == (None, False)
    follow()
    later = dashboard(player_id=one().pk, time_zone="UTC", audience=Audience(), at=timezone.now())
    assert (later.content["games"][0]["rank"], later.is_settled) == (1, True)
    unlock(world, "a1")
    ahead = dashboard(player_id=one().pk, time_zone="UTC", audience=Audience(), at=timezone.now())
    assert (ahead.content["games"][0]["points"], ahead.is_settled) == (20, False)


def test_a_cold_build_costs_the_same_for_any_number_of_games(world: World) -> None:
    def queries(audience: Audience) -> int:
        estimating.large()  # is kept for some seconds
        with CaptureQueriesContext(connection) as captured:
            dashboard(player_id=one().pk, time_zone="UTC", audience=audience, at=timezone.now())
        return len(captured)

    unlock(world, "a0")
    factories.player(world.studio, "p-2")
    Friendship.objects.create(player_id=one().pk, friend_id=one().pk + 1, since=timezone.now())
    few = queries(Audience()), queries(Audience(world.studio.pk))
    for _ in range(12):
        game = factories.game(world.studio)
        factories.achievement(game, "b")
        unlock(world, "b", game=game)
        unlock(world, "b", player="p-2", game=game)
    assert (queries(Audience()), queries(Audience(world.studio.pk))) == few
    assert max(few) <= 12


def test_of_many_who_come_at_once_one_builds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unlock(world, "a0")
    follow()
    player, builds = one(), []
    build, wait_for, all_wait = served._build, served._wait_for, threading.Semaphore(0)

    def slow(*args: Any) -> Any:
        builds.append(threading.get_ident())
        for _ in range(5):
            assert all_wait.acquire(timeout=LONG_S)
        return build(*args)

    def wait(*args: Any) -> Any:
        all_wait.release()
        return wait_for(*args)

    monkeypatch.setattr(served, "_build", slow)
    monkeypatch.setattr(served, "_wait_for", wait)
    token = factories.player_token(world.game, player)

    def ask(_: int) -> str:
        try:
            return look(factories.api(token), "/players/me/dashboard")[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(ask, range(6)))
    assert set(said) == {"miss"}
    assert len(builds) == 1


def test_a_builder_that_dies_is_not_waited_for_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "WAITS_S", 0.1)
    unlock(world, "a0")
    assert dashboards.claim(one().pk, Audience(world.studio.pk))
    assert look(world.api())[0] == "miss"
    assert look(world.api())[0] == "hit"


@pytest.mark.slow
def test_without_valkey_it_is_built_each_time(world: World, servers: Servers) -> None:
    unlock(world, "a0")
    follow()
    with valkey_frozen(servers):
        for _ in range(2):
            said, shown = look(world.api())
            assert (said, shown["totals"]["points"], shown["games"][0]["rank"]) == ("miss", 10, None)
        services.mark(facts.read_after(0, 0, kinds=services.KINDS), now=timezone.now())


def test_an_erased_player_is_not_built_for(world: World) -> None:
    unlock(world, "a0")
    follow()
    dashboards.want(one().pk, Audience())
    Player.objects.update(erased_at=timezone.now())
    assert services.build_some() == 0
    assert dashboards.read(one().pk, Audience()) is None


def test_who_knows_the_answer_gets_304(world: World) -> None:
    unlock(world, "a0")
    first = world.api().get(PATH)
    assert first["Cache-Control"] == "private, no-cache"
    again = world.api().get(PATH, If_None_Match=first["ETag"])
    assert (again.status_code, again["X-Cache"]) == (304, "hit")
    assert world.api().get(f"{PATH}?limit=5").status_code == 400


def test_every_key_has_its_player_s_hash_tag() -> None:
    audience = Audience(3, 4)
    names = [keys.dashboard(7, audience), keys.changed(7), keys.looked(7), keys.building(7, audience)]
    assert all("{player:7}" in name for name in names)
    assert len(set(names)) == 4
