"""Unlocks that are taken back: totals, boards, counters and steps follow, and what was is kept."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from django.db.models import Count, Sum
from django.utils import timezone

from accounts import models as accounts
from accounts.models import Player, PlayerIdentity
from achievements.models import (
    AchievementCount,
    ConditionMet,
    PlayerGame,
    PlayerTotal,
    Progress,
    RevokedUnlock,
    Unlock,
)
from achievements.services import recounting
from core import followers
from core.models import AuditEntry
from tests import factories
from tests.held import until_somebody_waits
from tests.patience import LONG_S
from tests.stats.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    made = World.create()
    for number, key in enumerate(("a", "b", "c"), start=1):
        factories.achievement(made.game, key, points=10 * number)
    yield made
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


def body(world: World, key: str, player: str = "p-1", **more: Any) -> dict[str, Any]:
    return {"game_id": str(world.game.uuid), "player": player, "achievement": key, **more}


def unlock(world: World, *keys: str, player: str = "p-1") -> None:
    for key in keys:
        assert world.api().post("/achievements/unlock", body(world, key, player)).status_code in (200, 202)


def revoke(world: World, key: str, player: str = "p-1") -> Any:
    return world.api().post("/achievements/revoke", body(world, key, player, reason="Ticket 4711"))


def reset(world: World, key: str) -> Any:
    try:
        return world.api().post("/achievements/reset", body(world, key, reason="Ticket 4711"))
    finally:
        connections.close_all()


def totals_are_those_of_the_unlocks() -> None:
    for row in PlayerGame.objects.all():
        held = Unlock.objects.filter(player_id=row.player_id, game_id=row.game_id)
        found = held.aggregate(points=Sum("points", default=0), unlocked=Count("achievement_id"))
        assert (row.points, row.unlocked) == (found["points"], found["unlocked"])
    for total in PlayerTotal.objects.all():
        held = Unlock.objects.filter(player_id=total.player_id)
        found = held.aggregate(points=Sum("points", default=0), unlocked=Count("achievement_id"))
        assert (total.points, total.unlocked) == (found["points"], found["unlocked"])


@pytest.mark.slow
def test_steps_are_locked_before_totals_as_reports_lock_them(world: World) -> None:
    factories.achievement(world.game, "steps", type="incremental", target=9)
    assert world.api().post("/achievements/progress", body(world, "steps", steps=3)).status_code == 202
    unlock(world, "a")
    settings = connection.get_connection_params()
    with ThreadPoolExecutor(1) as pool, psycopg.connect(**settings) as report:
        report.execute("SELECT FROM achievements_progress FOR UPDATE")
        done = pool.submit(reset, world, "steps")
        until_somebody_waits()
        report.execute("SELECT FROM achievements_playergame FOR UPDATE NOWAIT")
        report.rollback()
        assert done.result(LONG_S).status_code == 202
    totals_are_those_of_the_unlocks()


def test_totals_follow_at_once_and_what_was_is_kept(world: World) -> None:
    unlock(world, "a", "b")
    before = Unlock.objects.get(achievement__key="b")
    answer = revoke(world, "b")
    assert answer.status_code == 202
    said = answer.json()
    assert (said["status"], said["points"]) == ("revoked", 20)
    assert said["totals"] == {"points": 10, "unlocked": 1, "available": 3}
    totals_are_those_of_the_unlocks()
    kept = RevokedUnlock.objects.get()
    assert (kept.points, kept.unlocked_at, kept.event_id) == (20, before.unlocked_at, before.event_id)
    entry = AuditEntry.objects.get()
    assert (entry.reason, entry.details["achievements"]) == ("Ticket 4711", ["b"])
    assert entry.object_id == str(Player.objects.get().uuid)
    (listed,) = world.api().get(f"/players/p-1/revokes?game_id={world.game.uuid}").json()["results"]
    assert (listed["achievement"], listed["reason"]) == ("b", "Ticket 4711")
    shown = world.api().get(f"/players/p-1/achievements?game_id={world.game.uuid}").json()["results"]
    assert {one["key"]: one["unlocked"] for one in shown} == {"a": True, "b": False, "c": False}


def test_what_is_not_unlocked_changes_nothing(world: World) -> None:
    unlock(world, "a")
    answer = revoke(world, "b")
    assert (answer.status_code, answer.json()["status"]) == (200, "not_unlocked")
    assert not RevokedUnlock.objects.exists()
    assert not AuditEntry.objects.exists()
    assert PlayerGame.objects.get().version == 1


@pytest.mark.parametrize("path", ["/achievements/revoke", "/achievements/reset"])
def test_ids_are_taken_as_they_are_outer_spaces_included(world: World, path: str) -> None:
    unlock(world, "a")
    for named in (body(world, "a", " p-1"), body(world, "a", "p-1 "), body(world, " a")):
        assert world.api().post(path, named | {"reason": "Ticket 4711"}).status_code == 404
    assert Unlock.objects.count() == 1
    unlock(world, "a", player=" p-1")
    asked = body(world, "a", " p-1") | {"reason": "Ticket 4711"}
    assert world.api().post(path, asked).status_code == 202
    assert Unlock.objects.get().player_id == PlayerIdentity.objects.get(external_id="p-1").player_id


def test_it_may_be_unlocked_again_and_is_worth_what_it_is_then(world: World) -> None:
    unlock(world, "a")
    revoke(world, "a")
    world.api().patch(f"/games/{world.game.uuid}/achievements/a", {"points": 70})
    unlock(world, "a")
    assert PlayerGame.objects.get().points == 70
    totals_are_those_of_the_unlocks()


@pytest.mark.slow
def test_boards_follow(world: World) -> None:
    unlock(world, "c", player="anna")
    unlock(world, "b", "a", player="ben")
    unlock(world, "a", player="cleo")

    def ranks() -> list[tuple[str, int]]:
        for name in ("achievements", "leaderboards"):
            followers.follow(name)
        answer = world.api().get(f"/leaderboards/{world.game.uuid}").json()
        return [(one["player"]["external_id"], one["score"]) for one in answer["results"]]

    assert ranks() == [("anna", 30), ("ben", 30), ("cleo", 10)]
    revoke(world, "c", player="anna")
    assert ranks() == [("ben", 30), ("cleo", 10), ("anna", 0)]
    revoke(world, "b", player="ben")
    # Of equal scores who reached it first is first: ben was at 10 with his last unlock, before cleo.
    assert ranks() == [("ben", 10), ("cleo", 10), ("anna", 0)]


@pytest.mark.slow
def test_over_all_games_who_reached_it_first_is_first_again(world: World) -> None:
    unlock(world, "a", player="anna")
    unlock(world, "a", player="ben")
    unlock(world, "b", player="anna")
    revoke(world, "b", player="anna")
    for name in ("achievements", "leaderboards"):
        followers.follow(name)
    for board in (world.game.uuid, "global"):
        listed = world.api().get(f"/leaderboards/{board}").json()["results"]
        assert [one["player"]["external_id"] for one in listed] == ["anna", "ben"], board


def test_who_lost_everything_begins_anew(world: World) -> None:
    now = timezone.now()
    for days, key in ((300, "a"), (1, "b"), (200, "c")):
        at = (now - timedelta(days=days)).isoformat()
        assert world.api().post("/achievements/unlock", body(world, key, unlocked_at=at)).status_code == 202
        held, totals = Unlock.objects.get(), PlayerGame.objects.get()
        assert totals.first_unlock_at == totals.last_unlock_at == held.unlocked_at
        revoke(world, key)


@pytest.mark.slow
def test_counters_follow_and_a_recount_agrees(world: World) -> None:
    unlock(world, "a", player="anna")
    unlock(world, "a", player="ben")
    followers.follow("achievements")
    revoke(world, "a", player="anna")
    assert recounting.recount() == 0  # the revoke is not counted yet
    followers.follow("achievements")
    assert AchievementCount.objects.get().unlocked == 1
    assert recounting.recount() == 0


def test_steps_and_conditions_begin_anew(world: World) -> None:
    factories.stat(world.game, "streak", aggregation="last")
    factories.achievement(world.game, "doors", type="incremental", target=5)
    factories.achievement(world.game, "streaky", type="incremental", stat="streak", target=3)
    world.api().post("/achievements/progress", body(world, "doors", steps=5))
    world.report(streak={"set": 4})
    version = Progress.objects.get().version
    assert revoke(world, "doors").status_code == 202
    assert revoke(world, "streaky").status_code == 202
    row = Progress.objects.get()
    assert row.current == 0
    assert row.version > version
    assert not ConditionMet.objects.exists()
    said = world.api().post("/achievements/progress", body(world, "doors", steps=1)).json()
    assert said == {"current": 1, "target": 5, "unlocked": False}
    world.report(streak={"set": 5})
    assert not Unlock.objects.exists()  # it held before the report
    world.report(streak={"set": 0})
    world.report(streak={"set": 3})
    assert Unlock.objects.get().achievement.key == "streaky"


def test_a_reset_takes_one_or_all_of_a_game(world: World) -> None:
    factories.achievement(world.game, "doors", type="incremental", target=5)
    world.api().post("/achievements/progress", body(world, "doors", steps=3))
    unlock(world, "a", "b", "c")
    path = "/achievements/reset"
    asked = {"game_id": str(world.game.uuid), "player": "p-1", "reason": "He asked for it"}
    assert world.api().post(path, {**asked, "achievement": "a"}).json() == {"revoked": 1, "progress": 0}
    assert world.api().post(path, asked).json() == {"revoked": 2, "progress": 1}
    assert world.api().post(path, asked).json() == {"revoked": 0, "progress": 0}
    assert (PlayerGame.objects.get().points, Progress.objects.get().current) == (0, 0)
    totals_are_those_of_the_unlocks()


def test_everything_is_for_testers(world: World) -> None:
    other = factories.game(world.studio)
    factories.achievement(other, "z")
    unlock(world, "a")
    world.api().post("/achievements/unlock", {**body(world, "z"), "game_id": str(other.uuid)})
    asked = {"player": "p-1", "everything": True, "reason": "New build"}
    assert world.api().post("/achievements/reset", asked).status_code == 409
    player = accounts.Player.objects.get()
    for game in (world.game, other):
        accounts.Tester.objects.create(game=game, player=player)
    assert world.api().post("/achievements/reset", asked).json() == {"revoked": 2, "progress": 0}
    totals_are_those_of_the_unlocks()
    assert world.api().post("/achievements/reset", {**asked, "achievement": "a"}).status_code == 400


@pytest.mark.parametrize("value", ["true", "yes", 1, None, [True], {}])
def test_everything_is_true_or_false(world: World, value: object) -> None:
    unlock(world, "a")
    accounts.Tester.objects.create(game=world.game, player=accounts.Player.objects.get())
    answer = world.api().post("/achievements/reset", {"player": "p-1", "everything": value, "reason": "why"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/everything"
    assert Unlock.objects.count() == 1


def test_a_key_of_one_game_does_not_reset_the_others(world: World) -> None:
    other = factories.game(world.studio)
    factories.achievement(other, "z")
    world.api().post("/achievements/unlock", {**body(world, "z"), "game_id": str(other.uuid)})
    player = accounts.Player.objects.get()
    for game in (world.game, other):
        accounts.Tester.objects.create(game=game, player=player)
    mine = factories.api(factories.server_key(world.studio, game=world.game))
    asked = {"player": "p-1", "everything": True, "reason": "New build"}
    assert mine.post("/achievements/reset", asked).status_code == 403
    assert Unlock.objects.count() == 1


def test_a_draft_that_was_revoked_is_not_deleted(world: World) -> None:
    factories.achievement(world.game, "draft", state="draft")
    player = factories.player(world.studio, "p-1")
    accounts.Tester.objects.create(game=world.game, player=player)
    unlock(world, "draft")
    revoke(world, "draft")
    answer = world.api().delete(f"/games/{world.game.uuid}/achievements/draft")
    assert answer.status_code == 409
    assert RevokedUnlock.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"achievement": "nobody"}, 404),
        ({"player": "stranger"}, 404),
        ({"game_id": "x"}, 404),
        ({"reason": ""}, 422),
        ({"reason": None}, 422),
        ({"reason": "x" * 501}, 422),
        ({"reason": "\ud83d\ude00" * 501}, 422),
        ({"achievement": 5}, 422),
        ({"more": 1}, 400),
    ],
)
def test_bad_input_changes_nothing(world: World, changed: dict[str, Any], status: int) -> None:
    unlock(world, "a")
    for path in ("/achievements/revoke", "/achievements/reset"):
        answer = world.api().post(path, {**body(world, "a", reason="why"), **changed})
        assert answer.status_code == status, answer.content
    assert Unlock.objects.count() == 1
    assert not RevokedUnlock.objects.exists()


def test_neither_players_nor_other_studios_revoke(world: World) -> None:
    unlock(world, "a")
    player = accounts.Player.objects.get()
    asked = body(world, "a", reason="why")
    mine = factories.api(factories.player_token(world.game, player))
    assert mine.post("/achievements/revoke", asked).status_code == 403
    reader = factories.api(factories.server_key(world.studio, scopes=["players:read"]))
    assert reader.post("/achievements/revoke", asked).status_code == 403
    stranger = factories.api(factories.server_key(factories.studio("Other")))
    assert stranger.post("/achievements/revoke", asked).status_code == 404
    assert stranger.get(f"/players/p-1/revokes?game_id={world.game.uuid}").status_code == 404
    assert Unlock.objects.count() == 1


def test_unlocks_and_revokes_that_meet_leave_totals_right(world: World) -> None:
    def work(number: int) -> None:
        for step in range(12):
            key = "abc"[(number + step) % 3]
            if number % 2:
                assert revoke(world, key).status_code in (200, 202, 404)
            else:
                unlock(world, key)
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    totals_are_those_of_the_unlocks()
    unlocked_once = Unlock.objects.count() + RevokedUnlock.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(size) FILTER (WHERE kind = 'achievements_unlocked'),"
            " coalesce(sum(size) FILTER (WHERE kind = 'achievements_revoked'), 0) FROM core_fact"
        )
        assert cursor.fetchone() == (unlocked_once, RevokedUnlock.objects.count())
    followers.follow("achievements")
    assert recounting.recount() == 0
