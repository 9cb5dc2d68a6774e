"""POST /achievements/unlock and /unlock/batch, at the HTTP border."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Game, PlayerIdentity, Studio
from achievements.api.unlocks import UnlockItem, read_unlock
from achievements.models import Achievement, Catalogue, PlayerGame, PlayerTotal, Unlock
from core.clock import rfc3339
from core.ids import new_id
from core.refusals import Refused
from tests import factories
from tests.factories import Api

pytestmark = pytest.mark.django_db

UNLOCK = "/achievements/unlock"
BATCH = "/achievements/unlock/batch"


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def game(studio: Studio) -> Game:
    made = factories.game(studio)
    factories.achievement(made, "first-blood", points=10)
    factories.achievement(made, "second-wind", points=5)
    return made


@pytest.fixture
def server(studio: Studio) -> Api:
    return factories.api(factories.server_key(studio))


def body(game: Game, **more: Any) -> dict[str, Any]:
    return {"game_id": str(game.uuid), "player": "p-1", "achievement": "first-blood", **more}


def change(achievement: Achievement, **fields: Any) -> None:
    """Change a definition as its service does: the catalogue's version rises with it."""
    Achievement.objects.filter(pk=achievement.pk).update(**fields)
    row = Catalogue.objects.get(game=achievement.game)
    Catalogue.objects.filter(pk=row.pk).update(version=row.version + 1)


def facts() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_fact WHERE kind = 'achievements_unlocked'")
        return int(cursor.fetchone()[0])


def test_a_new_unlock_is_stored_and_answered_with_its_totals(server: Api, game: Game) -> None:
    event_id = str(uuid4())
    answer = server.post(UNLOCK, body(game, event_id=event_id))
    assert answer.status_code == 202
    said = answer.json()
    assert said["status"] == "unlocked"
    assert said["event_id"] == event_id
    assert said["points"] == 10
    assert said["totals"] == {"points": 10, "unlocked": 1, "available": 2}
    assert said["unlocked_at"].endswith("Z")
    assert Unlock.objects.count() == facts() == 1


def test_a_repeated_unlock_changes_nothing(server: Api, game: Game) -> None:
    first = server.post(UNLOCK, body(game)).json()
    again = server.post(UNLOCK, body(game))
    assert again.status_code == 200
    assert again.json() == {
        "event_id": first["event_id"],
        "status": "already_unlocked",
        "unlocked_at": first["unlocked_at"],
    }
    assert PlayerGame.objects.get().points == PlayerTotal.objects.get().points == 10
    assert facts() == 1


def test_totals_add_up_over_games(server: Api, studio: Studio, game: Game) -> None:
    other = factories.game(studio, title="Hollow Orchard")
    factories.achievement(other, "first-blood", points=7)
    server.post(UNLOCK, body(game))
    server.post(UNLOCK, body(other))
    assert sorted(PlayerGame.objects.values_list("points", flat=True)) == [7, 10]
    assert PlayerTotal.objects.values_list("points", "unlocked").get() == (17, 2)


def test_points_edited_later_leave_what_an_unlock_was_worth(server: Api, game: Game) -> None:
    server.post(UNLOCK, body(game))
    change(Achievement.objects.get(key="first-blood"), points=50)
    said = server.post(UNLOCK, body(game, player="p-2")).json()
    assert said["points"] == 50
    assert sorted(Unlock.objects.values_list("points", flat=True)) == [10, 50]


def test_a_definition_made_a_moment_ago_can_be_unlocked_at_once(server: Api, game: Game) -> None:
    server.post(UNLOCK, body(game))  # this process has kept the catalogue now
    change(factories.achievement(game, "brand-new"))
    assert server.post(UNLOCK, body(game, achievement="brand-new")).status_code == 202


def test_a_definition_archived_a_moment_ago_is_refused_at_once(server: Api, game: Game) -> None:
    server.post(UNLOCK, body(game))
    change(Achievement.objects.get(key="second-wind"), state="archived")
    answer = server.post(UNLOCK, body(game, achievement="second-wind"))
    assert answer.status_code == 409
    assert not Unlock.objects.filter(achievement__key="second-wind").exists()


