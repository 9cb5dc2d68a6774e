"""Players report that an achievement did not unlock; the studio answers, once, and the player is told."""

import threading
from datetime import timedelta
from html import unescape
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.utils import timezone

from accounts.models import JoinedPlayer, Player, Studio
from achievements.models.reports import PlayerReport, ReportAnswer
from achievements.services import joining
from achievements.services import reports as services
from core import facts, followers
from core.models import AuditEntry, Fact
from core.refusals import Conflict
from social import announcing
from social.joining import as_they_are
from tests import factories
from tests.accounts.members import House, audited
from tests.achievements.reports import a_report

pytestmark = pytest.mark.django_db
TEXT = "It is counted by now.\nStart the game once more."


@pytest.fixture
def house() -> House:
    return House()


def key(house: House, *scopes: str) -> Any:
    return factories.api(
        factories.server_key(house.studio, scopes=scopes or ["players:read", "players:write"])
    )


def player(house: House, name: str = "p-1") -> tuple[Player, Any]:
    """Return a player, and him with his token."""
    made = factories.player(house.studio, name)
    return made, factories.api(factories.player_token(house.game, made))


def post(api: Any, *, player: str = "me", **body: Any) -> Any:
    return api.post(f"/players/{player}/reports", body)


def answers(house: House, uuid: UUID, text: str = TEXT, *, by: str = "support") -> Any:
    return house.post(f"reports/{uuid}/answer", {"text": text}, by=by)


def test_a_player_reports_and_reads_his_reports(house: House) -> None:
    factories.achievement(house.game, "lost-one")
    _, me = player(house)
    made = post(me, achievement="lost-one", message="  I did it.\n Twice. ")
    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"],
        "game_id": str(house.game.uuid),
        "achievement": "lost-one",
        "message": "I did it.\n Twice.",
        "state": "open",
        "created_at": made.json()["created_at"],
        "answers": [],
    }
    assert me.get("/players/me/reports").json() == {
        "results": [made.json()],
        "next_cursor": None,
        "has_next_page": False,
    }
    row = PlayerReport.objects.get()
    assert row.trace["why_locked"] == ["The game has not reported it."]


def test_a_key_reports_for_a_player_and_pages_through_reports(house: House) -> None:
    api = key(house)
    factories.player(house.studio)
    factories.achievements(house.game, {f"a-{n}": 10 for n in range(5)})
    for n in range(5):
        assert post(api, player="p-1", game_id=str(house.game.uuid), achievement=f"a-{n}").status_code == 201
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"/players/p-1/reports?limit=2{cursor and '&cursor=' + cursor}").json()
        seen += [one["achievement"] for one in page["results"]]
        cursor = page["next_cursor"]
    assert seen == ["a-4", "a-3", "a-2", "a-1", "a-0"]
    assert api.get(f"/players/p-1/reports?game_id={house.game.uuid}").json()["results"]
    other = factories.game(house.studio)
    assert api.get(f"/players/p-1/reports?game_id={other.uuid}").json()["results"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"achievement": ""}, 422),
        ({"achievement": 7}, 422),
        ({"achievement": "nothing"}, 404),
        ({"achievement": "x" * 129}, 422),
        ({"achievement": "lost-one", "message": "x" * 1001}, 422),
        ({"achievement": "lost-one", "message": 1}, 422),
        ({"achievement": "lost-one", "message": None}, 422),
        ({"achievement": "lost-one", "message": "a\u202eb"}, 422),
        ({"achievement": "lost-one", "messages": "x"}, 400),
        ({"achievement": "lost-one", "game_id": "x"}, 404),
        ({"achievement": "secret"}, 404),
        ({"achievement": "draft"}, 404),
        ([], 400),
        (b"{", 400),
        (b'{"achievement": "lost-one", "message": "\\u0000"}', 422),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_stored(house: House, body: Any, status: int) -> None:
    factories.achievement(house.game, "lost-one")
    factories.achievement(house.game, "secret", hidden=True)
    factories.achievement(house.game, "draft", state="draft")
    _, me = player(house)
    answer = me.post("/players/me/reports", body)
    assert answer.status_code == status, answer.content
    assert not PlayerReport.objects.exists()


