"""POST /achievements/progress at the HTTP border, and what a player's list shows of it."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Game, PlayerIdentity, Studio
from achievements.models import Achievement, Catalogue, PlayerGame, Progress, ProgressEvent, Unlock
from achievements.services import progress as service
from tests import factories
from tests.factories import Api

pytestmark = pytest.mark.django_db

PROGRESS = "/achievements/progress"


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def game(studio: Studio) -> Game:
    made = factories.game(studio)
    factories.achievement(made, "doors", type="incremental", target=100)
    factories.achievement(made, "lamps", type="incremental", target=20, authority="client")
    factories.achievement(made, "first-blood")
    return made


@pytest.fixture
def server(studio: Studio) -> Api:
    return factories.api(factories.server_key(studio))


def body(game: Game, **more: Any) -> dict[str, Any]:
    return {"game_id": str(game.uuid), "player": "p-1", "achievement": "doors", "steps": 5, **more}


def report(caller: Api, game: Game, **more: Any) -> dict[str, Any]:
    answer = caller.post(PROGRESS, body(game, **more))
    assert answer.status_code == 202, answer.content
    said: dict[str, Any] = answer.json()
    return said


def add(caller: Api, game: Game, steps: int, **more: Any) -> dict[str, Any]:
    return report(caller, game, **{"op": "add", "steps": steps, "event_id": str(uuid4()), **more})


def facts(kind: str = "progress_changed") -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM core_fact WHERE kind = %s ORDER BY id", [kind])
        return [json.loads(row[0]) for row in cursor.fetchall()]


def nothing_is_stored() -> bool:
    tables = (Progress, ProgressEvent, Unlock, PlayerIdentity)
    return not any(table.objects.exists() for table in tables) and facts() == []


def shown(caller: Api, game: Game, key: str = "doors", player: str = "p-1") -> Any:
    answer = caller.get(f"/players/{player}/achievements?game_id={game.uuid}").json()
    return next(one["progress"] for one in answer["results"] if one["key"] == key)


def test_steps_are_stored_shown_and_announced(server: Api, game: Game) -> None:
    assert report(server, game, steps=5) == {"current": 5, "target": 100, "unlocked": False}
    assert shown(server, game) == {"current": 5, "target": 100}
    assert shown(server, game, "lamps") == {"current": 0, "target": 20}
    assert shown(server, game, "first-blood") is None
    assert add(server, game, 3)["current"] == 8
    row = Progress.objects.get()
    first, second = facts()
    assert first["changes"][0][2:5] == [0, 5, 100]
    assert second["changes"] == [[row.player_id, row.achievement_id, 5, 8, 100, row.version]]
    assert second["game"] == game.pk
    assert first["changes"][0][5] < row.version


def test_set_never_goes_backwards(server: Api, game: Game) -> None:
    report(server, game, steps=40)
    assert report(server, game, steps=12)["current"] == 40
    assert report(server, game, steps=40, op="set")["current"] == 40
    assert Progress.objects.get().current == 40
    assert len(facts()) == 1


def test_at_the_target_it_unlocks_once_as_any_unlock(server: Api, game: Game) -> None:
    report(server, game, steps=60)
    event_id = str(uuid4())
    assert add(server, game, 41, event_id=event_id) == {"current": 100, "target": 100, "unlocked": True}
    assert add(server, game, 41, event_id=event_id) == {"current": 100, "target": 100, "unlocked": True}
    assert str(Unlock.objects.get().event_id) == event_id
    assert (PlayerGame.objects.get().points, PlayerGame.objects.get().unlocked) == (10, 1)
    assert len(facts("achievements_unlocked")) == 1
    assert len(facts()) == 1  # the step that unlocked is told as an unlock
    assert shown(server, game) == {"current": 100, "target": 100}


def test_a_jump_past_the_target_is_refused_and_changes_nothing(server: Api, game: Game) -> None:
    report(server, game, steps=60)
    for op in ({"op": "set"}, {"op": "add", "event_id": str(uuid4())}):
        for steps in (101, 10**9, 2**53):
            answer = server.post("/achievements/progress", body(game) | op | {"steps": steps})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/steps")
    assert shown(server, game) == {"current": 60, "target": 100}
    assert report(server, game, steps=100) == {"current": 100, "target": 100, "unlocked": True}


def test_after_the_unlock_nothing_changes(server: Api, game: Game) -> None:
    server.post(
        "/achievements/unlock", {key: body(game)[key] for key in ("game_id", "player", "achievement")}
    )
    assert report(server, game, steps=7) == {"current": 100, "target": 100, "unlocked": True}
    assert add(server, game, 7)["unlocked"]
    assert not Progress.objects.exists()
    assert facts() == []
    assert shown(server, game) == {"current": 100, "target": 100}


def test_a_lowered_target_unlocks_with_the_next_report(server: Api, game: Game) -> None:
    report(server, game, steps=60)
    Achievement.objects.filter(key="doors").update(target=50)
    row = Catalogue.objects.get(game=game)
    Catalogue.objects.filter(pk=row.pk).update(version=row.version + 1)
    assert shown(server, game) == {"current": 50, "target": 50}
    assert report(server, game, steps=1) == {"current": 50, "target": 50, "unlocked": True}
    assert Progress.objects.get().current == 60


def test_an_event_counts_once_however_often_it_is_sent(server: Api, game: Game) -> None:
    event_id = str(uuid4())
    said = [add(server, game, 5, event_id=event_id) for _ in range(3)]
    assert [one["current"] for one in said] == [5, 5, 5]
    assert len(facts()) == 1


def test_an_event_of_another_player_or_achievement_is_refused(server: Api, game: Game) -> None:
    event_id = str(uuid4())
    add(server, game, 5, event_id=event_id)
    for other in ({"player": "p-2"}, {"achievement": "lamps"}):
        answer = server.post(PROGRESS, body(game, op="add", event_id=event_id, **other))
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("conflict")
    assert Progress.objects.count() == ProgressEvent.objects.count() == len(facts()) == 1
    assert not PlayerIdentity.objects.filter(external_id="p-2").exists()


def test_an_event_of_another_game_is_another_event(server: Api, studio: Studio, game: Game) -> None:
    other = factories.game(studio)
    factories.achievement(other, "doors", type="incremental", target=100)
    event_id = str(uuid4())
    assert add(server, game, 5, event_id=event_id)["current"] == 5
    assert add(server, other, 6, event_id=event_id)["current"] == 6


def test_old_events_are_forgotten(server: Api, game: Game) -> None:
    add(server, game, 1)
    add(server, game, 1)
    old = ProgressEvent.objects.first()
    assert old is not None
    ProgressEvent.objects.filter(event_id=old.event_id).update(heard_at=timezone.now() - timedelta(days=15))
    assert service.forget_events(now=timezone.now()) == 1
    assert ProgressEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"steps": 0}, 422),
        ({"steps": -1}, 422),
        ({"steps": -1, "op": "add", "event_id": str(uuid4())}, 422),
        ({"steps": 1.0}, 422),
        ({"steps": 2.5}, 422),
        ({"steps": True}, 422),
        ({"steps": "5"}, 422),
        ({"steps": None}, 422),
        ({"steps": [5]}, 422),
        ({"steps": 2**53 + 1}, 422),
        ({"steps": 2**63}, 422),
        ({"op": "max"}, 422),
        ({"op": None}, 422),
        ({"op": ["set"]}, 422),
        ({"op": "add"}, 422),
        ({"op": "add", "event_id": None}, 422),
        ({"event_id": "1"}, 422),
        ({"player": ""}, 422),
        ({"player": "a\nb"}, 422),
        ({"player": "a\x00b"}, 422),
        ({"player": "me"}, 404),
        ({"player": "id:nobody"}, 404),
        ({"achievement": ""}, 422),
        ({"achievement": 7}, 422),
        ({"achievement": "nothing"}, 404),
        ({"achievement": "first-blood"}, 409),
        ({"game_id": "nope"}, 404),
        ({"game_id": str(uuid4())}, 404),
        ({"step": 1}, 400),
    ],
)
def test_bad_values_are_refused_and_change_nothing(
    server: Api, game: Game, more: dict[str, Any], status: int
) -> None:
    answer = server.post(PROGRESS, body(game, **more))
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert nothing_is_stored()


def test_a_missing_number_of_steps_and_bodies_that_are_none_are_refused(server: Api, game: Game) -> None:
    without = body(game)
    del without["steps"]
    assert server.post(PROGRESS, without).status_code == 422
    assert server.post(PROGRESS, b"[]").status_code == 400
    assert server.post(PROGRESS, b"{").status_code == 400
    long = b'{"player": "p-1", "achievement": "doors", "steps": ' + b"9" * 5000 + b"}"
    assert server.post(PROGRESS, long).status_code == 400
    assert server.post(PROGRESS, b"{}", content_type="text/plain").status_code == 415
    assert nothing_is_stored()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"state": "draft"}, 409),
        ({"state": "archived"}, 409),
        ({"available_from": timezone.now() + timedelta(days=1)}, 409),
        ({"available_until": timezone.now() - timedelta(days=1)}, 409),
        ({"stat": "kills"}, 409),
        ({"type": "meta", "target": None}, 409),
        ({"authority": "client"}, 202),
    ],
)
def test_what_cannot_be_reached_takes_no_progress(
    server: Api, game: Game, fields: dict[str, Any], status: int
) -> None:
    factories.achievement(game, "special", **{"type": "incremental", "target": 9, **fields})
    answer = server.post(PROGRESS, body(game, achievement="special"))
    assert answer.status_code == status
    assert nothing_is_stored() is (status == 409)


def test_a_tester_may_report_a_draft(server: Api, studio: Studio, game: Game) -> None:
    factories.achievement(game, "draft", type="incremental", target=9, state="draft")
    game.testers.create(player=factories.player(studio, "p-1"))
    assert report(server, game, achievement="draft")["current"] == 5
    assert server.post(PROGRESS, body(game, achievement="draft", player="p-2")).status_code == 409


def test_a_draft_is_deleted_with_its_testers_progress(server: Api, studio: Studio, game: Game) -> None:
    factories.achievement(game, "draft", type="incremental", target=9, state="draft")
    game.testers.create(player=factories.player(studio, "p-1"))
    report(server, game, achievement="draft")
    report(server, game, achievement="doors")
    assert server.delete(f"/games/{game.uuid}/achievements/draft").status_code == 204
    assert Progress.objects.get().achievement.key == "doors"
    assert server.post(PROGRESS, body(game, achievement="draft")).status_code == 404


def test_a_banned_player_is_refused_and_an_erased_one_is_gone(
    server: Api, studio: Studio, game: Game
) -> None:
    factories.player(studio, "banned")
    factories.ban(studio, "banned")
    erased = factories.player(studio, "erased")
    erased.erased_at = timezone.now()
    erased.save()
    event = {"op": "add", "event_id": str(uuid4())}
    assert server.post(PROGRESS, body(game, player="banned", **event)).status_code == 403
    assert server.post(PROGRESS, body(game, player="erased", **event)).status_code == 410
    assert not Progress.objects.exists()
    assert not ProgressEvent.objects.exists()
    assert add(server, game, 5, event_id=event["event_id"])["current"] == 5  # the event is nobody's


def test_a_player_reports_what_clients_may_for_himself_only(studio: Studio, game: Game) -> None:
    me = factories.api(factories.player_token(game, factories.player(studio)))
    other = factories.player(studio, "p-2")
    assert report(me, game, achievement="lamps", player="me")["current"] == 5
    assert me.post(PROGRESS, body(game, player="me")).status_code == 403
    assert me.post(PROGRESS, body(game, achievement="lamps", player="p-2")).status_code in (403, 404)
    assert not Progress.objects.filter(player_id=other.pk).exists()


def test_the_scope_is_needed_and_another_studios_game_is_unknown(studio: Studio, game: Game) -> None:
    without = factories.api(factories.server_key(studio, scopes=["players:read"]))
    assert without.post(PROGRESS, body(game)).status_code == 403
    stranger = factories.api(factories.server_key(factories.studio()))
    foreign, unknown = (
        stranger.post(PROGRESS, body(game, **more)).json() for more in ({}, {"game_id": str(uuid4())})
    )
    assert foreign["status"] == 404
    del foreign["request_id"], unknown["request_id"]
    assert foreign == unknown
    assert factories.api().post(PROGRESS, body(game)).status_code == 401
    assert nothing_is_stored()
