"""What is done to a player in the portal: each act with a reason and an audit line, and nothing of it when refused."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import games, selectors
from accounts import models as people
from accounts.models import Game, PlayerIdentity
from achievements.models import Achievement, PlayerGame, RevokedUnlock, Unlock
from core.models import AuditEntry
from core.models import Fact as FactRow
from stats.models import StatValue
from tests import factories
from tests.accounts import joins
from tests.care.world import Desk

pytestmark = pytest.mark.django_db
WHY = "Ticket 4711"
CARES = {
    "owner": 200,
    "admin": 200,
    "developer": 200,
    "support": 200,
    "analyst": 403,
    "outsider": 404,
    "signed out": 302,
}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def acts(desk: Desk) -> dict[str, dict[str, str]]:
    """Return every act with a form that it takes."""
    return {
        desk.path("/ban"): {"to": "on", "reason": WHY},
        desk.path("/exclude"): {"to": "on", "reason": WHY},
        desk.act_path("test"): {"to": "on", "reason": WHY},
        desk.act_path("grant"): {"achievement": "a3", "reason": WHY},
        desk.act_path("revoke"): {"achievement": "a1", "reason": WHY},
        desk.path("/reset"): {"game": "all", "what": "both", "typed": "p-1", "reason": WHY},
    }


def state(desk: Desk) -> tuple[Any, ...]:
    """Return what acts could change."""
    return (
        list(PlayerIdentity.objects.order_by("id").values_list("banned_at", "excluded_at")),
        people.Tester.objects.count(),
        sorted(Unlock.objects.values_list("player_id", "achievement_id")),
        RevokedUnlock.objects.count(),
        StatValue.objects.count(),
        AuditEntry.objects.count(),
    )


@pytest.mark.slow
def test_each_act_is_for_who_looks_after_players(desk: Desk) -> None:
    desk.unlock("a1")
    for path, form in acts(desk).items():
        assert desk.house.statuses("get", path) == CARES, path
        for who in ("analyst", "outsider", "signed out"):
            before = state(desk)
            assert desk.house.post(path, form, by=who).status_code == CARES[who], path
            assert state(desk) == before, path


def test_each_act_is_noted_with_who_and_why(desk: Desk) -> None:
    desk.unlock("a1")
    for path, form in acts(desk).items():
        assert desk.house.post(path, form, by="support")["Location"].startswith(
            desk.house.path(desk.path())
        ), path
        desk.house.post(desk.path("/ban"), {"to": "off", "reason": "So that the next one may."})
    noted = [one for one in desk.audited() if one[2] == WHY]
    assert {(actor, reason) for _, actor, reason in noted} == {("user:support@example.com", WHY)}
    assert [action for action, _, _ in noted] == [
        "player.ban",
        "player.exclude",
        "tester.add",
        "achievement.grant",
        "achievements.revoke",
        "achievements.revoke",  # of the reset
    ]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\x00b"])
def test_no_act_is_done_without_a_reason_that_can_be_kept(desk: Desk, reason: str) -> None:
    desk.unlock("a1")
    for path, form in acts(desk).items():
        before = state(desk)
        answer = desk.house.post(path, form | {"reason": reason})
        assert answer.status_code == 422, path
        assert "Nothing was done." in answer.text
        assert state(desk) == before, path


def test_no_act_reaches_another_studio_s_player_or_game(desk: Desk) -> None:
    theirs = factories.player(desk.house.elsewhere, "theirs")
    their_game = joins.declare(desk.house.elsewhere)
    joins.unlock(their_game, "theirs", "a1")
    before = state(desk)
    for path, form in acts(desk).items():
        own = path.replace(str(desk.player.uuid), str(theirs.uuid))
        assert desk.house.post(own, form).status_code == 404
        if "games/" in path:
            other = path.replace(str(desk.game.uuid), str(their_game.uuid))
            assert desk.house.post(other, form).status_code == 404
    form = {"game": str(their_game.uuid), "what": "both", "typed": "p-1", "reason": WHY}
    assert desk.house.post(desk.path("/reset"), form).status_code == 422
    assert state(desk) == before


def test_a_ban_refuses_reports_until_the_player_is_let_back(desk: Desk) -> None:
    api = factories.api(factories.server_key(desk.house.studio))
    body = {"game_id": str(desk.game.uuid), "player": "p-1", "achievement": "a1"}
    assert "Ban from unlocking" in desk.house.get(desk.path("/ban")).text
    desk.house.post(desk.path("/ban"), {"to": "on", "reason": WHY})
    assert api.post("/achievements/unlock", body).status_code == 403
    page = desk.house.get(desk.path("/ban")).text
    assert "Let a banned player back" in page
    desk.house.post(desk.path("/ban"), {"to": "off", "reason": WHY})
    assert api.post("/achievements/unlock", body).status_code == 202


def test_a_form_that_is_sent_twice_does_not_undo_itself(desk: Desk) -> None:
    for path in (desk.path("/ban"), desk.path("/exclude"), desk.act_path("test")):
        for _ in range(2):
            assert desk.house.post(path, {"to": "on", "reason": WHY}).status_code == 302
    row = PlayerIdentity.objects.get(external_id="p-1")
    assert row.banned_at is not None
    assert row.excluded_at is not None
    assert selectors.tests([desk.game.id], [desk.player.pk])
    assert len(desk.audited()) == 3


@pytest.mark.parametrize("to", ["", "ON", "toggle", "on\x00"])
def test_what_can_t_be_wanted_is_refused(desk: Desk, to: str) -> None:
    before = state(desk)
    for path in (desk.path("/ban"), desk.path("/exclude"), desk.act_path("test")):
        assert desk.house.post(path, {"to": to, "reason": WHY}).status_code == 422
    assert state(desk) == before


def test_a_game_with_all_its_testers_takes_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(games, "MOST_TESTERS", 0)
    answer = desk.house.post(desk.act_path("test"), {"to": "on", "reason": WHY})
    assert (answer.status_code, people.Tester.objects.count()) == (422, 0)
    assert "at most 0 testers" in answer.text


def test_a_grant_is_an_unlock_as_any_other(desk: Desk) -> None:
    desk.unlock("a0")
    desk.house.post(desk.act_path("grant"), {"achievement": "a1", "reason": WHY}, by="support")
    held = set(Unlock.objects.values_list("achievement__key", flat=True))
    assert held == {"a0", "a1", "both"}  # what it completes follows
    assert PlayerGame.objects.get(player_id=desk.player.pk, game_id=desk.game.id).points == 60
    entry = AuditEntry.objects.get(action="achievement.grant")
    event = Unlock.objects.get(achievement__key="a1").event_id
    assert (entry.details["event"], entry.details["achievement"]) == (str(event), "a1")
    assert FactRow.objects.filter(kind="achievements_unlocked").exists()


def test_a_grant_counts_what_was_held_back(desk: Desk) -> None:
    flagged = factories.flagged_unlock(Game.objects.get(pk=desk.game.id), "a1", desk.info.external_id or "")
    answer = desk.house.post(desk.act_path("grant"), {"achievement": "a1", "reason": WHY})
    assert answer.status_code == 302
    assert Unlock.objects.filter(achievement__key="a1", player_id=flagged.player_id).exists()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("both", "unlocks by itself"),
        ("hundred", "unlocks by itself"),
        ("draft", "is a draft"),
        ("old", "is archived"),
        ("a1", "has this achievement already"),
        ("nonsense", "no such achievement"),
        ("", "required"),
        ("x" * 129, "128 characters"),
        ("a\x00", "Null characters"),
    ],
)
def test_a_grant_that_can_t_be_is_refused_with_why(desk: Desk, key: str, said: str) -> None:
    game = Achievement.objects.filter(game_id=desk.game.id).first()
    assert game is not None
    for name in ("draft", "old"):
        factories.achievement(game.game, name, state="archived" if name == "old" else "draft")
    desk.unlock("a1")
    before = state(desk)
    answer = desk.house.post(desk.act_path("grant"), {"achievement": key, "reason": WHY})
    assert answer.status_code == 422
    assert said in answer.text
    assert WHY in answer.text  # what was typed is kept
    assert state(desk) == before


def test_a_draft_is_granted_to_who_tests_it(desk: Desk) -> None:
    factories.achievement(Achievement.objects.filter(game_id=desk.game.id)[0].game, "draft", state="draft")
    desk.house.post(desk.act_path("test"), {"to": "on", "reason": WHY})
    assert desk.house.post(desk.act_path("grant"), {"achievement": "draft", "reason": WHY}).status_code == 302
    assert Unlock.objects.filter(achievement__key="draft").exists()


def test_a_banned_player_is_granted_nothing(desk: Desk) -> None:
    factories.ban(desk.house.studio, "p-1")
    answer = desk.house.post(desk.act_path("grant"), {"achievement": "a1", "reason": WHY})
    assert answer.status_code == 422
    assert "banned" in answer.text
    assert not Unlock.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_grant_that_is_sent_by_many_at_once_is_granted_once(desk: Desk) -> None:
    desk.house.client("support")
    codes: list[int] = []

    def send() -> None:
        try:
            answer = desk.house.post(
                desk.act_path("grant"), {"achievement": "a1", "reason": WHY}, by="support"
            )
            codes.append(answer.status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [302, 422, 422, 422, 422, 422]
    assert (Unlock.objects.count(), AuditEntry.objects.filter(action="achievement.grant").count()) == (1, 1)


def test_a_revoke_takes_back_what_was_granted(desk: Desk) -> None:
    desk.unlock("a1", "a2")
    desk.house.post(desk.act_path("revoke"), {"achievement": "a1", "reason": WHY}, by="support")
    assert set(Unlock.objects.values_list("achievement__key", flat=True)) == {"a2"}
    row = RevokedUnlock.objects.get()
    assert (row.reason, row.actor) == (WHY, "user:support@example.com")
    assert PlayerGame.objects.get(player_id=desk.player.pk, game_id=desk.game.id).points == 20


def test_what_is_not_unlocked_is_not_revoked(desk: Desk) -> None:
    before = state(desk)
    for key, said in (("a1", "does not have"), ("nonsense", "no such achievement")):
        answer = desk.house.post(desk.act_path("revoke"), {"achievement": key, "reason": WHY})
        assert answer.status_code == 422
        assert said in answer.text
    assert state(desk) == before


def fill(desk: Desk) -> Any:
    second = joins.declare(desk.house.studio)
    for game in (desk.game, second):
        joins.unlock(game, "p-1", "a1")
        joins.report(game, "p-1", total=100)
        joins.advance(game, "p-1", 3)
    return second


def test_a_reset_of_a_game_leaves_the_others(desk: Desk) -> None:
    second = fill(desk)
    form = {"game": str(desk.game.uuid), "what": "both", "typed": "p-1", "reason": WHY}
    assert desk.house.post(desk.path("/reset"), form, by="support").status_code == 302
    assert set(Unlock.objects.values_list("game_id", flat=True)) == {second.id}
    assert set(StatValue.objects.values_list("stat__game_id", flat=True)) == {second.id}
    assert [action for action, _, reason in desk.audited() if reason == WHY] == [
        "stats.reset",
        "achievements.revoke",
    ]


@pytest.mark.parametrize(("what", "unlocks", "values"), [("both", 0, 0), ("unlocks", 0, 2), ("stats", 4, 0)])
def test_a_reset_of_all_games_takes_what_is_meant(desk: Desk, what: str, unlocks: int, values: int) -> None:
    fill(desk)
    elsewhere = joins.declare(desk.house.elsewhere)
    joins.join(desk.house.studio, "p-1", desk.house.elsewhere, "theirs")
    joins.unlock(elsewhere, "theirs", "a1")
    form = {"game": "all", "what": what, "typed": "p-1", "reason": WHY}
    assert desk.house.post(desk.path("/reset"), form).status_code == 302
    assert Unlock.objects.exclude(game_id=elsewhere.id).count() == unlocks
    assert StatValue.objects.count() == values
    assert Unlock.objects.filter(game_id=elsewhere.id).count() == 1  # another studio's stays


def test_a_reset_does_not_unlock_again_what_stats_had_reached(desk: Desk) -> None:
    joins.report(desk.game, "p-1", total=100)
    form = {"game": str(desk.game.uuid), "what": "both", "typed": "p-1", "reason": WHY}
    desk.house.post(desk.path("/reset"), form)
    joins.report(desk.game, "p-1", total=1)
    assert not Unlock.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"typed": ""},
        {"typed": "p-2"},
        {"game": ""},
        {"game": "nonsense"},
        {"what": "everything"},
        {"what": ""},
    ],
)
def test_a_reset_that_is_not_meant_for_sure_changes_nothing(desk: Desk, changed: dict[str, str]) -> None:
    fill(desk)
    before = state(desk)
    form = {"game": "all", "what": "both", "typed": "p-1", "reason": WHY} | changed
    assert desk.house.post(desk.path("/reset"), form).status_code == 422
    assert state(desk) == before


def test_a_reset_of_nothing_says_so_and_is_not_noted(desk: Desk) -> None:
    form = {"game": "all", "what": "both", "typed": "p-1", "reason": WHY}
    answer = desk.house.client("owner").post(desk.house.path(desk.path("/reset")), form, follow=True)
    assert "There was nothing to reset." in answer.text
    assert not desk.audited()


def test_acts_are_offered_to_who_may_do_them(desk: Desk) -> None:
    assert "Danger zone" in desk.see(by="support").text
    house = desk.house
    assert house.path("players") not in house.get("", by="analyst").text
    assert house.path("players") in house.get("", by="support").text


def test_a_page_of_an_act_says_what_it_means_at_a_moment(desk: Desk) -> None:
    desk.unlock("a1")
    assert timezone.now() > desk.game.created_at
    page = desk.house.get(desk.path(f"/reset?game={desk.game.uuid}")).text
    assert f'value="{desk.game.uuid}" selected' in page
    assert "(1 unlocked)" in page
    assert 'value="a1" selected' in desk.house.get(desk.act_path("revoke?achievement=a1")).text
    desk.house.get(desk.act_path("grant?achievement=nonsense%00"))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_resets_among_reports_fail_nobody_and_leave_no_unlock_without_its_stat(desk: Desk) -> None:
    second = joins.declare(desk.house.studio)
    desk.house.client("support")
    form = {"game": "all", "what": "both", "typed": "p-1", "reason": WHY}
    codes: list[int] = []
    errors: list[BaseException] = []

    def run(work: Any) -> None:
        try:
            for _ in range(6):
                work()
        except BaseException as error:  # noqa: BLE001 - it is told below
            errors.append(error)
        finally:
            connection.close()

    def reset() -> None:
        codes.append(desk.house.post(desk.path("/reset"), form, by="support").status_code)

    reporting = [lambda game=game: joins.report(game, "p-1", total=50) for game in (desk.game, second) * 2]
    threads = [threading.Thread(target=run, args=(work,)) for work in [*reporting, reset]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert codes == [302] * 6
    held = {row.stat.game_id: row.value for row in StatValue.objects.filter(stat__key="total")}
    reached = set(Unlock.objects.filter(achievement__key="hundred").values_list("game_id", flat=True))
    assert reached == {game_id for game_id, value in held.items() if value >= 100}