def test_who_may_report(house: House) -> None:
    factories.achievement(house.game, "lost-one")
    _, me = player(house)
    somebody, _ = player(house, "p-2")
    body = {"achievement": "lost-one", "game_id": str(house.game.uuid)}
    assert post(me, player=f"id:{somebody.uuid}", **body).status_code == 404
    assert post(key(house, "players:read"), player="p-1", **body).status_code == 403
    assert post(factories.api(), player="p-1", **body).status_code == 401
    stranger = factories.api(factories.server_key(house.elsewhere))
    assert post(stranger, player="p-1", **body).status_code == 404
    factories.player(house.elsewhere, "p-1")
    assert post(stranger, player="p-1", **body).status_code == 404
    assert not PlayerReport.objects.exists()
    assert post(me, **body).status_code == 201
    assert stranger.get("/players/p-1/reports").json()["results"] == []
    assert key(house, "players:write").get("/players/p-1/reports").status_code == 403


def test_one_open_report_an_achievement_and_ten_a_day(house: House) -> None:
    _, me = player(house)
    for n in range(12):
        factories.achievement(house.game, f"a-{n}")
    assert post(me, achievement="a-0").status_code == 201
    assert post(me, achievement="a-0").status_code == 409
    statuses = [post(me, achievement=f"a-{n}").status_code for n in range(1, 12)]
    assert statuses == [201] * 9 + [429] * 2
    refused = post(me, achievement="a-11")
    assert 86_000 < int(refused["Retry-After"]) <= 86_400
    PlayerReport.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    assert post(me, achievement="a-11").status_code == 201


def test_what_is_unlocked_is_not_reported(house: House) -> None:
    factories.achievement(house.game, "lost-one")
    api = factories.api(factories.server_key(house.studio))
    body = {"game_id": str(house.game.uuid), "player": "p-1", "achievement": "lost-one"}
    assert api.post("/achievements/unlock", body).status_code == 202
    answer = post(api, player="p-1", game_id=str(house.game.uuid), achievement="lost-one")
    assert answer.status_code == 409
    assert "has unlocked it" in answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_an_answer_comes_into_the_player_s_inbox_once(house: House) -> None:
    uuid = a_report(house.game)
    assert answers(house, uuid).status_code == 302
    followers.drain("social")
    me = factories.api(
        factories.player_token(house.game, Player.objects.get(pk=PlayerReport.objects.get().player_id))
    )
    [told] = me.get("/players/me/notifications").json()["results"]
    assert told["type"] == "report.answered"
    assert told["data"]["answer"] == TEXT
    assert told["data"]["report_id"] == str(uuid)
    assert told["data"]["achievement"]["key"] == "lost-one"
    assert told["data"]["game_id"] == str(house.game.uuid)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_follower SET tx = '0', fact_id = 0 WHERE name = 'social'")
    followers.drain("social")
    assert len(me.get("/players/me/notifications").json()["results"]) == 1
    [shown] = me.get("/players/me/reports").json()["results"]
    assert shown["state"] == "answered"
    assert [one["text"] for one in shown["answers"]] == [TEXT]
    assert "support" not in str(shown)


def test_who_may_look_and_who_may_answer(house: House) -> None:
    uuid = a_report(house.game)
    looks = {"owner": 200, "admin": 200, "developer": 200, "support": 200, "analyst": 403, "outsider": 404}
    for rest in ("reports", f"reports/{uuid}"):
        assert house.statuses("get", rest) == {**looks, "signed out": 302}
    for by, status in (("analyst", 403), ("outsider", 404), ("signed out", 302)):
        for act in ("answer", "resolve", "reopen"):
            assert house.post(f"reports/{uuid}/{act}", {"text": "x"}, by=by).status_code == status
    assert PlayerReport.objects.get().state == "open"
    assert not ReportAnswer.objects.exists()


