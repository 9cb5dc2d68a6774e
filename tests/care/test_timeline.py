"""The timeline of a player: what it tells, from where, and how one gets through a long one."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from accounts.models import Game
from achievements.models import Unlock
from achievements.services import flagged, revokes, unlocks
from achievements.services.unlocks import Caller, UnlockRequest
from tests import factories
from tests.accounts import joins
from tests.care.world import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


def events(desk: Desk, query: str = "") -> list[Any]:
    found: list[Any] = desk.see(query).context["events"]
    return found


def titled(desk: Desk, key: str) -> Any:
    return next(event for event in events(desk, "?show=unlocks") if event.key == key)


def test_it_tells_everything_newest_first(desk: Desk) -> None:
    desk.unlock("a1")
    joins.play(desk.game, "p-1")
    joins.report(desk.game, "p-1", total=100)
    factories.ban(desk.house.studio, "p-1")
    factories.ban(desk.house.studio, "p-1", banned=False)
    told = events(desk)
    assert [event.at for event in told] == sorted((event.at for event in told), reverse=True)
    titles = [event.title for event in told]
    for title in (
        "A1",
        "Hundred",
        "total reached 100",
        "Banned a player",
        "Let a banned player back",
        "Played for the first time",
        "Named by your studio for the first time",
    ):
        assert title in titles, title


def test_an_unlock_says_where_it_comes_from_as_far_as_that_is_known(desk: Desk) -> None:
    desk.unlock("a0", "a1")  # which together complete `both`
    joins.report(desk.game, "p-1", total=100)
    desk.house.post(desk.act_path("grant"), {"achievement": "a2", "reason": "Ticket 4711"}, by="support")
    assert titled(desk, "a0").text.startswith("Server key ·")
    assert titled(desk, "both").text.startswith("By itself")
    assert titled(desk, "hundred").text.startswith("By stats")
    assert titled(desk, "a2").text.startswith("Granted by support@example.com: “Ticket 4711” ·")


def test_what_was_sent_late_says_how_late(desk: Desk) -> None:
    now = timezone.now()
    unlocks.unlock(
        game=desk.game,
        request=UnlockRequest("p-1", "a1", unlocked_at=now - timedelta(days=2, minutes=1)),
        by=Caller(offline=True),
        at=now,
    )
    desk.unlock("a2")
    late = titled(desk, "a1")
    assert "happened 2 days before it was heard" in late.text
    assert late.badge[1] == "Sent late"
    assert titled(desk, "a2").badge is None
    assert re.search(r"heard \d\d:\d\d:\d\d, (at once|[\d.]+ s later)", titled(desk, "a2").text)


def test_a_revoke_says_who_and_why(desk: Desk) -> None:
    desk.unlock("a1")
    revokes.revoke(
        game=desk.game,
        player_id=desk.player.pk,
        key="a1",
        reason="<b>duplicate</b>",
        actor="user:ada@example.com",
        at=timezone.now(),
    )
    event = events(desk, "?show=revokes")[0]
    assert (event.title, event.tone, event.badge[1]) == ("A1", "bad", "Revoked")
    assert event.text.startswith("Revoked by ada@example.com: “<b>duplicate</b>”")
    assert "&lt;b&gt;duplicate" in desk.see("?show=revokes").text
    assert not [one for one in events(desk) if one.title == "Revoked unlocks"]  # told once


def test_what_is_held_back_leads_to_its_review_and_says_what_came_of_it(desk: Desk) -> None:
    game = Game.objects.get(pk=desk.game.id)
    waiting, rejected, approved = (factories.flagged_unlock(game, key) for key in ("a1", "a2", "a3"))
    by = "user:support@example.com"
    for row, approves in ((rejected, False), (approved, True)):
        flagged.settle(
            desk.house.studio.pk,
            [row.uuid],
            approves=approves,
            reason="Watched the <i>replay</i>",
            actor=by,
            at=timezone.now(),
        )
    told = {event.key: event for event in events(desk, "?show=unlocks")}
    assert {key: (event.tone, event.badge) for key, event in told.items()} == {
        "a1": ("warn", ("warn", "Review")),
        "a2": ("warn", ("bad", "Rejected")),
        "a3": ("ok", ("ok", "Approved")),
    }
    assert told["a1"].text.startswith("42 s after the player was first named; the rule says 1,800 s.")
    assert told["a2"].text == "Rejected by support@example.com: “Watched the <i>replay</i>”"
    assert told["a3"].text.endswith("approved by support@example.com: “Watched the <i>replay</i>”")
    page = desk.see("?show=unlocks").text
    for row in (waiting, rejected, approved):
        assert f"/review/unlock/{row.uuid}" in page


def test_a_key_that_did_it_is_named(desk: Desk) -> None:
    desk.unlock("a1")
    api = factories.api(factories.server_key(desk.house.studio))
    body = {"game_id": str(desk.game.uuid), "player": "p-1", "achievement": "a1", "reason": "Fraud"}
    assert api.post("/achievements/revoke", body).status_code == 202
    assert events(desk, "?show=revokes")[0].text.startswith("Revoked by test (lrl_sk_…")


@pytest.mark.parametrize("show", ["", "unlocks"])
def test_one_gets_through_a_long_one_and_hears_of_everything_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, show: str
) -> None:
    monkeypatch.setattr("care.portal.profile.A_PAGE", 3)
    keys = [f"a{number}" for number in range(6)]
    desk.unlock(*keys)
    joins.play(desk.game, "p-1")
    Unlock.objects.update(unlocked_at=timezone.now())  # one moment for all of them
    seen: list[tuple[int, int]] = []
    cursor = ""
    for _ in range(9):
        context = desk.see(f"?show={show}{cursor}").context
        seen += [event.position[1:] for event in context["events"]]
        if not context["older"]:
            break
        cursor = f"&cursor={quote(context['older'])}"
    assert len(seen) == len(set(seen))
    assert len([one for one in seen if one[0] == 0]) == 7  # with the one that they complete
    assert len(seen) == (7 if show else 9)


def test_a_cursor_is_good_for_its_own_list_only(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("care.portal.profile.A_PAGE", 1)
    desk.unlock("a1", "a2")
    cursor = quote(desk.see().context["older"])
    for query in (f"?show=unlocks&cursor={cursor}", f"?game={desk.game.uuid}&cursor={cursor}", "?cursor=x"):
        assert desk.house.get(desk.path(query)).status_code == 400


def test_what_is_asked_for_strangely_is_answered_all_the_same(desk: Desk) -> None:
    for query in ("?show=nonsense", "?show=%00", "?show[]=x", "?cursor="):
        desk.see(query)