def test_a_game_may_be_left_out_with_a_key_of_one_game(studio: Studio, game: Game) -> None:
    caller = factories.api(factories.server_key(studio, game=game))
    assert caller.post(UNLOCK, {"player": "p-1", "achievement": "first-blood"}).status_code == 202
    other = factories.game(studio)
    factories.achievement(other, "first-blood")
    assert caller.post(UNLOCK, body(other)).status_code == 404


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"state": "draft"}, 409),
        ({"state": "archived"}, 409),
        ({"available_from": timezone.now() + timedelta(days=1)}, 409),
        ({"available_until": timezone.now() - timedelta(days=1)}, 409),
        ({"type": "meta"}, 409),
        ({"type": "incremental", "target": 5, "stat": "kills"}, 409),
        ({"type": "incremental", "target": 5}, 202),
    ],
)
def test_what_cannot_be_unlocked_is_refused_and_changes_nothing(
    server: Api, game: Game, fields: dict[str, Any], status: int
) -> None:
    factories.achievement(game, "special", **fields)
    answer = server.post(UNLOCK, body(game, achievement="special"))
    assert answer.status_code == status
    if status == 409:
        assert answer["Content-Type"] == "application/problem+json"
        assert not Unlock.objects.exists()
        assert not PlayerIdentity.objects.exists()
        assert facts() == 0


def test_a_tester_may_unlock_a_draft(server: Api, studio: Studio, game: Game) -> None:
    factories.achievement(game, "draft", state="draft")
    game.testers.create(player=factories.player(studio, "p-1"))
    assert server.post(UNLOCK, body(game, achievement="draft")).status_code == 202
    assert server.post(UNLOCK, body(game, achievement="draft", player="p-2")).status_code == 409


def test_a_banned_player_is_refused_and_an_erased_one_is_gone(
    server: Api, studio: Studio, game: Game
) -> None:
    factories.player(studio, "banned")
    factories.ban(studio, "banned")
    erased = factories.player(studio, "erased")
    erased.erased_at = timezone.now()
    erased.save()
    assert server.post(UNLOCK, body(game, player="banned")).status_code == 403
    assert server.post(UNLOCK, body(game, player="erased")).status_code == 410
    assert not Unlock.objects.exists()


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"player": ""}, 422),
        ({"player": "x" * 129}, 422),
        ({"player": "a\nb"}, 422),
        ({"player": "id:nobody"}, 404),
        ({"player": "me"}, 404),
        ({"player": 7}, 422),
        ({"player": None}, 422),
        ({"achievement": "nothing"}, 404),
        ({"achievement": ""}, 422),
        ({"achievement": ["first-blood"]}, 422),
        ({"unlocked_at": "yesterday"}, 422),
        ({"unlocked_at": "2026-11-23T12:00:00"}, 422),
        ({"unlocked_at": "0001-01-01T00:00:00Z"}, 422),
        ({"unlocked_at": "1979-12-31T23:59:59Z"}, 422),
        ({"unlocked_at": "9999-12-31T23:59:59-14:00"}, 422),
        ({"unlocked_at": "2016-12-31T23:59:60Z"}, 422),
        ({"unlocked_at": 1732360000}, 422),
        ({"event_id": "1"}, 422),
        ({"event_id": 5}, 422),
        ({"game_id": "nope"}, 404),
        ({"game_id": str(uuid4())}, 404),
        ({"playr": "p-1"}, 400),
    ],
)
def test_bad_values_are_refused_and_change_nothing(
    server: Api, game: Game, more: dict[str, Any], status: int
) -> None:
    answer = server.post(UNLOCK, body(game, **more))
    assert answer.status_code == status, answer.content
    assert answer.json()["status"] == status
    assert not Unlock.objects.exists()
    assert not PlayerIdentity.objects.exists()


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ("yesterday", "The time is not an RFC 3339 time such as 2026-11-23T12:26:00Z: correct it."),
        (1732360000, "The time is not an RFC 3339 time such as 2026-11-23T12:26:00Z: correct it."),
        ("2026-02-30T00:00:00Z", "The time is a date or time that does not exist: correct it."),
    ],
)
def test_a_time_that_is_none_is_explained(server: Api, game: Game, sent: object, detail: str) -> None:
    answer = server.post(UNLOCK, body(game, unlocked_at=sent)).json()
    assert answer["errors"] == [{"pointer": "/unlocked_at", "detail": detail}]


