"""Reporting a player's stats over HTTP, and reading them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Player, PlayerIdentity
from core.clock import rfc3339
from core.ids import new_id
from stats.models import Report, Stat, StatValue
from tests import factories
from tests.stats.world import World, heard, nobody_was_made, nothing_is_held, refuses

EVENT = "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11"


@pytest.fixture
def kills(world: World) -> Stat:
    return factories.stat(world.game)


@pytest.fixture
def best_lap(world: World) -> Stat:
    return factories.stat(world.game, "best_lap", aggregation="min")


def body(world: World, **changes: Any) -> dict[str, Any]:
    whole = {
        "game_id": str(world.game.uuid),
        "player": "p-1",
        "stats": {"kills": {"add": 3}},
        "event_id": EVENT,
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not ...}


def problem(answer: Any, key: str) -> tuple[int, str]:
    told = answer.json()["stats"][key]["problem"]
    return told["status"], told["type"].rsplit("/", 1)[1]


def test_a_report_is_answered_with_what_the_player_holds(world: World, kills: Stat, best_lap: Stat) -> None:
    sent = body(world, stats={"kills": {"add": 3}, "best_lap": {"set": 81.2}})
    answer = world.api().post("/stats/report", sent)
    assert answer.status_code == 202, answer.content
    assert answer.json() == {
        "event_id": EVENT,
        "status": "reported",
        "stats": {"kills": {"value": 3, "changed": True}, "best_lap": {"value": 81.2, "changed": True}},
    }
    later = world.report(kills={"add": 100}, best_lap={"set": 82}).json()["stats"]
    assert later == {"kills": {"value": 103, "changed": True}, "best_lap": {"value": 81.2, "changed": False}}
    assert world.held() == {"kills": 103, "best_lap": 81.2}


def test_an_event_counts_once_and_is_answered_200_again(world: World, kills: Stat, best_lap: Stat) -> None:
    sent = body(world, stats={"kills": {"add": 3}, "best_lap": {"set": 81.2}})
    assert world.api().post("/stats/report", sent).status_code == 202
    world.report(kills={"add": 1})
    again = world.api().post("/stats/report", sent)
    assert (again.status_code, again.json()["status"]) == (200, "already_reported")
    assert again.json()["stats"]["kills"] == {"value": 4, "changed": False}
    corrected = world.api().post("/stats/report", body(world, stats={"kills": {"add": 50}}))
    assert corrected.json()["status"] == "already_reported"
    assert world.held() == {"kills": 4, "best_lap": 81.2}


def test_setting_needs_no_event_and_may_be_repeated(world: World, best_lap: Stat) -> None:
    sent = body(world, stats={"best_lap": {"set": 81.2}}, event_id=...)
    for _ in range(2):
        assert world.api().post("/stats/report", sent).status_code == 202
    assert world.held() == {"best_lap": 81.2}
    assert not Report.objects.exists()
    assert len(heard()) == 1


def test_an_addition_without_an_event_counts_each_time(world: World, kills: Stat) -> None:
    sent = body(world, event_id=...)
    answers = [world.api().post("/stats/report", sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["event_id"] for answer in answers}) == 2
    batch = {"game_id": sent.pop("game_id"), "reports": [sent, sent]}
    counts = world.api().post("/stats/report/batch", batch).json()
    assert (counts["reported"], counts["already_reported"]) == (2, 0)
    assert world.held() == {"kills": 12}
    assert not Report.objects.exists()


def test_an_addition_without_an_event_counts_once_under_an_idempotency_key(world: World, kills: Stat) -> None:
    sent = body(world, event_id=...)
    first, again = (world.api().post("/stats/report", sent, Idempotency_Key="k1") for _ in range(2))
    assert (again.status_code, again.json()) == (202, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert world.held() == {"kills": 3}


def test_an_event_of_another_player_is_a_conflict(world: World, kills: Stat) -> None:
    world.api().post("/stats/report", body(world))
    answer = world.api().post("/stats/report", body(world, player="p-2"))
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/problems/conflict")
    assert (world.held(), world.held("p-2")) == ({"kills": 3}, {})


def test_stats_that_are_refused_do_not_refuse_the_others(world: World, kills: Stat, best_lap: Stat) -> None:
    factories.stat(world.game, "old", archived_at=timezone.now())
    factories.stat(world.game, "level", aggregation="last", max=10, increment_only=True)
    world.report(level={"set": 5})
    answer = world.report(
        kills={"set": 5},
        old={"add": 1},
        nowhere={"add": 1},
        level={"set": 4},
        best_lap={"set": 80.9},
    )
    assert answer.status_code == 202
    assert answer.json()["status"] == "reported"
    assert problem(answer, "kills") == (422, "validation-failed")
    assert problem(answer, "old") == (409, "conflict")
    assert problem(answer, "nowhere") == (404, "not-found")
    assert problem(answer, "level") == (409, "conflict")
    assert answer.json()["stats"]["level"]["problem"]["errors"][0]["pointer"] == "/stats/level"
    assert answer.json()["stats"]["best_lap"] == {"value": 80.9, "changed": True}
    assert world.held() == {"level": 5, "best_lap": 80.9}


@pytest.mark.parametrize(
    ("guards", "op", "taken", "refused"),
    [
        ({"max": 10}, "add", 10, 10.000001),
        ({"min": -10}, "add", -10, -10.000001),
        ({"max_delta": 5}, "add", -5, 5.5),
        ({"increment_only": True}, "add", 0, -0.000001),
        ({"aggregation": "last", "max": 10}, "set", 10, 11),
        ({"aggregation": "last", "min": -10}, "set", -10, -10.5),
        ({"aggregation": "last", "max_delta": 5, "default": 0}, "set", 5, -5.000001),
        ({"aggregation": "max", "max_delta": 5, "default": 0}, "set", 5, 6),
        ({"aggregation": "last", "increment_only": True, "default": 1.5}, "set", 1.5, 1.4),
    ],
)
def test_a_guard_takes_what_lies_on_it_and_nothing_beyond(
    world: World, guards: dict[str, Any], op: str, taken: float, refused: float
) -> None:
    factories.stat(world.game, **guards)
    answer = world.report(kills={op: refused})
    assert (answer.status_code, answer.json()["status"]) == (202, "rejected")
    assert problem(answer, "kills")[0] in (409, 422)
    nothing_is_held()
    nobody_was_made()
    answer = world.report(kills={op: taken})
    assert answer.json()["stats"]["kills"]["value"] == taken


def test_a_refused_event_may_be_corrected(world: World) -> None:
    factories.stat(world.game, max=5)
    world.report(kills={"add": 5})
    event = str(new_id())
    for amount, status in ((1, "rejected"), (-1, "reported"), (-1, "already_reported")):
        sent = body(world, stats={"kills": {"add": amount}}, event_id=event)
        assert world.api().post("/stats/report", sent).json()["status"] == status
    assert world.held() == {"kills": 4}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"player": ""}, "/player"),
        ({"player": "x" * 129}, "/player"),
        ({"player": 7}, "/player"),
        ({"player": ...}, "/player"),
        ({"stats": ...}, "/stats"),
        ({"stats": {}}, "/stats"),
        ({"stats": []}, "/stats"),
        ({"stats": {f"s{n}": {"add": 1} for n in range(501)}}, "/stats"),
        ({"stats": {"x" * 129: {"add": 1}}}, "/stats"),
        ({"stats": {"": {"add": 1}}}, "/stats"),
        ({"stats": {"kills": 5}}, "/stats/kills"),
        ({"stats": {"kills": {}}}, "/stats/kills"),
        ({"stats": {"kills": {"add": 1, "set": 2}}}, "/stats/kills"),
        ({"stats": {"kills": {"add": "1"}}}, "/stats/kills/add"),
        ({"stats": {"kills": {"add": True}}}, "/stats/kills/add"),
        ({"stats": {"kills": {"add": None}}}, "/stats/kills/add"),
        ({"stats": {"kills": {"add": 2**53 + 1}}}, "/stats/kills/add"),
        ({"stats": {"kills": {"add": 10**29}}}, "/stats/kills/add"),
        ({"stats": {"kills": {"add": 1e-7}}}, "/stats/kills/add"),
        ({"stats": {"kills": {"add": 1e300}}}, "/stats/kills/add"),
        ({"stats": {"a/b": {"set": 2**64}, "kills": {"add": 1}}}, "/stats/a~1b/set"),
        ({"stats": {"\u00e9": {"add": 1}, "e\u0301": {"add": 1}}}, "/stats/e\u0301"),
        ({"event_id": "soon"}, "/event_id"),
        ({"event_id": 5}, "/event_id"),
        ({"reported_at": "yesterday"}, "/reported_at"),
        ({"reported_at": "1979-12-31T23:59:59Z"}, "/reported_at"),
        ({"reported_at": "9999-12-31T23:59:59Z"}, "/reported_at"),
        ({"reported_at": "2026-11-23T12:26:00"}, "/reported_at"),
    ],
)
def test_a_value_that_cannot_be_refuses_the_report(
    world: World, kills: Stat, change: dict[str, Any], pointer: str
) -> None:
    refuses(world.api().post("/stats/report", body(world, **change)), 422, "validation-failed", pointer)
    nobody_was_made()


@pytest.mark.parametrize(
    "change", [{"points": 1}, {"stats": {"kills": {"ad": 1}}}, {"stats": {"kills": {"add": 1, "by": 2}}}]
)
def test_an_unknown_name_is_malformed(world: World, kills: Stat, change: dict[str, Any]) -> None:
    refuses(world.api().post("/stats/report", body(world, **change)), 400, "malformed-request")
    nobody_was_made()


@pytest.mark.parametrize(
    ("number", "status"),
    [("NaN", 422), ("Infinity", 422), ("-Infinity", 422), ("1e400", 422), ("9" * 30, 422), ("9" * 5000, 400)],
)
def test_what_is_no_number_of_ours_is_refused(world: World, kills: Stat, number: str, status: int) -> None:
    sent = json.dumps(body(world)).replace('"add": 3', f'"add": {number}').encode()
    answer = world.api().post("/stats/report", sent)
    refuses(answer, status, "validation-failed" if status == 422 else "malformed-request")
    nobody_was_made()


@pytest.mark.parametrize("sent", [b" ", b"null", b"[]", b'{"player": "a", "player": "b"}', b"[" * 50])
def test_another_shape_is_malformed(world: World, sent: bytes) -> None:
    for address in ("/stats/report", "/stats/report/batch"):
        refuses(world.api().post(address, sent), 400, "malformed-request")


def test_a_game_that_is_not_the_studios_is_not_found(world: World, kills: Stat) -> None:
    elsewhere = factories.game()
    factories.stat(elsewhere)
    for game_id in (str(elsewhere.uuid), str(new_id()), "x", 5):
        refuses(world.api().post("/stats/report", body(world, game_id=game_id)), 404, "not-found")
        batch = {"game_id": game_id, "reports": [body(world, game_id=...)]}
        refuses(world.api().post("/stats/report/batch", batch), 404, "not-found")
    refuses(world.api().post("/stats/report", body(world, game_id=...)), 422, "validation-failed", "/game_id")
    own = factories.game(world.studio)
    answer = world.api().post("/stats/report", body(world, game_id=str(own.uuid)))
    assert problem(answer, "kills") == (404, "not-found")
    nothing_is_held()
    nobody_was_made()


def test_a_key_of_one_game_need_not_name_it(world: World, kills: Stat) -> None:
    own = factories.api(factories.server_key(world.studio, game=world.game))
    assert own.post("/stats/report", body(world, game_id=...)).status_code == 202
    assert own.get("/players/p-1/stats").json() == {"kills": 3}


def test_a_key_without_the_scope_may_not(world: World, kills: Stat) -> None:
    other = factories.api(factories.server_key(world.studio, scopes=["players:read", "scores:write"]))
    refuses(other.post("/stats/report", body(world)), 403, "forbidden")
    refuses(other.post("/stats/report/batch", {"reports": [body(world)]}), 403, "forbidden")
    refuses(factories.api(None).post("/stats/report", body(world)), 401, "unauthenticated")
    writes = factories.api(factories.server_key(world.studio, scopes=["stats:write"]))
    assert writes.get(f"/players/p-1/stats?game_id={world.game.uuid}").status_code == 403
    nobody_was_made()


def test_a_player_reports_himself_and_only_what_clients_may(world: World, kills: Stat) -> None:
    factories.stat(world.game, "steps", authority="client")
    own = factories.api(factories.player_token(world.game, factories.player(world.studio)))
    answer = world.report("me", by=own, kills={"add": 1}, steps={"add": 5})
    assert problem(answer, "kills") == (403, "forbidden")
    assert answer.json()["stats"]["steps"]["value"] == 5
    assert own.get("/players/me/stats").json() == {"steps": 5}
    factories.player(world.studio, "p-2")
    assert world.report("p-2", by=own, steps={"add": 5}).status_code == 404
    assert own.get("/players/p-2/stats").status_code == 404
    assert world.held("p-2") == {}


def test_banned_and_erased_players_get_nothing(world: World, kills: Stat) -> None:
    factories.player(world.studio, "bad")
    factories.ban(world.studio, "bad")
    gone = factories.player(world.studio, "gone")
    Player.objects.filter(pk=gone.pk).update(erased_at=timezone.now())
    factories.forget()
    refuses(world.report("bad", kills={"add": 1}), 403, "forbidden")
    refuses(world.report("gone", kills={"add": 1}), 410, "gone")


def test_late_news_of_a_last_value_changes_nothing(world: World) -> None:
    factories.stat(world.game, "level", aggregation="last")
    now = timezone.now()
    for minutes, value, held in ((2, 5, 5), (3, 4, 5), (1, 7, 7), (2, 5, 7)):
        told = rfc3339(now - timedelta(minutes=minutes))
        sent = body(world, stats={"level": {"set": value}}, event_id=..., reported_at=told)
        assert world.api().post("/stats/report", sent).json()["stats"]["level"]["value"] == held
    assert [row[2] for fact in heard() for row in fact.values] == [5, 7]


def test_what_changed_is_told_absolutely(world: World, kills: Stat, best_lap: Stat) -> None:
    world.report(kills={"add": 3}, best_lap={"set": 81.2})
    world.report(kills={"add": 0.5}, best_lap={"set": 82})
    first, second = heard()
    player = Player.objects.get().pk
    assert (first.game, first.stats) == (
        world.game.pk,
        [[kills.pk, "kills", "sum"], [best_lap.pk, "best_lap", "min"]],
    )
    assert [row[:4] for row in first.values] == [
        [player, kills.pk, 3, None],
        [player, best_lap.pk, 81.2, None],
    ]
    assert [row[:4] for row in second.values] == [[player, kills.pk, 3.5, 3]]
    version = StatValue.objects.get(stat=kills).version
    assert second.values[0][4] == version
    assert first.values[0][4] < version  # type: ignore[operator]
    world.report(kills={"add": 0}, best_lap={"set": 82})
    assert len(heard()) == 2


def test_a_default_is_what_a_player_holds_before_the_first_report(world: World) -> None:
    factories.stat(world.game, "rating", default=1000)
    factories.stat(world.game, "kills")
    factories.player(world.studio)
    assert world.held() == {"rating": 1000}
    world.report(rating={"add": -30})
    assert world.held() == {"rating": 970}
    assert heard()[0].values[0][3] == 1000


def test_an_archived_stat_keeps_its_values(world: World, kills: Stat) -> None:
    world.report(kills={"add": 3})
    archived = world.api().patch(f"/games/{world.game.uuid}/stats/kills", {"archived": True})
    assert archived.status_code == 200
    assert problem(world.report(kills={"add": 1}), "kills") == (409, "conflict")
    assert world.held() == {"kills": 3}


def test_a_change_of_a_definition_counts_at_once(world: World, kills: Stat) -> None:
    world.report(kills={"add": 3})
    Stat.objects.update(max=5, version=2)  # as another process does, of which this one keeps the old
    assert problem(world.report(kills={"add": 3}), "kills") == (409, "conflict")
    Stat.objects.update(max=9, version=3)
    assert world.report(kills={"add": 3}).json()["stats"]["kills"]["value"] == 6


def test_a_players_stats_are_private_and_have_a_tag(world: World, kills: Stat) -> None:
    world.report(kills={"add": 3})
    address = f"/players/p-1/stats?game_id={world.game.uuid}"
    answer = world.api().get(address)
    assert answer["Cache-Control"].startswith("private")
    assert world.api().get(address, If_None_Match=answer["ETag"]).status_code == 304
    assert world.api().get(f"{address}&lang=fr").status_code == 400
    assert world.api().get("/players/p-1/stats?game_id=x").status_code == 404
    assert world.api().get("/players/p-1/stats").status_code == 422
    assert world.api().get(f"/players/nobody/stats?game_id={world.game.uuid}").status_code == 404
    other = factories.api(factories.server_key(factories.studio()))
    assert other.get(address).status_code == 404
    assert factories.api(None).get(address).status_code == 401


def test_a_batch_is_applied_in_its_order_and_reports_bad_items_in_their_place(
    world: World, kills: Stat, best_lap: Stat
) -> None:
    factories.stat(world.game, "level", aggregation="last")
    factories.player(world.studio, "bad")
    factories.ban(world.studio, "bad")
    second = factories.game(world.studio)
    factories.stat(second, "coins")
    items: list[Any] = [
        {"player": "a", "stats": {"level": {"set": 1}}},
        {"player": "a", "stats": {"level": {"set": 2}}},
        {"player": "a", "stats": {"kills": {"add": 5}}, "event_id": EVENT},
        {"player": "a", "stats": {"kills": {"add": 5}}, "event_id": EVENT},
        {"player": "b", "stats": {"kills": {"add": 5}}, "event_id": EVENT},
        {"player": "b", "stats": {"kills": {"add": "5"}}, "event_id": EVENT},
        {"player": "bad", "stats": {"level": {"set": 1}}},
        {"player": "c", "stats": {"nowhere": {"set": 1}}, "event_id": str(new_id())},
        "d",
        {"player": "e", "stats": {"level": {"set": 1}}, "rank": 1},
        {"player": "a", "stats": {"coins": {"add": 7}}, "event_id": EVENT, "game_id": str(second.uuid)},
        {"player": "a", "stats": {"level": {"set": 3}, "best_lap": {"add": 1}}, "event_id": str(new_id())},
        {"player": "a", "stats": {"level": {"set": 4}}, "game_id": str(factories.game().uuid)},
    ]
    answer = world.api().post("/stats/report/batch", {"game_id": str(world.game.uuid), "reports": items})
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert (told["reported"], told["already_reported"], told["rejected"]) == (5, 1, 7)
    rows = told["results"]
    rejected = [place for place, row in enumerate(rows) if row["status"] == "rejected"]
    assert rejected == [4, 5, 6, 7, 8, 9, 12]
    assert rows[3]["status"] == "already_reported"
    assert [row["problem"]["status"] for row in rows if "problem" in row] == [409, 422, 403, 400, 400, 404]
    assert [rows[place]["event_id"] for place in (3, 5, 8)] == [EVENT, EVENT, None]
    assert rows[7]["stats"]["nowhere"]["problem"]["status"] == 404
    assert rows[11]["stats"]["level"] == {"value": 3, "changed": True}
    assert rows[11]["stats"]["best_lap"]["problem"]["status"] == 422
    assert world.held("a") == {"kills": 5, "level": 3}
    coins = world.api().get(f"/players/a/stats?game_id={second.uuid}").json()
    assert coins == {"coins": 7}
    made = PlayerIdentity.objects.values_list("external_id", flat=True)
    assert sorted(made) == ["a", "b", "bad"]


@pytest.mark.parametrize(("reports", "status"), [([], 422), ([{}] * 1001, 422), ({}, 400), (None, 400)])
def test_a_batch_has_1_to_1000_reports(world: World, reports: Any, status: int) -> None:
    answer = world.api().post("/stats/report/batch", {"game_id": str(world.game.uuid), "reports": reports})
    assert answer.status_code == status


def test_an_idempotency_key_answers_the_same_again(world: World, best_lap: Stat) -> None:
    sent = body(world, stats={"best_lap": {"set": 81.2}}, event_id=...)
    first = world.api().post("/stats/report", sent, Idempotency_Key="k1")
    again = world.api().post("/stats/report", sent, Idempotency_Key="k1")
    assert (again.status_code, again.json()) == (202, first.json())
    assert again["Idempotent-Replayed"] == "true"