def test_the_page_shows_why_it_was_locked_and_what_the_player_says(house: House) -> None:
    factories.stat(house.game, "kills")
    goal = {"all": [{"stat": "kills", "at_least": 5}, {"stat": "kills", "at_least": 9.5}]}
    api = factories.api(factories.server_key(house.studio))
    made = api.post(
        f"/games/{house.game.uuid}/achievements",
        {"key": "slayer", "name": "Slayer", "type": "incremental", "goal": goal, "state": "published"},
    )
    assert made.status_code == 201, made.content
    report = {"game_id": str(house.game.uuid), "player": "p-1", "event_id": str(uuid4())}
    assert api.post("/stats/report", {**report, "stats": {"kills": {"add": 6}}}).status_code == 202
    post(api, player="p-1", game_id=str(house.game.uuid), achievement="slayer", message="<b>Why</b>?")
    report["event_id"] = str(uuid4())
    assert api.post("/stats/report", {**report, "stats": {"kills": {"add": 1}}}).status_code == 202
    text = house.get(f"reports/{PlayerReport.objects.get().uuid}", by="support").content.decode()
    assert "<b>Why</b>" not in text
    text = unescape(text)
    for told in (
        "<b>Why</b>?",
        "kills at least 5",
        "kills at least 9.5",
        "Not all of its conditions are met.",
    ):
        assert told in text, told
    assert '<b class="num push">6</b>' in text  # then
    assert '<b class="num push">7</b>' in text  # now


def test_two_who_answer_settle_and_the_second_is_told_who_was_quicker(house: House) -> None:
    uuid = a_report(house.game)
    assert answers(house, uuid, "First.", by="support").status_code == 302
    late = answers(house, uuid, "Second, with a long text.", by="developer")
    assert late.status_code == 409
    text = unescape(late.content.decode())
    assert "support@example.com has answered it meanwhile: “First.”" in text
    assert "Second, with a long text." in text  # what was typed is kept
    assert [one.text for one in ReportAnswer.objects.all()] == ["First."]
    assert Fact.objects.filter(kind="report_answered").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_answer_at_once_one_does(house: House) -> None:
    uuid, done = a_report(house.game), []

    def act(n: int) -> None:
        try:
            services.answer(
                studio_id=house.studio.pk,
                uuid=uuid,
                text=f"{n}",
                actor=f"user:{n}@x.example",
                at=timezone.now(),
            )
            done.append(n)
        except Conflict:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (
        len(done) == ReportAnswer.objects.count() == Fact.objects.filter(kind="report_answered").count() == 1
    )


def test_reports_are_resolved_opened_again_and_answered_again(house: House) -> None:
    uuid = a_report(house.game)
    assert answers(house, uuid).status_code == 302
    for act, state in (
        ("resolve", "resolved"),
        ("resolve", "resolved"),
        ("reopen", "open"),
        ("reopen", "open"),
    ):
        assert house.post(f"reports/{uuid}/{act}", by="support").status_code == 302
        assert PlayerReport.objects.get().state == state
    assert answers(house, uuid, "Again.").status_code == 302
    assert [one.text for one in ReportAnswer.objects.order_by("pk")] == [TEXT, "Again."]
    deeds = ["report.answer", "report.resolve", "report.reopen", "report.answer"]
    assert audited(house.studio) == [(deed, "user:support@example.com") for deed in deeds]
    assert AuditEntry.objects.filter(details__report=str(uuid)).count() == 4


