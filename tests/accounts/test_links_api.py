"""/players/{player}/link-code and /players/{player}/link at the HTTP border: three studios and their players."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import guesses, linkcodes, linking, models
from accounts.models import JoinedPlayer, LinkCode, LinkFailure, Player, PlayerIdentity, Studio
from achievements.models import PlayerTotal, Unlock
from core import deadlines
from core.models import AuditEntry
from social.models import Friendship, InboxCounter
from tests import factories
from tests.accounts import joins
from tests.factories import Api

pytestmark = pytest.mark.django_db

WRONG = "mistyped, expired or used"


class Side:
    """A studio, its server, and a game."""

    def __init__(self) -> None:
        self.studio: Studio = factories.studio()
        self.server: Api = factories.api(factories.server_key(self.studio))
        self.game = factories.game(self.studio)

    def code(self, player: str = "p-1") -> str:
        answer = self.server.post(f"/players/{player}/link-code", {})
        assert answer.status_code == 201
        return str(answer.json()["code"])

    def link(self, player: str, code: str, **headers: str) -> Any:
        return self.server.post(f"/players/{player}/link", {"code": code}, **headers)

    def named(self, player: str) -> int:
        """Return whom an id names, 0 for nobody."""
        rows = PlayerIdentity.objects.filter(studio=self.studio, external_id=player)
        return rows.values_list("player_id", flat=True).first() or 0


@pytest.fixture
def one() -> Side:
    return Side()


@pytest.fixture
def other() -> Side:
    return Side()


@pytest.fixture
def third() -> Side:
    return Side()


def play(side: Side, player: str = "p-1") -> None:
    """Let a player unlock something."""
    factories.achievement(side.game)
    answer = side.server.post(
        "/achievements/unlock",
        {"game_id": str(side.game.uuid), "player": player, "achievement": "first-blood"},
    )
    assert answer.status_code == 202


def excluded_facts() -> list[tuple[int, list[list[Any]]]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT studio_id, payload::text FROM core_fact WHERE kind = 'players_excluded' ORDER BY id"
        )
        return [(studio, json.loads(payload)["players"]) for studio, payload in cursor.fetchall()]


def state() -> list[Any]:
    """Return whom every id names, who there is, and which codes are open."""
    return [
        list(PlayerIdentity.objects.order_by("id").values_list("studio_id", "external_id", "player_id")),
        list(Player.objects.order_by("id").values_list("id", flat=True)),
        list(LinkCode.objects.order_by("id").values_list("player_id", "used_at")),
        AuditEntry.objects.count(),
    ]


def test_a_code_has_eight_signs_and_ten_minutes_and_is_stored_hashed(one: Side) -> None:
    player = factories.player(one.studio)
    answer = one.server.post("/players/p-1/link-code", {})
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    code = answer.json()["code"]
    assert (len(code), code[4]) == (9, "-")
    assert set(code) <= {*linkcodes.ALPHABET, "-"}
    left = datetime.fromisoformat(answer.json()["expires_at"]) - timezone.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    row = LinkCode.objects.get()
    assert (row.player_id, row.studio_id) == (player.pk, one.studio.pk)
    assert code.replace("-", "").encode() not in bytes(row.hash)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id) == ("player.link_code", str(player.uuid))
    assert code not in str(entry.details)


def test_an_id_that_is_new_names_the_person(one: Side, other: Side) -> None:
    player = factories.player(one.studio, display_name="marenok")
    answer = other.link("ember:77", one.code())
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["external_id"]) == (str(player.uuid), "ember:77")
    assert answer.json()["display_name"] == "marenok"
    assert Player.objects.count() == 1
    assert other.server.get("/players/ember:77").json()["id"] == str(player.uuid)
    assert AuditEntry.objects.filter(studio_id=other.studio.pk, action="player.link").count() == 1
    assert AuditEntry.objects.filter(studio_id=one.studio.pk, action="player.linked").count() == 1
    assert "ember:77" not in str(list(AuditEntry.objects.filter(studio_id=one.studio.pk).values()))


def test_three_studios_come_to_name_one_person(one: Side, other: Side, third: Side) -> None:
    player = factories.player(one.studio)
    assert other.link("a", one.code()).status_code == 200
    assert third.link("b", other.code("a")).status_code == 200
    assert one.named("p-1") == other.named("a") == third.named("b") == player.pk


def test_who_holds_nothing_is_gone(one: Side, other: Side, third: Side) -> None:
    stays, leaves = factories.player(one.studio), factories.player(other.studio, "a", display_name="old")
    PlayerIdentity.objects.create(studio=third.studio, external_id="b", player=leaves)
    models.Tester.objects.create(game=other.game, player=leaves)
    open_code = other.code("a")
    answer = other.link("a", one.code())
    assert (answer.status_code, answer.json()["id"]) == (200, str(stays.uuid))
    assert other.named("a") == third.named("b") == stays.pk
    assert list(Player.objects.values_list("pk", flat=True)) == [stays.pk]
    assert list(models.Tester.objects.values_list("player_id", flat=True)) == [stays.pk]
    assert JoinedPlayer.objects.get(player_id=leaves.pk).into_id == stays.pk
    assert third.link("new", open_code).status_code == 422  # it stood for somebody who is gone
    assert other.server.get(f"/players/id:{leaves.uuid}").status_code == 404


def test_studios_hear_which_of_their_ids_name_another_player_and_no_others_do(
    one: Side, other: Side, third: Side
) -> None:
    stays, leaves = factories.player(one.studio), factories.player(other.studio, "a")
    PlayerIdentity.objects.create(studio=other.studio, external_id="a2", player=leaves)
    PlayerIdentity.objects.create(studio=third.studio, external_id="b", player=leaves)
    assert other.link("a", one.code()).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT studio_id, payload::text FROM core_fact WHERE kind = 'ids_moved' ORDER BY id")
        told = {studio: json.loads(payload) for studio, payload in cursor.fetchall()}
    about = {"gone": str(leaves.uuid), "player": stays.pk}
    assert told == {other.studio.pk: about | {"ids": ["a", "a2"]}, third.studio.pk: about | {"ids": ["b"]}}


def test_who_holds_nothing_gives_way_though_the_code_is_his(one: Side, other: Side) -> None:
    leaves = factories.player(one.studio)
    play(other, "a")
    stays = other.named("a")
    assert other.link("a", one.code()).status_code == 200
    assert one.named("p-1") == other.named("a") == stays
    assert not Player.objects.filter(pk=leaves.pk).exists()


def test_the_tokens_of_who_is_gone_end(one: Side, other: Side) -> None:
    factories.player(one.studio)
    leaves = factories.player(other.studio, "a")
    device = factories.api(factories.player_token(other.game, leaves))
    assert device.get("/players/me").status_code == 200
    other.link("a", one.code())
    assert device.get("/players/me").status_code == 401


def test_what_is_written_afterwards_is_the_person_s(one: Side, other: Side) -> None:
    factories.player(one.studio)
    factories.player(other.studio, "a")
    other.link("a", one.code())
    play(one)
    play(other, "a")
    shown = one.server.get("/players/p-1/achievements?game_id=" + str(one.game.uuid)).json()
    assert shown["results"][0]["unlocked"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT player_id, unlocked FROM achievements_playertotal")
        assert cursor.fetchall() == [(one.named("p-1"), 2)]


def test_of_two_who_both_hold_something_whom_the_id_named_is_gone(one: Side, other: Side) -> None:
    stays, leaves = factories.player(one.studio), factories.player(other.studio, "a")
    device = factories.api(factories.player_token(other.game, leaves))
    play(one)
    play(other, "a")
    code = one.code()
    answer = other.link("a", code)
    assert (answer.status_code, answer.json()["id"]) == (200, str(stays.uuid))
    assert other.link("a", code).json() == answer.json()
    assert other.named("a") == stays.pk
    assert list(Unlock.objects.values_list("player_id", flat=True)) == [stays.pk] * 2
    assert PlayerTotal.objects.get().points == 20
    assert device.get("/players/me").status_code == 401
    shown = other.server.get(f"/players/a/achievements?game_id={other.game.uuid}").json()
    assert [row["unlocked_at"] is not None for row in shown["results"]] == [True]
    assert other.server.get(f"/players/id:{leaves.uuid}").status_code == 404
    assert LinkFailure.objects.count() == 0
    entry = AuditEntry.objects.get(studio_id=other.studio.pk, action="player.link")
    assert entry.details["gone"] == str(leaves.uuid)
    assert AuditEntry.objects.filter(studio_id=one.studio.pk, action="player.linked").count() == 1


@pytest.mark.parametrize("holding", ["playtime", "friends", "inbox", "stat", "score", "progress"])
def test_anything_of_his_own_goes_over(one: Side, other: Side, holding: str) -> None:
    stays = factories.player(one.studio)
    play(one)
    held = factories.player(other.studio, "a")
    now = timezone.now()
    game_id = str(other.game.uuid)
    if holding == "playtime":
        answer = other.server.post("/players/a/sessions", {"game_id": game_id, "event": "start"})
        assert answer.status_code == 202
    elif holding == "friends":
        friend = factories.player(other.studio, "b")
        Friendship.objects.bulk_create(
            [
                Friendship(player_id=held.pk, friend_id=friend.pk, since=now),
                Friendship(player_id=friend.pk, friend_id=held.pk, since=now),
            ]
        )
    elif holding == "inbox":
        InboxCounter.objects.create(player_id=held.pk, last_seq=1)
    elif holding == "stat":
        factories.stat(other.game, aggregation="max")
        report = {"game_id": game_id, "player": "a", "stats": {"kills": {"set": 1}}}
        assert other.server.post("/stats/report", report).status_code == 202
    elif holding == "score":
        factories.leaderboard(other.game)
        score = {"player": "a", "score": 5}
        answer = other.server.post(f"/leaderboards/{game_id}/high-score/scores", score)
        assert answer.status_code == 202
    else:
        factories.achievement(other.game, "steps", type="incremental", target=10)
        steps = {"game_id": game_id, "player": "a", "achievement": "steps", "steps": 3}
        answer = other.server.post("/achievements/progress", steps)
        assert answer.status_code == 202
    had = joins.rows_of(held.pk)
    before = joins.rows_of(stays.pk)
    assert other.link("a", one.code()).status_code == 200
    assert other.named("a") == stays.pk
    assert joins.rows_of(held.pk) == {}
    assert all(
        joins.rows_of(stays.pk)[table] >= max(before.get(table, 0), count) for table, count in had.items()
    )


def test_a_code_is_read_in_any_case_with_dashes_spaces_and_look_alikes(one: Side, other: Side) -> None:
    player = factories.player(one.studio)
    LinkCode.objects.create(
        player=player,
        studio=one.studio,
        hash=linkcodes.code_hash("01AB01CD"),
        created_at=timezone.now(),
        expires_at=timezone.now() + timedelta(minutes=1),
    )
    assert other.link("a", " oi-ab o l c d ").status_code == 200


def test_a_used_code_is_of_no_use_to_others_and_changes_nothing_for_who_used_it(
    one: Side, other: Side, third: Side
) -> None:
    factories.player(one.studio)
    code = one.code()
    first = other.link("a", code)
    before = state()
    again = other.link("a", code)
    assert (again.status_code, again.json()) == (200, first.json())
    assert state() == before
    assert third.link("b", code).status_code == 422
    assert third.named("b") == 0
    assert other.link("second", code).status_code == 422


def test_the_id_that_names_the_person_already_keeps_the_code(one: Side, other: Side) -> None:
    factories.player(one.studio)
    code = one.code()
    before = state()
    assert one.link("p-1", code).status_code == 200
    assert state() == before
    assert other.link("a", code).status_code == 200


def test_one_studio_s_second_id_comes_to_name_the_person(one: Side) -> None:
    player = factories.player(one.studio)
    assert one.link("alt", one.code()).status_code == 200
    assert one.named("alt") == player.pk


@pytest.mark.parametrize("code", ["", "AAAA", "AAAA-AAAA", "UUUU-UUUU", "AAAA-AAA\u0410", "AAAA-AAA\x00"])
def test_what_is_no_code_is_answered_as_a_wrong_one(one: Side, other: Side, code: str) -> None:
    factories.player(one.studio)
    one.code()
    answer = other.link("a", code)
    assert answer.status_code in ((422,) if code and "\x00" not in code else (400, 422))
    assert other.named("a") == 0


def test_wrong_expired_and_replaced_codes_are_answered_alike(one: Side, other: Side) -> None:
    factories.player(one.studio)
    replaced = one.code()
    expired = one.code()
    LinkCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answers = [other.link("a", code) for code in (replaced, expired, "AAAA-AAAA")]
    bodies = [{**answer.json(), "request_id": None} for answer in answers]
    assert [answer.status_code for answer in answers] == [422] * 3
    assert bodies[0] == bodies[1] == bodies[2]
    assert WRONG in bodies[0]["errors"][0]["detail"]
    assert other.named("a") == 0


@pytest.mark.parametrize(
    "body", [{}, {"code": 1}, {"code": None}, {"code": "A" * 65}, {"code": "A", "x": 1}, []]
)
def test_bad_bodies_are_refused(one: Side, body: Any) -> None:
    assert one.server.post("/players/a/link", body).status_code in (400, 422)
    assert LinkFailure.objects.count() == 0


def test_ten_failures_of_an_id_make_it_wait_whatever_it_sends(one: Side, other: Side, third: Side) -> None:
    factories.player(one.studio)
    code = one.code()
    for place in range(guesses.MOST_FAILURES):
        assert other.link("a", "AAAA-AAAA", Idempotency_Key=f"k{place}").status_code == 422
    answer = other.link("a", code)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 901
    assert other.named("a") == 0
    LinkFailure.objects.update(at=timezone.now() - guesses.WINDOW)
    assert other.link("a", code).status_code == 200
    assert third.link("x", one.code()).status_code == 200


def test_a_studio_that_tries_with_many_ids_waits_too(one: Side, other: Side, third: Side) -> None:
    factories.player(one.studio)
    now = timezone.now()
    LinkFailure.objects.bulk_create(
        LinkFailure(studio=other.studio, external_id=f"x{n}", at=now)
        for n in range(guesses.MOST_FAILURES_OF_STUDIO)
    )
    code = one.code()
    assert other.link("fresh", code).status_code == 429
    assert third.link("b", code).status_code == 200


def test_banned_and_erased_players_are_refused_on_either_side(one: Side, other: Side) -> None:
    factories.player(one.studio)
    factories.player(other.studio, "a")
    code = one.code()
    factories.ban(other.studio, "a")
    before = state()
    assert other.link("a", code).status_code == 403
    factories.ban(other.studio, "a", banned=False)
    factories.ban(one.studio, "p-1")
    assert one.server.post("/players/p-1/link-code", {}).status_code == 403
    assert other.link("a", code).status_code == 403
    factories.ban(one.studio, "p-1", banned=False)
    Player.objects.filter(pk=other.named("a")).update(erased_at=timezone.now())
    assert other.link("a", code).status_code == 410
    assert other.server.post("/players/a/link-code", {}).status_code == 410
    Player.objects.update(erased_at=None)
    Player.objects.filter(pk=one.named("p-1")).update(erased_at=timezone.now())
    assert other.link("a", code).status_code == 410
    assert state()[:3] == before[:3]


def test_an_exclusion_comes_along(one: Side, other: Side) -> None:
    player = factories.player(one.studio)
    factories.player(other.studio, "a")
    PlayerIdentity.objects.create(studio=other.studio, external_id="old", player=player)
    other.server.put("/players/a/exclusion", {"reason": "Speed hack"})
    assert other.link("a", one.code()).status_code == 200
    off = PlayerIdentity.objects.filter(player=player, excluded_at__isnull=False)
    assert set(off.values_list("external_id", flat=True)) == {"a", "old"}
    assert excluded_facts()[-1] == (other.studio.pk, [[player.pk, True]])


def test_an_excluded_person_is_excluded_by_a_new_id_too(one: Side) -> None:
    player = factories.player(one.studio)
    one.server.put("/players/p-1/exclusion", {"reason": "Speed hack"})
    assert one.link("alt", one.code()).status_code == 200
    assert PlayerIdentity.objects.filter(player=player, excluded_at=None).count() == 0


def test_revoked_tokens_stay_so_by_whichever_id_the_person_is_named(one: Side, other: Side) -> None:
    older, anna = factories.player(one.studio, "older"), factories.player(one.studio, "p-1")
    play(one, "p-1")
    stolen = factories.api(factories.player_token(one.game, anna))
    assert one.server.delete("/players/p-1/token").status_code == 204
    assert stolen.get("/players/me").status_code == 401
    assert one.link("older", one.code()).status_code == 200
    assert one.named("older") == one.named("p-1") == anna.pk != older.pk
    assert stolen.get("/players/me").status_code == 401


def test_a_person_has_a_hundred_ids_at_most(one: Side, other: Side) -> None:
    player = factories.player(one.studio)
    PlayerIdentity.objects.bulk_create(
        PlayerIdentity(studio=one.studio, external_id=f"n{n}", player=player)
        for n in range(linking.MOST_IDS - 1)
    )
    assert other.link("a", one.code()).status_code == 409
    assert other.named("a") == 0


def test_a_player_asks_for_a_code_of_his_own_and_redeems_none(one: Side, other: Side) -> None:
    player = factories.player(one.studio)
    factories.player(one.studio, "p-2")
    device = factories.api(factories.player_token(one.game, player))
    answer = device.post("/players/me/link-code", {})
    assert answer.status_code == 201
    assert AuditEntry.objects.get().actor == f"player:{player.uuid}"
    assert device.post("/players/p-2/link-code", {}).status_code == 404
    assert device.post("/players/me/link", {"code": answer.json()["code"]}).status_code == 403
    assert other.link("a", answer.json()["code"]).status_code == 200


def test_a_key_without_the_scope_and_a_stranger_are_refused(one: Side, other: Side) -> None:
    factories.player(one.studio)
    code = one.code()
    before = state()
    reader = factories.api(factories.server_key(other.studio, scopes=["players:read"]))
    for caller, status in ((reader, 403), (factories.api(), 401)):
        assert caller.post("/players/p-1/link-code", {}).status_code == status
        assert caller.post("/players/a/link", {"code": code}).status_code == status
    assert state() == before


def test_another_studio_s_player_is_unknown(one: Side, other: Side) -> None:
    player = factories.player(one.studio)
    assert other.server.post("/players/p-1/link-code", {}).status_code == 404
    assert other.server.post(f"/players/id:{player.uuid}/link-code", {}).status_code == 404
    assert other.server.post(f"/players/id:{player.uuid}/link", {"code": "AAAA-AAAA"}).status_code == 404
    assert LinkCode.objects.count() == 0


def test_an_id_that_can_t_be_one_is_refused(one: Side, other: Side) -> None:
    factories.player(one.studio)
    code = one.code()
    assert other.link("me", code).status_code == 422
    assert other.link("x" * 129, code).status_code == 422
    assert other.link("a%00", code).status_code == 422


def test_codes_and_failures_that_nobody_needs_are_deleted(one: Side, other: Side) -> None:
    old = timezone.now() - timedelta(days=8)
    players = [factories.player(one.studio, f"p{n}") for n in range(3)]
    for n, player in enumerate(players[:2]):
        LinkCode.objects.create(
            player=player,
            studio=one.studio,
            hash=bytes([n]) * 32,
            created_at=old,
            expires_at=old,
            used_at=old if n else None,
        )
    LinkFailure.objects.create(studio=other.studio, external_id="a", at=old)
    one.code("p2")
    assert list(LinkCode.objects.values_list("player_id", flat=True)) == [players[2].pk]
    assert LinkFailure.objects.count() == 0


def test_who_holds_much_is_joined_within_a_longer_deadline(one: Side, other: Side) -> None:
    factories.player(one.studio, "p-1")
    code = one.code()
    left: list[float] = []

    def note(execute: Any, *args: Any) -> Any:
        left.append(deadlines.remaining() or 0)
        return execute(*args)

    with connection.execute_wrapper(note):
        assert other.link("x-1", code).status_code == 200
    assert max(left) > 2 * deadlines.REQUEST_SECONDS