@pytest.mark.parametrize(
    ("sent", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"player=p-1", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b"{" + b" " * 1024 * 1024 + b"}", "application/json", 413),
        (rb'{"player": "\u0000"}', "application/json", 422),
    ],
)
def test_bodies_that_are_not_strict_json_are_refused(
    server: Api, sent: bytes, content_type: str, status: int
) -> None:
    answer = server.post(UNLOCK, sent, content_type=content_type)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


def test_a_time_within_five_minutes_ahead_is_taken_and_later_ones_are_not(server: Api, game: Game) -> None:
    soon = rfc3339(timezone.now() + timedelta(minutes=4))
    assert server.post(UNLOCK, body(game, unlocked_at=soon)).json()["unlocked_at"] == soon
    later = rfc3339(timezone.now() + timedelta(minutes=6))
    assert server.post(UNLOCK, body(game, player="p-2", unlocked_at=later)).status_code == 422


def test_ties_go_by_the_time_of_hearing_unless_the_key_may_bring_offline_times(
    studio: Studio, game: Game
) -> None:
    told = timezone.now() - timedelta(days=3)
    online = factories.api(factories.server_key(studio, scopes=["unlocks:write"]))
    offline = factories.api(factories.server_key(studio, scopes=["unlocks:write", "offline:write"]))
    online.post(UNLOCK, body(game, player="online", unlocked_at=rfc3339(told)))
    offline.post(UNLOCK, body(game, player="offline", unlocked_at=rfc3339(told)))
    offline.post(UNLOCK, body(game, player="long-ago", unlocked_at=rfc3339(told - timedelta(days=300))))
    reached = {
        row.external_id: PlayerGame.objects.get(player_id=row.player_id).points_reached_at
        for row in PlayerIdentity.objects.all()
    }
    assert timezone.now() - reached["online"] < timedelta(minutes=1)
    assert abs(reached["offline"] - told) < timedelta(milliseconds=1)
    assert timezone.now() - reached["long-ago"] < timedelta(minutes=1)


def test_of_equals_in_a_batch_the_first_is_first_though_only_some_were_known(
    server: Api, studio: Studio, game: Game
) -> None:
    names = [f"p-{number}" for number in range(12)]
    for name in names[1::2]:
        factories.player(studio, name)
    unlocks = [{"player": name, "achievement": "first-blood"} for name in names]
    said = server.post(BATCH, {"game_id": str(game.uuid), "unlocks": unlocks}).json()
    assert said["unlocked"] == len(names)
    external = dict(PlayerIdentity.objects.values_list("player_id", "external_id"))
    order = PlayerGame.objects.order_by("points_reached_at").values_list("player_id", flat=True)
    assert [external[player_id] for player_id in order] == names
    alone = server.post(UNLOCK, body(game, player="newcomer")).json()
    newest = PlayerGame.objects.order_by("-points_reached_at")[0].points_reached_at
    assert abs(timezone.now() - newest) < timedelta(minutes=1)
    assert alone["unlocked_at"] == rfc3339(newest)


def test_an_unlock_without_points_does_not_make_its_player_later(server: Api, game: Game) -> None:
    factories.achievement(game, "worthless", points=0)
    server.post(UNLOCK, body(game))
    before = PlayerGame.objects.get().points_reached_at
    items = [{"player": "p-1", "achievement": "worthless"}]
    server.post(BATCH, {"game_id": str(game.uuid), "unlocks": items})
    assert PlayerGame.objects.values_list("points_reached_at", "unlocked").get() == (before, 2)