def test_a_report_is_not_opened_beside_another_open_one(house: House) -> None:
    uuid = a_report(house.game)
    house.post(f"reports/{uuid}/resolve")
    again = post(key(house), player="reporter", game_id=str(house.game.uuid), achievement="lost-one")
    assert again.status_code == 201
    answer = house.client("owner").post(house.path(f"reports/{uuid}/reopen"), follow=True)
    assert "another open report" in answer.content.decode()
    assert PlayerReport.objects.get(uuid=uuid).state == "resolved"


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, "a\u202eb", "a\x00b"])
def test_an_answer_that_can_not_be_sent_is_not_sent(house: House, text: str) -> None:
    uuid = a_report(house.game)
    answer = answers(house, uuid, text)
    assert answer.status_code == 422
    assert PlayerReport.objects.get().state == "open"
    assert not Fact.objects.filter(kind="report_answered").exists()


@pytest.mark.slow
def test_the_queue_is_filtered_by_state_and_game_and_counted_in_the_rail(house: House) -> None:
    other = factories.game(house.studio, title="Tidefall")
    first, second = a_report(house.game, "first"), a_report(other, "second")
    a_report(factories.game(house.elsewhere), "theirs")

    def listed(query: str = "") -> set[UUID]:
        text = house.get(f"reports{query}", by="support").content.decode()
        return {uuid for uuid in (first, second) if f"/reports/{uuid}" in text}

    cache.clear()
    text = house.get("", by="support").content.decode()
    assert '<span class="badge-plain badge-warn num">2</span>' in text
    assert listed() == {first, second}
    assert listed(f"?game={other.uuid}") == {second}
    answers(house, first)
    assert listed() == {second}
    assert listed("?state=answered") == {first}
    assert listed("?state=resolved") == set()
    assert listed("?state=all") == {first, second}
    assert listed("?state=nonsense&game=nonsense") == {second}
    assert "theirs" not in house.get("reports?state=all").content.decode()
    assert house.get("reports?cursor=x").status_code == 400
    house.post(f"reports/{second}/resolve")
    cache.clear()
    assert "Nobody waits for an answer." in house.get("reports").content.decode()


def test_reports_of_two_players_who_become_one_are_the_one_s(house: House) -> None:
    a_report(house.game, "first", "p-1")
    for n, name in ((1, "p-1"), (2, "p-2")):
        factories.player(house.studio, name)
        assert n
    post(key(house), player="p-2", game_id=str(house.game.uuid), achievement="first")
    leaves, stays = (factories.player(house.studio, name).pk for name in ("p-1", "p-2"))
    joining.move(leaves=leaves, stays=stays, shared=frozenset())
    rows = PlayerReport.objects.order_by("pk").values_list("player_id", "state")
    assert list(rows) == [(stays, "resolved"), (stays, "open")]


def test_an_answer_to_who_was_joined_meanwhile_is_told_to_the_person(house: House) -> None:
    uuid = a_report(house.game)
    answers(house, uuid)
    row = Fact.objects.get(kind="report_answered")
    fact = facts.Fact(1, row.pk, row.at, row.kind, row.studio_id, dict(cast("Any", row.payload)))
    stays = factories.player(house.studio, "p-2")
    JoinedPlayer.objects.create(player_id=fact.payload["player"], into=stays, joined_at=timezone.now())
    [told] = announcing.answer_notices(as_they_are([fact]))
    assert told.player_id == stays.pk
    again = announcing.answer_notices(as_they_are([fact]))
    assert [one.uuid for one in again] == [told.uuid]


def test_a_repeated_report_with_its_key_is_one(house: House) -> None:
    factories.achievement(house.game, "lost-one")
    _, me = player(house)
    body = {"achievement": "lost-one"}
    first = me.post("/players/me/reports", body, Idempotency_Key="k1")
    again = me.post("/players/me/reports", body, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert PlayerReport.objects.count() == 1


@pytest.mark.slow
def test_pages_ask_little_of_the_database(house: House, django_assert_max_num_queries: Any) -> None:
    uuids = [a_report(house.game, f"a-{n}", f"p-{n}") for n in range(8)]
    house.get("reports")
    with django_assert_max_num_queries(14):
        house.get("reports")
    with django_assert_max_num_queries(22):
        house.get(f"reports/{uuids[0]}")
    assert Studio.objects.count() == 2
