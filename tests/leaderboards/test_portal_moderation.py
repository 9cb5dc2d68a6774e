"""What a studio takes off its boards in the portal, and puts back: each with a reason, noted, and listed."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Player, PlayerIdentity
from core import followers
from core.models import AuditEntry
from leaderboards.keys import Board
from leaderboards.models import Leaderboard, Period, PeriodState, RankSample, Score
from tests import factories
from tests.accounts.members import House, audited
from tests.leaderboards import kept
from tests.leaderboards.test_portal import cells, page, pages, ranked, score
from tests.leaderboards.world import forget

pytestmark = pytest.mark.django_db

REFUSED = {"outsider": 404, "signed out": 302}
CARES = {"owner": 200, "admin": 200, "developer": 200, "support": 200, "analyst": 403, **REFUSED}
RESETS = {"owner": 200, "admin": 200, "developer": 200, "support": 403, "analyst": 403, **REFUSED}
WHY = {"reason": "Impossible time", "period": "all"}


@pytest.fixture
def house() -> House:
    """A studio with a board on which p-1 leads p-2."""
    forget()
    factories.forget()
    house = House()
    factories.leaderboard(house.game, name="High score")
    score(house.game, p_1=90, p_2=80)
    return house


@pytest.fixture
def player(house: House) -> Player:
    return Player.objects.get(identities__external_id="p-1")


def entry(player: Player) -> str:
    return f"/high-score/moderation/{player.uuid}"


def send(house: House, player: Player, act: str, *, by: str = "support", **form: str) -> Any:
    return house.post(pages(house, entry(player)), WHY | {"act": act} | form, by=by)


def state(house: House) -> Any:
    return (
        list(Score.objects.order_by("player_id").values()),
        list(Period.objects.values()),
        list(PlayerIdentity.objects.order_by("id").values("excluded_at")),
        audited(house.studio),
    )


def test_an_entry_is_hidden_and_shown_again(house: House, player: Player) -> None:
    assert send(house, player, "hide").status_code == 302
    assert ranked(page(house, "")) == [("1", "p-2")]
    listed = page(house, "/moderation", by="support")
    row = " ".join(cells(listed))
    for said in ("p-1", "All time", "90", "Hidden Impossible time", "support@example.com"):
        assert said in row
    assert "not on this board" in page(house, "?player=p-1").text
    shown = page(house, f"/moderation/{player.uuid}", by="support")
    assert "Hidden Impossible time · support@example.com" in " ".join(cells(shown))
    assert send(house, player, "restore", reason="Appeal").status_code == 302
    assert ranked(page(house, "")) == [("1", "p-1"), ("2", "p-2")]
    assert "Nothing of this board is hidden." in page(house, "/moderation").text
    assert [(one.action, one.reason) for one in AuditEntry.objects.order_by("id")] == [
        ("entry.hide", "Impossible time"),
        ("entry.restore", "Appeal"),
    ]


def test_an_entry_is_deleted_once_its_player_s_id_is_typed(house: House, player: Player) -> None:
    before = state(house)
    refused = send(house, player, "delete", typed="p-2")
    assert refused.status_code == 422
    assert "Type it as it is written" in refused.text
    assert "Impossible time" in refused.text
    assert state(house) == before
    assert send(house, player, "delete", typed=" p-1 ").status_code == 302
    assert not Score.objects.filter(player_id=player.pk).exists()
    gone = AuditEntry.objects.get()
    assert (gone.action, gone.details["scores"]) == ("entry.delete", {"all": 90})
    assert "No score of this player counts on this board." in page(house, f"/moderation/{player.uuid}").text


@pytest.mark.parametrize("act", ["hide", "restore", "delete", "exclude", "include", "", "ban"])
@pytest.mark.parametrize(
    "form",
    [{"reason": ""}, {"reason": "x" * 501}, {"reason": "a\x00b"}, {"reason": "", "period": "2020-01-01"}],
)
def test_without_a_good_reason_nothing_is_done(
    house: House, player: Player, act: str, form: dict[str, str]
) -> None:
    before = state(house)
    answer = send(house, player, act, **form)
    assert answer.status_code == 422
    assert state(house) == before


def test_the_page_shows_where_the_player_stands_and_stood(house: House, player: Player) -> None:
    period, now = Period.objects.get(), timezone.now()
    board = Board(house.game.pk, None, period.pk).name
    for days, rank in ((9, 9), (2, 5), (1, 2)):
        at = now - timedelta(days=days)
        RankSample.objects.create(board=board, player_id=player.pk, taken_at=at, rank=rank, sort_value=-50)
    shown = page(house, f"/moderation/{player.uuid}")
    assert "Rank 1 of 2 now" in shown.text
    assert [cells(shown)[-5], cells(shown)[-2]] == ["2", "5"]
    send(house, player, "hide")
    hidden = page(house, f"/moderation/{player.uuid}").text
    assert "Rank 1" not in hidden
    assert "Rank at the end" not in hidden


def test_what_is_final_is_not_touched(house: House, player: Player) -> None:
    Period.objects.update(state=PeriodState.FINAL)
    before = state(house)
    assert "Hide an entry" not in page(house, f"/moderation/{player.uuid}").text
    for act in ("hide", "restore", "delete"):
        assert send(house, player, act, typed="p-1").status_code == 422
    assert state(house) == before


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_player_is_taken_off_all_boards_and_let_back(house: House, player: Player) -> None:
    assert send(house, player, "exclude", reason="Speed hack").status_code == 302
    followers.drain("leaderboards")
    row = " ".join(cells(page(house, "/moderation")))
    assert "Off all boards Speed hack support@example.com" in row
    of_points = house.get(pages(house, "/points/moderation"), by="support")
    assert "Speed hack" in " ".join(cells(of_points))
    shown = page(house, f"/moderation/{player.uuid}", by="support")
    assert "Let the player back on all boards" in shown.text
    assert "Speed hack" in shown.text
    assert send(house, player, "include", reason="Appeal").status_code == 302
    followers.drain("leaderboards")
    assert "Nothing of this board is hidden." in page(house, "/moderation").text
    assert "Nobody is taken off the boards." in house.get(pages(house, "/points/moderation")).text
    assert audited(house.studio) == [
        ("player.exclude", "user:support@example.com"),
        ("player.include", "user:support@example.com"),
    ]
    assert "Nothing was different" in follow(house, player, "include").text


def follow(house: House, player: Player, act: str) -> Any:
    path = house.path(pages(house, entry(player)))
    return house.client("support").post(path, WHY | {"act": act}, follow=True)


def test_an_entry_of_points_is_not_moderated_by_itself(house: House, player: Player) -> None:
    path = pages(house, f"/points/moderation/{player.uuid}")
    shown = house.get(path).text
    assert "Hide an entry" not in shown
    assert "Take the player off all boards" in shown
    assert house.post(path, WHY | {"act": "hide"}).status_code == 422
    assert audited(house.studio) == []


def test_a_player_is_found_by_the_studio_s_id(house: House, player: Player) -> None:
    found = page(house, "/moderation?player=p-1")
    assert found["Location"] == house.path(pages(house, entry(player)))
    for name in ("nobody", "x" * 500, "a%00b", f"id:{uuid4()}"):
        assert "Your studio knows no player by that id." in page(house, f"/moderation?player={name}").text
    theirs = factories.player(house.elsewhere, "theirs")
    assert page(house, f"/moderation/{theirs.uuid}").status_code == 404
    assert send(house, theirs, "hide").status_code == 404
    Player.objects.filter(pk=player.pk).update(erased_at=timezone.now())
    assert page(house, f"/moderation/{player.uuid}").status_code == 404


@pytest.mark.slow
def test_what_is_hidden_is_listed_page_by_page_with_as_many_queries(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(house.game, **{f"q_{number}": number for number in range(60)})
    for_one = Score.objects.order_by("player_id").first()
    assert for_one is not None
    Score.objects.filter(player_id=for_one.player_id).update(hidden_at=timezone.now())

    def queries() -> int:
        page(house, "/moderation")
        with CaptureQueriesContext(connection) as captured:
            page(house, "/moderation")
        return len(captured)

    few = queries()
    Score.objects.update(hidden_at=timezone.now())
    first = page(house, "/moderation")
    assert len(cells(first)) == 50 * 5
    further = re.findall(r'rel="next"\s+href="([^"]+)"', first.text)[0]
    assert len(cells(page(house, f"/moderation{further}"))) == 12 * 5
    assert queries() == few <= 12
    assert page(house, "/moderation?cursor=forged").status_code == 400


@pytest.mark.slow
def test_hiding_on_another_board_is_no_reason_here(house: House, player: Player) -> None:
    factories.leaderboard(house.game, "other")
    score(house.game, "other", p_1=5)
    path = pages(house, f"/other/moderation/{player.uuid}")
    assert house.post(path, WHY | {"act": "hide", "reason": "Elsewhere"}).status_code == 302
    assert "Elsewhere" in house.get(pages(house, "/other/moderation")).text
    assert "Elsewhere" not in page(house, "/moderation").text
    assert "Elsewhere" not in page(house, f"/moderation/{player.uuid}").text


def test_a_board_begins_anew_once_its_name_is_typed(house: House) -> None:
    said = " ".join(page(house, "/reset").text.split())
    assert "2 entries of periods that are not final are shown nowhere any more." in said
    before = state(house)
    good = {"reason": "Beta", "typed": "High score", "epoch": "1"}
    for changed in ({"typed": "High"}, {"reason": ""}, {"epoch": ""}, {"epoch": "0"}, {"epoch": "x"}):
        form = good | changed
        assert house.post(pages(house, "/high-score/reset"), form).status_code == 422
    assert state(house) == before
    answer = house.post(pages(house, "/high-score/reset"), good, by="developer")
    assert answer["Location"] == house.path(pages(house, "/high-score"))
    assert ranked(page(house, "")) == []
    assert Leaderboard.objects.get().epoch == 2
    reset = AuditEntry.objects.get()
    assert (reset.action, reset.actor, reset.reason) == (
        "leaderboard.reset",
        "user:developer@example.com",
        "Beta",
    )
    score(house.game, p_1=1)
    again = house.post(pages(house, "/high-score/reset"), good, by="developer")
    assert again.status_code == 422
    assert "perhaps by this very form" in again.text
    assert ranked(page(house, "")) == [("1", "p-1")]


@pytest.mark.slow
def test_who_may_moderate_and_who_may_begin_anew(house: House, player: Player) -> None:
    kept.final_period(Leaderboard.objects.get())
    before = state(house)
    assert house.statuses("get", pages(house, "/high-score/moderation")) == CARES
    assert house.statuses("get", pages(house, entry(player))) == CARES
    assert house.statuses("get", pages(house, "/high-score/reset")) == RESETS
    form = {**WHY, "act": "hide", "typed": "High score", "epoch": "1"}
    for who in ("analyst", "outsider", "signed out"):
        assert send(house, player, "hide", by=who).status_code == CARES[who]
    for who in ("support", "analyst", "outsider", "signed out"):
        assert house.post(pages(house, "/high-score/reset"), form, by=who).status_code == RESETS[who]
    assert state(house) == before
    assert "Begin the board anew" not in page(house, "/moderation", by="support").text
    assert "Moderation" not in page(house, "", by="analyst").text