def test_another_studio_finds_nothing(server: Api, game: Game) -> None:
    outsider = factories.api(factories.server_key(factories.studio()))
    theirs = outsider.post(UNLOCK, body(game))
    random = outsider.post(UNLOCK, body(game, game_id=str(uuid4())))
    assert theirs.status_code == random.status_code == 404
    assert {**theirs.json(), "request_id": ""} == {**random.json(), "request_id": ""}
    assert not Unlock.objects.exists()


def test_a_key_without_the_scope_is_told_which_one(studio: Studio, game: Game) -> None:
    reader = factories.api(factories.server_key(studio, scopes=["players:read"]))
    answer = reader.post(UNLOCK, body(game))
    assert answer.status_code == 403
    assert "unlocks:write" in answer.json()["detail"]


def test_callers_without_a_usable_credential_are_unknown(studio: Studio, game: Game) -> None:
    key = factories.server_key(studio)
    typo = key[:-1] + ("a" if key[-1] != "a" else "b")
    for credential in (None, typo, "lrl_sk_x", "ey.x.y", "ü", "x" * 10_000):
        answer = factories.api(credential).post(UNLOCK, body(game))
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
    with CaptureQueriesContext(connection) as queries:
        factories.api(typo).post(UNLOCK, body(game))
    assert len(queries) == 0


def test_a_revoked_key_is_refused(studio: Studio, game: Game) -> None:
    key = factories.server_key(studio)
    assert factories.api(key).post(UNLOCK, body(game)).status_code == 202
    factories.revoke(key)
    assert factories.api(key).post(UNLOCK, body(game)).status_code == 401


def test_a_player_unlocks_for_itself_what_clients_may(studio: Studio, game: Game) -> None:
    factories.achievement(game, "by-client", authority="client")
    player = factories.player(studio, "p-1")
    factories.player(studio, "p-2")
    caller = factories.api(factories.player_token(game, player))
    assert caller.post(UNLOCK, body(game, achievement="by-client", player="me")).status_code == 202
    assert caller.post(UNLOCK, body(game, achievement="by-client")).status_code == 200
    assert caller.post(UNLOCK, body(game, achievement="first-blood")).status_code == 403
    assert caller.post(UNLOCK, body(game, achievement="by-client", player="p-2")).status_code == 404
    assert Unlock.objects.count() == 1


def test_an_idempotency_key_answers_the_same_again(server: Api, game: Game) -> None:
    first = server.post(UNLOCK, body(game), Idempotency_Key="once")
    again = server.post(UNLOCK, body(game), Idempotency_Key="once")
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert server.post(UNLOCK, body(game, player="p-2"), Idempotency_Key="once").status_code == 422
    assert facts() == 1


def test_a_refused_request_does_not_use_up_its_idempotency_key(server: Api, game: Game) -> None:
    assert server.post(UNLOCK, body(game, achievement="nothing"), Idempotency_Key="k").status_code == 404
    assert server.post(UNLOCK, body(game), Idempotency_Key="k").status_code == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "ü", "a\tb"])
def test_an_idempotency_key_is_1_to_255_printable_characters(server: Api, game: Game, key: str) -> None:
    assert server.post(UNLOCK, body(game), Idempotency_Key=key).status_code == 400


def batch(game: Game, *items: Any) -> dict[str, Any]:
    return {"game_id": str(game.uuid), "unlocks": list(items)}


def item(player: str = "p-1", achievement: str = "first-blood", **more: Any) -> dict[str, Any]:
    return {"player": player, "achievement": achievement, **more}


