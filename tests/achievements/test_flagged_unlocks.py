"""Implausible unlocks: answered like any other, and kept apart."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from achievements.models import FlaggedUnlock, Plausibility, PlayerGame, PlayerTotal, Unlock
from achievements.services import backfills
from achievements.unlocking import RECORD
from core.clock import rfc3339
from core.ids import new_id
from core.models import AuditEntry
from tests import factories
from tests.achievements.test_unlock_api import BATCH, UNLOCK, facts
from tests.factories import Api
from tests.stats.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return _world()


@pytest.fixture
def open_world(transactional_db: None) -> Iterator[World]:
    yield _world()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_fact")


def _world() -> World:
    made = World.create()
    for key, points in (("prologue", 10), ("middle", 5), ("finale", 75)):
        factories.achievement(made.game, key, points=points)
    factories.achievement(made.game, "steps", type="incremental", target=3, points=7)
    factories.achievement(made.game, "all", type="meta", requires=["prologue", "finale"], points=50)
    return made


def rules(world: World, **values: Any) -> Any:
    answer = world.api().put(f"/games/{world.game.uuid}/plausibility", values)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def finale_after_prologue(world: World) -> None:
    rules(world, order=[{"first": "prologue", "then": "finale"}])


def unlock(world: World, key: str, player: str = "p-1", api: Api | None = None, **more: Any) -> Any:
    body = {"game_id": str(world.game.uuid), "player": player, "achievement": key, **more}
    return (api or world.api()).post(UNLOCK, body)


def test_an_implausible_unlock_is_answered_like_any_other_and_counts_nowhere(world: World) -> None:
    finale_after_prologue(world)
    first = unlock(world, "finale")
    assert first.status_code == 202
    said = first.json()
    assert (said["status"], said["points"]) == ("unlocked", 75)
    assert said["totals"] == {"points": 75, "unlocked": 1, "available": 5}
    again = unlock(world, "finale")
    assert again.status_code == 200
    assert again.json() == {
        "event_id": said["event_id"],
        "status": "already_unlocked",
        "unlocked_at": said["unlocked_at"],
    }
    assert not Unlock.objects.exists()
    assert not PlayerGame.objects.exists()
    assert not PlayerTotal.objects.exists()
    assert facts() == 0
    row = FlaggedUnlock.objects.get()
    assert (row.state, row.rules, str(row.event_id)) == ("open", ["order"], said["event_id"])
    assert row.evidence["broken"] == [{"rule": "order", "first": "prologue", "state": "locked"}]
    assert row.studio_id == world.studio.pk


def test_later_totals_are_told_as_if_it_counted(world: World) -> None:
    finale_after_prologue(world)
    unlock(world, "finale")
    said = unlock(world, "middle").json()
    assert said["totals"] == {"points": 80, "unlocked": 2, "available": 5}
    assert PlayerGame.objects.get().points == 5


def test_a_player_s_list_says_that_it_is_looked_at(world: World) -> None:
    finale_after_prologue(world)
    unlock(world, "finale")
    listed = world.api().get(f"/players/p-1/achievements?game_id={world.game.uuid}").json()["results"]
    shown = {one["key"]: one for one in listed}
    assert (shown["finale"]["unlocked"], shown["finale"]["flagged"]) == (True, True)
    assert (shown["prologue"]["unlocked"], shown["prologue"]["flagged"]) == (False, False)
    assert shown["finale"]["rarity"]["unlocked"] in (0, None)


def test_why_it_is_locked_says_that_it_is_being_checked(world: World) -> None:
    finale_after_prologue(world)
    unlock(world, "finale")
    path = f"/players/p-1/achievements/finale/explain?game_id={world.game.uuid}"
    said = world.api().get(path).json()
    assert (said["unlocked"], said["why_locked"]) == (
        False,
        ["It was reported, and counts once the studio has checked it."],
    )
    FlaggedUnlock.objects.update(state="rejected")
    Plausibility.objects.all().delete()  # as an operator may, and then no rule is known any more
    assert world.api().get(path).json()["why_locked"] == ["It was reported, and the studio rejected it."]
    listed = world.api().get(f"/players/p-1/achievements?game_id={world.game.uuid}").json()["results"]
    assert not any(one["unlocked"] for one in listed)


def test_metas_follow_from_what_counts_only(world: World) -> None:
    finale_after_prologue(world)
    unlock(world, "finale")
    unlock(world, "prologue")
    assert set(Unlock.objects.values_list("achievement__key", flat=True)) == {"prologue"}


def test_a_burst_is_held_back_once_it_is_too_fast(world: World) -> None:
    factories.achievements(world.game, {f"a{n}": 1 for n in range(20)})
    rules(world, unlocks_a_minute=10)
    items = [{"player": "p-1", "achievement": f"a{n}"} for n in range(20)]
    answer = world.api().post(BATCH, {"game_id": str(world.game.uuid), "unlocks": items})
    assert answer.json()["unlocked"] == 20
    assert (Unlock.objects.count(), FlaggedUnlock.objects.count()) == (10, 10)
    assert {one["count"] for row in FlaggedUnlock.objects.all() for one in row.evidence["broken"]} == set(
        range(11, 21)
    )
    assert PlayerGame.objects.get().points == 10


def test_what_was_kept_while_the_game_was_offline_is_weighed_by_its_own_times(world: World) -> None:
    factories.achievements(world.game, {f"a{n}": 1 for n in range(20)})
    rules(world, unlocks_a_minute=2)
    begun = timezone.now() - timedelta(days=1)
    items = [
        {"player": "p-1", "achievement": f"a{n}", "unlocked_at": rfc3339(begun + timedelta(minutes=n))}
        for n in reversed(range(20))
    ]
    world.api().post(BATCH, {"game_id": str(world.game.uuid), "unlocks": items})
    assert (Unlock.objects.count(), FlaggedUnlock.objects.count()) == (20, 0)


def test_a_device_s_clock_does_not_stretch_a_burst(world: World) -> None:
    for number in range(6):
        factories.achievement(world.game, f"a{number}", authority="client")
    rules(world, unlocks_a_minute=3)
    player = factories.player(world.studio, "p-1")
    device = factories.api(factories.player_token(world.game, player))
    for number in range(6):
        told = timezone.now() - timedelta(hours=number)
        answer = unlock(world, f"a{number}", "me", device, unlocked_at=rfc3339(told))
        assert answer.status_code == 202, answer.json()
    assert (Unlock.objects.count(), FlaggedUnlock.objects.count()) == (3, 3)


def test_a_device_s_clock_does_not_stretch_a_burst_of_thresholds(world: World) -> None:
    for number in range(6):
        factories.stat(world.game, f"s{number}", authority="client")
        key = f"of-s{number}"
        factories.achievement(world.game, key, type="incremental", target=5, stat=f"s{number}")
    rules(world, unlocks_a_minute=3)
    device = factories.api(factories.player_token(world.game, factories.player(world.studio, "p-1")))
    for number in range(6):
        body = {
            "game_id": str(world.game.uuid),
            "player": "me",
            "stats": {f"s{number}": {"add": 5}},
            "event_id": str(new_id()),
            "reported_at": rfc3339(timezone.now() - timedelta(hours=number)),
        }
        answer = device.post("/stats/report", body)
        assert answer.status_code == 202, answer.json()
    assert (Unlock.objects.count(), FlaggedUnlock.objects.count()) == (3, 3)


def test_a_batch_is_weighed_in_the_order_in_which_it_happened(world: World) -> None:
    finale_after_prologue(world)
    now = timezone.now()
    items = [
        {"player": "p-1", "achievement": "finale", "unlocked_at": rfc3339(now)},
        {"player": "p-1", "achievement": "prologue", "unlocked_at": rfc3339(now - timedelta(hours=1))},
    ]
    answer = world.api().post(BATCH, {"game_id": str(world.game.uuid), "unlocks": items})
    assert answer.json()["unlocked"] == 2
    assert not FlaggedUnlock.objects.exists()
    assert Unlock.objects.filter(achievement__key="all").exists()


def test_the_first_session_begins_the_time(world: World) -> None:
    rules(world, achievements=[{"achievement": "finale", "earliest_seconds": 1800}])
    long_ago = {"p-old": 7200, "p-new": 42}
    for player, ago in long_ago.items():
        at = rfc3339(timezone.now() - timedelta(seconds=ago))
        answer = world.api().post(
            f"/players/{player}/sessions", {"game_id": str(world.game.uuid), "event": "start", "at": at}
        )
        assert answer.status_code == 202, answer.json()
        unlock(world, "finale", player)
    row = FlaggedUnlock.objects.get()
    assert row.evidence["since"] == "session"
    assert row.evidence["session"]["count"] == 1
    assert 42 <= row.evidence["broken"][0]["seconds"] < 600


def test_the_last_step_is_weighed_as_an_unlock_is(world: World) -> None:
    rules(world, order=[{"first": "prologue", "then": "steps"}])
    body = {"game_id": str(world.game.uuid), "player": "p-1", "achievement": "steps", "steps": 3}
    for _ in range(2):
        answer = world.api().post("/achievements/progress", body)
        assert answer.status_code in (200, 202)
        assert answer.json()["unlocked"] is True
    assert not Unlock.objects.exists()
    assert FlaggedUnlock.objects.get().rules == ["order"]


def test_what_a_stat_reaches_is_weighed_and_no_backfill_gives_it(world: World) -> None:
    factories.stat(world.game, "kills")
    factories.achievement(world.game, "hundred", type="incremental", target=100, stat="kills")
    rules(world, order=[{"first": "prologue", "then": "hundred"}])
    assert world.report(kills={"add": 100}).status_code == 202
    assert FlaggedUnlock.objects.get().achievement.key == "hundred"
    changed = world.api().patch(f"/games/{world.game.uuid}/achievements/hundred", {"target": 50})
    assert changed.status_code == 200
    for _ in range(3):
        backfills.run_some(now=timezone.now())
    assert not Unlock.objects.exists()
    assert FlaggedUnlock.objects.count() == 1


def test_what_was_kept_apart_stays_so_without_rules(world: World) -> None:
    finale_after_prologue(world)
    unlock(world, "finale")
    assert rules(world)["order"] == []
    assert unlock(world, "finale").json()["status"] == "already_unlocked"
    assert not Unlock.objects.exists()
    assert unlock(world, "finale", "p-2").json()["status"] == "unlocked"
    assert Unlock.objects.count() == 1


@pytest.mark.parametrize("path", ["/achievements/revoke", "/achievements/reset"])
def test_support_may_let_a_player_begin_anew(world: World, path: str) -> None:
    finale_after_prologue(world)
    unlock(world, "finale")
    body = {
        "game_id": str(world.game.uuid),
        "player": "p-1",
        "achievement": "finale",
        "reason": "Ticket 4711",
    }
    assert world.api().post(path, body).status_code in (200, 202)
    assert not FlaggedUnlock.objects.exists()
    entry = AuditEntry.objects.get(action="achievements.revoke")
    assert entry.details["flagged"] == ["finale"]
    unlock(world, "prologue")
    assert unlock(world, "finale").json()["status"] == "unlocked"
    assert Unlock.objects.filter(achievement__key="finale").exists()


def test_a_draft_whose_unlock_is_looked_at_is_not_deleted(world: World) -> None:
    factories.achievement(world.game, "draft", state="draft")
    world.game.testers.create(player=factories.player(world.studio, "p-1"))
    rules(world, order=[{"first": "prologue", "then": "draft"}])
    assert unlock(world, "draft").status_code == 202
    assert FlaggedUnlock.objects.count() == 1
    answer = world.api().delete(f"/games/{world.game.uuid}/achievements/draft")
    assert answer.status_code == 409
    assert FlaggedUnlock.objects.count() == 1


def test_a_banned_player_is_refused_as_before(world: World) -> None:
    finale_after_prologue(world)
    factories.player(world.studio, "p-1")
    factories.ban(world.studio, "p-1")
    assert unlock(world, "finale").status_code == 403
    assert not FlaggedUnlock.objects.exists()


def _statements(captured: CaptureQueriesContext) -> list[str]:
    return [one["sql"] for one in captured.captured_queries if "SAVEPOINT" not in one["sql"]]


def test_a_game_without_rules_sends_the_statements_that_it_always_sent(world: World) -> None:
    for player in ("p-1", "p-3"):
        factories.player(world.studio, player)
    unlock(world, "middle", "p-0")
    with CaptureQueriesContext(connection) as captured:
        unlock(world, "middle")
    plain = _statements(captured)
    assert plain.count(RECORD.strip()) >= 1
    assert not any("flagged" in sql or "plausib" in sql for sql in plain)
    other = _world()
    finale_after_prologue(other)
    unlock(world, "middle", "p-2")
    with CaptureQueriesContext(connection) as captured:
        unlock(world, "middle", "p-3")
    assert _statements(captured) == plain


def test_a_batch_of_a_thousand_costs_no_statement_more_than_one_of_two(world: World) -> None:
    finale_after_prologue(world)

    def sent(count: int, name: str) -> int:
        items = [{"player": f"{name}-{n}", "achievement": "finale"} for n in range(count)]
        with CaptureQueriesContext(connection) as captured:
            answer = world.api().post(BATCH, {"game_id": str(world.game.uuid), "unlocks": items})
        assert answer.json()["unlocked"] == count
        return len(captured)

    sent(2, "warm")
    assert sent(2, "few") == sent(1000, "many")
    assert FlaggedUnlock.objects.count() == 1004
    assert not Unlock.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_same_from_64_threads_is_kept_apart_once(open_world: World) -> None:
    finale_after_prologue(open_world)

    def send(_: int) -> int:
        try:
            return int(unlock(open_world, "finale").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(send, range(64)))
    assert (answers.count(202), answers.count(200)) == (1, 63)
    assert FlaggedUnlock.objects.count() == 1
    assert not Unlock.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_player_whom_several_name_at_once_is_weighed_from_the_first(open_world: World) -> None:
    finale_after_prologue(open_world)
    together = Barrier(6)

    def send(_: int) -> None:
        try:
            for number in range(60):
                together.wait()
                assert unlock(open_world, "finale", f"new-{number}").status_code in (200, 202)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(send, range(6)))
    assert (FlaggedUnlock.objects.count(), Unlock.objects.count()) == (60, 0)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_burst_from_many_threads_lets_as_many_through_as_the_rule_says(open_world: World) -> None:
    factories.achievements(open_world.game, {f"a{n}": 1 for n in range(40)})
    rules(open_world, unlocks_a_minute=10)

    def send(number: int) -> int:
        try:
            return int(unlock(open_world, f"a{number}").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(send, range(40))) == {202}
    assert (Unlock.objects.count(), FlaggedUnlock.objects.count()) == (10, 30)
    assert PlayerGame.objects.get().unlocked == 10


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_rules_that_change_meanwhile_lose_no_unlock(open_world: World) -> None:
    def send(number: int) -> int:
        try:
            if number % 5 == 0:
                order = [{"first": "prologue", "then": "finale"}] if number % 10 else []
                return int(
                    open_world.api()
                    .put(f"/games/{open_world.game.uuid}/plausibility", {"order": order})
                    .status_code
                )
            while (answer := unlock(open_world, "finale", f"p-{number}")).status_code == 503:
                assert answer.headers["Retry-After"]  # the rules changed at each try; a client sends it again
            return int(answer.status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(60)))
    assert set(answers) == {200, 202}
    players = {*Unlock.objects.values_list("player_id", flat=True)}
    flagged = {*FlaggedUnlock.objects.values_list("player_id", flat=True)}
    assert len(players | flagged) == len(players) + len(flagged) == 48


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"earliest_seconds": 0}, 422, "/earliest_seconds"),
        ({"unlocks_a_minute": "10"}, 422, "/unlocks_a_minute"),
        ({"session_required": None}, 422, "/session_required"),
        ({"achievements": [{"achievement": "nope", "earliest_seconds": 5}]}, 422, "/achievements"),
        ({"achievements": [{"achievement": "all", "earliest_seconds": 5}]}, 422, "/achievements"),
        ({"order": [{"first": "finale", "then": "finale"}]}, 422, "/order"),
        ({"order": [{"first": "a" * 200, "then": "finale"}]}, 422, "/order"),
        ({"order": [{"first": "prologue", "then": "all"}]}, 422, "/order"),
        (
            {"order": [{"first": "prologue", "then": "finale"}, {"first": "finale", "then": "prologue"}]},
            422,
            "/order",
        ),
        ({"nope": 1}, 400, None),
        ([], 400, None),
        (None, 400, None),
    ],
)
def test_rules_that_cannot_be_are_refused_and_change_nothing(
    world: World, body: Any, status: int, pointer: str | None
) -> None:
    answer = world.api().put(f"/games/{world.game.uuid}/plausibility", body)
    assert answer.status_code == status
    if pointer:
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert not Plausibility.objects.exists()
    assert not AuditEntry.objects.exists()


def test_rules_are_read_as_they_were_set_and_noted_in_the_audit_log(world: World) -> None:
    values = {
        "earliest_seconds": 10,
        "unlocks_a_minute": 30,
        "session_required": True,
        "achievements": [{"achievement": "finale", "earliest_seconds": 1800}],
        "order": [{"first": "prologue", "then": "finale"}],
    }
    assert rules(world, **values) == values
    assert world.api().get(f"/games/{world.game.uuid}/plausibility").json() == values
    rules(world, **values)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id) == ("plausibility.change", str(world.game.uuid))
    assert entry.details["changed"]["unlocks_a_minute"] == [None, 30]


def test_rules_are_for_who_may_define_and_for_one_s_own_games(world: World) -> None:
    reader = factories.api(factories.server_key(world.studio, scopes=["definitions:read"]))
    stranger = factories.api(factories.server_key(factories.studio()))
    device = factories.api(factories.player_token(world.game, factories.player(world.studio)))
    path = f"/games/{world.game.uuid}/plausibility"
    assert reader.get(path).status_code == 200
    assert reader.put(path, {"unlocks_a_minute": 5}).status_code == 403
    assert stranger.get(path).status_code == stranger.put(path, {}).status_code == 404
    assert device.put(path, {}).status_code == 403
    assert factories.api().get(path).status_code == 401
    assert not Plausibility.objects.exists()