def test_a_batch_is_answered_in_order_and_a_bad_item_refuses_no_other(server: Api, game: Game) -> None:
    server.post(UNLOCK, body(game, player="had-it"))
    answer = server.post(
        BATCH,
        batch(
            game, item(), item(), item("had-it"), item(achievement="nothing"), item(player=""), 7, item("p-2")
        ),
    )
    assert answer.status_code == 202
    said = answer.json()
    assert [row["status"] for row in said["results"]] == [
        *("unlocked", "already_unlocked", "already_unlocked", "rejected", "rejected", "rejected", "unlocked")
    ]
    assert (said["unlocked"], said["already_unlocked"], said["rejected"]) == (2, 2, 3)
    assert said["results"][0]["event_id"] == said["results"][1]["event_id"]
    assert [row["problem"]["status"] for row in said["results"][3:6]] == [404, 422, 400]
    assert Unlock.objects.count() == 3


def test_a_rejected_item_is_known_by_the_event_id_that_was_sent(server: Api, game: Game) -> None:
    ids = [str(new_id()) for _ in range(3)]
    wrong = [item(achievement="nothing"), item(player=""), item(more=1)]
    sent = [one | {"event_id": its} for one, its in zip(wrong, ids, strict=True)]
    said = server.post(BATCH, batch(game, *sent, item(event_id="x"), 7)).json()
    assert [row["event_id"] for row in said["results"]] == [*ids, None, None]
    assert said["rejected"] == 5


def test_a_batch_takes_one_to_a_thousand_items(server: Api, game: Game) -> None:
    assert server.post(BATCH, batch(game)).status_code == 422
    assert server.post(BATCH, batch(game, *[item()] * 1001)).status_code == 422
    answer = server.post(BATCH, batch(game, *[item()] * 1000))
    assert (answer.json()["unlocked"], answer.json()["already_unlocked"]) == (1, 999)


def test_of_equals_in_a_batch_who_was_sent_first_is_ranked_first(server: Api, game: Game) -> None:
    names = ["zoe", "adam", "mia", "ben"]
    server.post(BATCH, batch(game, *[item(name) for name in names]))
    order = PlayerGame.objects.order_by("points_reached_at").values_list("player_id", flat=True)
    ids = {row.player_id: row.external_id for row in PlayerIdentity.objects.all()}
    assert [ids[pk] for pk in order] == names


def test_a_batch_costs_the_same_few_queries_whatever_its_size(server: Api, game: Game) -> None:
    server.post(BATCH, batch(game, *[item(f"w-{n}") for n in range(3)]))
    counts = []
    for size in (2, 500):
        with CaptureQueriesContext(connection) as queries:
            server.post(BATCH, batch(game, *[item(f"q-{size}-{n}", "second-wind") for n in range(size)]))
        counts.append(len(queries))
    assert counts[0] == counts[1]


_texts = st.text(max_size=140) | st.none() | st.integers() | st.booleans()
_times = st.datetimes().map(lambda at: at.isoformat() + "Z") | _texts
_ids = st.uuids().map(str) | _texts


@pytest.mark.slow
@given(player=_texts, achievement=_texts, unlocked_at=_times, event_id=_ids)
@settings(max_examples=300, deadline=None)
def test_the_quick_reader_takes_nothing_that_the_documented_serializer_refuses(
    player: Any, achievement: Any, unlocked_at: Any, event_id: Any
) -> None:
    given_item = {"player": player, "achievement": achievement}
    given_item |= {} if unlocked_at is None else {"unlocked_at": unlocked_at}
    given_item |= {} if event_id is None else {"event_id": event_id}
    try:
        read = read_unlock(given_item)
    except Refused:
        return
    documented = UnlockItem(data=given_item)
    if not documented.is_valid():
        # A serializer trims; the API takes ids as they are, and these are the only ones it takes more of.
        assert {"player", "achievement"} >= set(documented.errors), documented.errors
        assert read.player.strip() == "" or read.achievement.strip() == "" or "\0" in read.achievement


def test_a_key_is_found_in_whichever_form_its_accents_are_written(server: Api, game: Game) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    factories.achievement(game, composed)
    assert server.post(UNLOCK, body(game, achievement=decomposed)).status_code == 202
    item = {"player": "p-1", "achievement": decomposed}
    batch = server.post(BATCH, {"game_id": str(game.uuid), "unlocks": [item]}).json()
    assert (batch["already_unlocked"], batch["rejected"]) == (1, 0)
